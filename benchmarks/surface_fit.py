"""Measure what fitting a surface into the frozen shape model loses, and what it costs.

usage: python -m benchmarks.surface_fit RESULTS [--configfile PRESET ...] [--of groomed|warped]
           [--split validation] [--anatomies NAME ...] [--subjects N]

The surfaces of one split of a run stand for those that a model predicts: the groomed ones, to which
correspond fitted the very particles that are compared with, or the template warped along these
particles, which is what reconstruct makes of a model that predicts them without an error. Prints of
each anatomy the mean distance of the fitted particles to the surface, their distance to the true
ones (root mean square of each axis, averaged; Euclidean; that of the worst subject; its 95th
percentile over particles), and CPU seconds for a surface.
"""

import argparse
import time
from functools import reduce
from pathlib import Path

import numpy as np

from massm.config.loading import Config, load_config, merge, read_yaml
from massm.fitting.of_run import read_fit_model
from massm.fitting.placing import Fitter
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.particles import load_set
from massm.models.surface_fit import sound_surface
from massm.reconstruct.from_particles import load_warp

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--configfile", type=Path, nargs="*", default=[])
    parser.add_argument("--of", choices=["groomed", "warped"], default="groomed")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--anatomies", nargs="*")
    parser.add_argument("--subjects", type=int, help="only the first N of each anatomy")
    given = parser.parse_args()
    values = reduce(merge, map(read_yaml, given.configfile), read_yaml(ROOT / "config.yaml"))
    config = load_config(values)
    print(f"{'':24}surfaces  off surface  RMSE  Euclidean  worst  p95  CPU s  (mm)")
    for anatomy in given.anatomies or config.anatomies:
        true = load_set(given.results / "correspond" / f"{anatomy}.npz").of_split(given.split)
        true = true.take(list(range(len(true.subjects)))[: given.subjects])
        report(given.results, config, anatomy, true, given.of)


def report(results: Path, config: Config, anatomy: str, true: ParticleSet, kind: str) -> None:
    """Fit the surfaces of one anatomy and print what comes out."""
    surfaces = surfaces_of(results, anatomy, true, kind)
    vertices = config.correspond.entropy.initialization.template_vertices
    model = read_fit_model(results, anatomy, config.groom.alignment, vertices)
    fitter = Fitter(model, config.groom.alignment, config.correspond)
    began = time.process_time()
    placed, failed = fitter.place_all(
        {name: sound_surface(mesh) for name, mesh in surfaces.items()}
    )
    seconds = (time.process_time() - began) / max(len(surfaces), 1)
    errors = np.stack([one.local - true.local[true.row(name)] for name, one in placed.items()])
    rmse = np.sqrt(np.square(errors).mean(1)).mean()
    apart = np.linalg.norm(errors, axis=-1)
    off = np.mean([one.distance_mm for one in placed.values()])
    print(
        f"{anatomy:24}{len(placed):8}  {off:11.1e}  {rmse:.3f}  {apart.mean():9.3f}"
        f"  {apart.mean(1).max():.2f}  {np.percentile(apart, 95):.2f}  {seconds:5.2f}",
        flush=True,
    )
    for reason in failed.values():
        print(f"  missed: {reason}")


def surfaces_of(results: Path, anatomy: str, true: ParticleSet, kind: str) -> dict[str, Mesh]:
    """Read or make the surfaces that stand for predicted ones, image frame, LPS mm."""
    if kind == "groomed":
        folder = results / "groom" / "surfaces"
        return {name: meshes.read(folder / name / f"{anatomy}.vtp") for name in true.subjects}
    warp = load_warp(results / "reconstruct" / "warp" / f"{anatomy}.npz")
    return {name: warp.surface(true.local[true.row(name)]) for name in true.subjects}


if __name__ == "__main__":
    main()
