"""What it brings to make one population of a left and a right anatomy.

usage: python -m benchmarks.pdm_pooled SEPARATE POOLED LEFT RIGHT

SEPARATE and POOLED are folders of results whose `correspond` stage is done, without and with
`correspond.populations: {NAME: [LEFT, RIGHT]}`. Held-out subjects (all but the training split) are
rebuilt by some modes: of their own side's training shapes, or of both sides'. Printed, as means
over both sides in mm: distance of the particles to the rebuilt ones, and of these to the surface.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.pdm import machine
from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.distance import SurfaceIndex
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.particles import load_set
from massm.pdm.shape_model import ShapeModel, fit_shape_model

MODES = (5, 10, 20, 40)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("separate", type=Path)
    parser.add_argument("pooled", type=Path)
    parser.add_argument("sides", nargs=2, metavar="ANATOMY")
    options = parser.parse_args()
    print(machine())
    print(f"{'modes':>6}{'residual':>26}{'to surface':>26}    (pooled / separate, mm)")
    errors = {
        folder: rebuilt(folder, options.sides, together=folder == options.pooled)
        for folder in (options.pooled, options.separate)
    }
    for modes in MODES:
        cells = [
            f"{errors[options.pooled][modes][kind]:.3f} / "
            f"{errors[options.separate][modes][kind]:.3f}"
            for kind in (0, 1)
        ]
        print(f"{modes:>6}{cells[0]:>26}{cells[1]:>26}")


def rebuilt(results: Path, sides: list[str], *, together: bool) -> dict[int, tuple[float, float]]:
    """Rebuild held-out subjects; residual and distance to the surface by number of modes, mm."""
    sets = {side: load_set(results / "correspond" / f"{side}.npz") for side in sides}
    training = {side: found.of_split("train").world for side, found in sets.items()}
    both = np.concatenate(list(training.values()))
    errors = [
        rebuild(results, side, found, fit_shape_model(both if together else training[side]))
        for side, found in sets.items()
    ]
    means = np.concatenate(errors).mean(0)
    return {modes: (float(a), float(b)) for modes, (a, b) in zip(MODES, means, strict=True)}


def rebuild(results: Path, side: str, found: ParticleSet, model: ShapeModel) -> np.ndarray:
    """Rebuild the held-out subjects of one side: subjects x modes x (residual, to surface)."""
    rows = []
    for row, (subject, split) in enumerate(zip(found.subjects, found.splits, strict=True)):
        if split == "train":
            continue
        surface = SurfaceIndex(meshes.read(results / f"groom/surfaces/{subject}/{side}.vtp"))
        back = invert_transform(found.transforms[row])
        values = []
        for modes in MODES:
            shape = model.project(found.world[row], modes)
            residual = np.linalg.norm(shape - found.world[row], axis=1).mean()
            values.append((residual, surface.closest(apply_transform(back, shape)).distance.mean()))
        rows.append(values)
    return np.array(rows)


if __name__ == "__main__":
    main()
