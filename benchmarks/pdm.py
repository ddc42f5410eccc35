"""Particle engine against ShapeWorks, the program itself or its recorded results, side by side.

usage: python benchmarks/pdm.py POPULATION --shapes DIR [--particles M ...]
           [--reference DIR] [--shapeworks PROGRAM [--project xlsx] [--weights config]]

POPULATION is a name (ellipsoid, boxbump, blob, spleen, ...); --shapes holds its meshes (.ply or
.vtp, one each shape, aligned); --reference holds what ShapeWorks made of it as
{POPULATION}_{M}*.json (keys cpu_s, peak_MB, quality); --shapeworks runs the installed program on
the same meshes, through backend shapeworks, with the default weights of its projects, those of
config.yaml, or both. One preset, that of config.yaml, serves every population.
"""

import argparse
import json
import platform
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import yaml

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.pdm import quality
from massm.pdm.correspondence import Correspondence
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.shapeworks.engine import ShapeWorksEngine
from massm.pdm.surfaces import SurfaceSet

MODES = (1, 2, 3, 5, 10)
PROJECT_DEFAULTS: dict[str, object] = {
    "iterations_per_split": 1000,
    "optimization_iterations": 1000,
    "initial_relative_weighting": 0.1,
    "relative_weighting": 1.0,
    "starting_regularization": 10.0,
    "ending_regularization": 1.0,
    "use_normals": False,
    "procrustes_interval": 0,
    "multiscale_particles": 0,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("population")
    parser.add_argument("--shapes", type=Path, required=True)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--shapeworks", metavar="PROGRAM")
    weights = ("defaults", "config")
    parser.add_argument("--weights", nargs="+", choices=weights, default=weights)
    parser.add_argument("--project", choices=("swproj", "xlsx"), default="swproj")
    parser.add_argument("--particles", type=int, nargs="+", default=[256])
    parser.add_argument("--config", type=Path, default=Path(__file__).parents[1] / "config.yaml")
    arguments = parser.parse_args()
    surfaces, names = read_shapes(arguments.shapes)
    print(machine())
    for count in arguments.particles:
        columns = {"massm": measured(arguments, surfaces, names, count)}
        if arguments.shapeworks is not None:
            columns |= run_shapeworks(arguments, surfaces, names, count)
        if arguments.reference is not None:
            columns |= recorded(arguments.reference, arguments.population, count)
        print_table(f"{arguments.population}, {len(names)} shapes, {count} particles", columns)


def machine() -> str:
    return (
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    )


def read_shapes(folder: Path) -> tuple[list[Mesh], list[str]]:
    paths = sorted(folder.glob("*.ply")) or sorted(folder.glob("*.vtp"))
    surfaces = [meshes.read(path) for path in paths]
    flipped = [
        mesh if mesh.volume > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())
        for mesh in surfaces
    ]
    return flipped, [path.stem for path in paths]


def measured(
    arguments: argparse.Namespace, surfaces: list[Mesh], names: list[str], count: int
) -> dict[str, float]:
    config = read_config(arguments.config, {"backend": "entropy", "particles": count})
    torch.set_num_threads(config.threads)
    wall, cpu = time.perf_counter(), time.process_time()
    fit = EntropyEngine(config).optimize(surfaces, names)
    seconds = {"wall s": time.perf_counter() - wall, "CPU s": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds | {"peak MB": peak} | judged(arguments, fit, surfaces)


def run_shapeworks(
    arguments: argparse.Namespace, surfaces: list[Mesh], names: list[str], count: int
) -> dict[str, dict[str, float]]:
    """Run the program with the default weights of its projects, those of the config, or both."""
    columns = {}
    program = {"program": arguments.shapeworks, "project": arguments.project, "keep": None}
    for title in arguments.weights:
        weights = PROJECT_DEFAULTS if title == "defaults" else {}
        config = read_config(arguments.config, {"backend": "shapeworks", "particles": count})
        section = config.shapeworks.model_copy(update=program | weights)
        engine = ShapeWorksEngine(config.model_copy(update={"shapeworks": section}))
        wall, cpu = time.perf_counter(), seconds_of_children()
        with peak_of_children() as peak_mb:
            fit = engine.optimize(surfaces, names)
        wall, cpu = time.perf_counter() - wall, seconds_of_children() - cpu
        result = {"wall s": wall, "CPU s": cpu, "peak MB": peak_mb()}
        columns[f"ShapeWorks, {title}"] = result | judged(arguments, fit, surfaces)
    return columns


def read_config(path: Path, changes: dict[str, object]) -> CorrespondConfig:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))["correspond"]
    return CorrespondConfig.model_validate(values | changes)


def seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def peak_of_children() -> Iterator[Callable[[], float]]:
    """Watch the peak memory of child processes, MB; Linux.

    The kernel counts the memory of a parent at fork as a child's peak (``ru_maxrss``), so that the
    program's own is read from ``/proc`` while it runs.
    """
    ended, peaks = threading.Event(), [0.0]
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")

    def watch() -> None:
        while not ended.wait(0.2):
            running = children.read_text(encoding="ascii").split()
            peaks.extend(resident_peak(Path(f"/proc/{child}/status")) for child in running)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: max(peaks)
    finally:
        ended.set()
        thread.join()


def resident_peak(status: Path) -> float:
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return max(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), default=0.0
    )


def judged(
    arguments: argparse.Namespace, fit: Correspondence, surfaces: list[Mesh]
) -> dict[str, float]:
    result = measures(fit, surfaces)
    radii = arguments.shapes / "params.npz"
    if arguments.population == "ellipsoid" and radii.is_file():
        result["error against truth"] = ellipsoid_error(fit.particles, np.load(radii)["radii"])
    return result


def measures(fit: Correspondence, surfaces: list[Mesh]) -> dict[str, float]:
    model = fit_shape_model(fit.world)
    general = quality.generalization(
        SurfaceSet(surfaces, fit.names), fit.world, fit.procrustes, MODES
    )
    special = quality.specificity(fit.world, MODES)
    result = quality.spread_measures(SurfaceSet(surfaces, fit.names), fit.particles)
    result |= quality.compactness_measures(model)
    result |= {f"compactness {k}": float(model.compactness[k - 1]) for k in MODES}
    for title, curve in (
        ("generalization", general["particles"]),
        ("to surface", general["surface"]),
        ("specificity", special),
    ):
        result |= {f"{title} {k}": value for k, value in curve.items()}
    return result | {"swapped pairs": float(fit.diagnostics.swapped.sum())}


def ellipsoid_error(particles: np.ndarray, radii: np.ndarray) -> float:
    """Spread of a particle's material direction over the shapes; 0 is perfect."""
    direction = particles / radii[:, None]
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    return float(np.sqrt(np.square(direction - direction.mean(0)).sum(2).mean(0)).mean())


def recorded(folder: Path, population: str, count: int) -> dict[str, dict[str, float]]:
    columns = {}
    for path in sorted(folder.glob(f"{population}_{count}*.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        values = values | values.get("quality", {})
        curves = {"gen": "generalization", "gen_surf": "to surface", "spec": "specificity"}
        named = {
            "cpu_s": "CPU s", "peak_MB": "peak MB", "p2s_mean": "distance_mean",
            "p2s_max": "distance_max", "nn_cv": "nearest_variation",
            "nn_min_rel": "separation_ratio",
            "fill_max": "covering_radius", "total_var": "total_variance", "n95": "modes_95",
            "corr_err": "error against truth",
        }  # fmt: skip
        column = {ours: float(values[theirs]) for theirs, ours in named.items() if theirs in values}
        column |= {f"compactness {k}": values["cum"][k - 1] for k in MODES if "cum" in values}
        for theirs, ours in curves.items():
            column |= {f"{ours} {k}": float(v) for k, v in values.get(theirs, {}).items()}
        columns[path.stem.removeprefix(f"{population}_")] = column
    return {f"ShapeWorks {name}": column for name, column in columns.items()}


def print_table(title: str, columns: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}")
    print(f"{'':24}" + "".join(f"{name:>24}" for name in columns))
    for measure in columns["massm"]:
        cells = (f"{c[measure]:24.4f}" if measure in c else f"{'':24}" for c in columns.values())
        print(f"{measure:24}" + "".join(cells))


if __name__ == "__main__":
    main()
