"""How many points of a surface its measures need: how far they are from those of very many points.

usage: python -m benchmarks.surface_samples MASK... [--counts 2000 5000 10000] [--truth 300000]

Takes masks of one anatomy, of subjects that need not have anything else in common. Each mask's own
surface stands for the truth; its smoothed surface, and that of the next mask, moved to the same
center, stand for a good and a poor prediction. Prints of each number of points the mean and the
largest error of every measure, and what measuring a pair costs.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.scan_memory import machine
from massm.evaluate.surface import mask_surface, surface_measures
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io.images import read_scan

_TOLERANCES = (1.0, 3.0)
_SMOOTHING = 0.9  # voxels


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("masks", type=Path, nargs="+")
    parser.add_argument("--counts", type=int, nargs="+", default=[2000, 5000, 10000])
    parser.add_argument("--truth", type=int, default=300000)
    given = parser.parse_args()
    cases = list(cases_of(given.masks))
    print(f"{machine()}; {len(cases)} pairs of surfaces")
    true = measure(cases, given.truth)
    print(f"{'points':>8} {'ms':>5}  mean error (largest)")
    for count in given.counts:
        began = time.process_time()
        found = measure(cases, count)
        spent = 1000 * (time.process_time() - began) / len(cases)
        errors = {key: np.abs(found[key] - true[key]) for key in true}
        shown = ", ".join(f"{key} {e.mean():.4f} ({e.max():.3f})" for key, e in errors.items())
        print(f"{count:8d} {spent:5.0f}  {shown}", flush=True)


def cases_of(masks: list[Path]) -> Iterator[tuple[Mesh, Mesh]]:
    """Yield predictions with the surfaces that they are measured against."""
    surfaces = [_surfaces(read_scan(path).volume) for path in masks]
    for own, other in pairwise([*surfaces, surfaces[0]]):
        yield own[1], own[0]
        if other is not own:
            away = own[0].vertices.mean(0) - other[1].vertices.mean(0)
            yield Mesh(other[1].vertices + away, other[1].faces), own[0]


def measure(pairs: list[tuple[Mesh, Mesh]], count: int) -> dict[str, np.ndarray]:
    """Measure all pairs with so many points; the largest distance counts vertices too."""
    found = [surface_measures(*pair, samples=count, tolerances_mm=_TOLERANCES) for pair in pairs]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def _surfaces(mask: Volume) -> tuple[Mesh, Mesh]:
    inside = mask.array > 0
    soft = gaussian_filter(inside.astype(float), _SMOOTHING)
    grid = (mask.spacing, mask.origin, mask.direction)
    return mask_surface(Volume(inside, *grid)), isosurface(Volume(soft, *grid), 0.5)


if __name__ == "__main__":
    main()
