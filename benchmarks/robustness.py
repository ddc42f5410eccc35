"""How far predicted surfaces move when the same body is stored, sampled or cropped otherwise.

usage: python -m benchmarks.robustness MODEL SCAN [SCAN ...] [--truth FOLDER]

Every scan is predicted as it is, and again turned by 90 degree steps and by 10 degrees, flipped in
storage, saved as NIfTI, NRRD, MHA and DICOM, with voxels 0.7 and 1.5 times as wide, and cropped to
the predicted organs plus 60 mm. Nothing of that moves the body, so the surfaces should stay where
they are. A line for each variant: mean and largest distance of corresponding vertices from those of
the scan as it is (mm, over all anatomies and scans), how many anatomies were found in one of both
alone, and with --truth the mean distance as a share of the error. FOLDER/NAME/ANATOMY.vtp (or
FOLDER/ANATOMY.vtp for one scan) are true surfaces, LPS mm; the error is the mean distance of the
predicted vertices from them. NAME is the scan's file name without endings, or that of its folder
where the file is called ct. Ends with 1 if another storage moves anything by more than 0.01 mm.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.pdm import machine
from benchmarks.scans import sampled_otherwise, stored_otherwise
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.bundle import Bundle, load_bundle
from massm.inference.scan import predict_scan
from massm.io import meshes
from massm.io.images import read_scan

STORAGE_MM = 1e-2
MARGIN_MM = 60.0


class Moved:
    """Distances of one variant's surfaces from those of the scan as it is."""

    def __init__(self) -> None:
        self.distances: list[np.ndarray] = []
        self.alone = 0  # anatomies that were found in one of both alone

    def add(self, expected: dict[str, Mesh], found: dict[str, Mesh]) -> None:
        """Compare the surfaces of one scan, vertex by vertex."""
        self.alone += len(expected.keys() ^ found.keys())
        for anatomy in expected.keys() & found.keys():
            apart = found[anatomy].vertices - expected[anatomy].vertices
            self.distances.append(np.linalg.norm(apart, axis=1))

    @property
    def mean(self) -> float:
        """Mean distance, mm."""
        return float(np.mean([each.mean() for each in self.distances] or [np.nan]))

    @property
    def largest(self) -> float:
        """Largest distance, mm."""
        return float(max((each.max() for each in self.distances), default=np.nan))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    bundle = load_bundle(given.model)
    print(machine())
    stored, sampled, errors = measure(bundle, given.scans, given.truth)
    error = float(np.mean(errors)) if errors else None
    if error is not None:
        print(f"mean error of {len(errors)} surfaces against the truth: {error:.3f} mm")
    report("the same voxels, stored otherwise", stored, error)
    report("the same body, sampled otherwise", sampled, error)
    if any(each.alone or each.largest > STORAGE_MM for each in stored.values()):
        sys.exit(f"another storage moves something by more than {STORAGE_MM} mm")


def measure(
    bundle: Bundle, scans: list[Path], truth: Path | None
) -> tuple[dict[str, Moved], dict[str, Moved], list[float]]:
    """Predict all variants of all scans; return what moved, and the errors of the scans as is."""
    stored: defaultdict[str, Moved] = defaultdict(Moved)
    sampled: defaultdict[str, Moved] = defaultdict(Moved)
    errors: list[float] = []
    for path in scans:
        volume = read_scan(path).volume
        _, expected = predict_scan(volume, bundle)
        if not expected:
            print(f"{path}: no anatomy is found, nothing to compare")
            continue
        errors += list(errors_of(expected, truth, name_of(path)))
        with tempfile.TemporaryDirectory() as folder:
            for name, variant in stored_otherwise(volume, Path(folder)):
                stored[name].add(expected, surfaces_of(variant, bundle))
        for name, variant in sampled_otherwise(volume, *organ_box(expected)):
            sampled[name].add(expected, surfaces_of(variant, bundle))
    return dict(stored), dict(sampled), errors


def surfaces_of(volume: Volume, bundle: Bundle) -> dict[str, Mesh]:
    return predict_scan(volume, bundle)[1]


def organ_box(surfaces: dict[str, Mesh]) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the box around all surfaces plus the margin, LPS mm."""
    vertices = np.concatenate([mesh.vertices for mesh in surfaces.values()])
    return vertices.min(0) - MARGIN_MM, vertices.max(0) + MARGIN_MM


def errors_of(surfaces: dict[str, Mesh], truth: Path | None, name: str) -> Iterator[float]:
    """Yield the mean distance of each surface from the true one, where there is one, mm."""
    if truth is None:
        return
    for anatomy, mesh in surfaces.items():
        places = [truth / name / f"{anatomy}.vtp", truth / f"{anatomy}.vtp"]
        path = next((place for place in places if place.is_file()), None)
        if path is not None:
            yield float(SurfaceIndex(meshes.read(path)).closest(mesh.vertices).distance.mean())


def name_of(path: Path) -> str:
    """Name a scan by its file, or by its folder where all files have one name."""
    name = path.name.partition(".")[0]
    return path.absolute().parent.name if name == "ct" else name


def report(title: str, rows: dict[str, Moved], error: float | None) -> None:
    """Print a table."""
    share = "  mean / error" if error is not None else ""
    print(f"\n{title:34}{'mean mm':>10}{'largest mm':>12}{'surfaces':>10}{'alone':>7}{share}")
    for name, moved in rows.items():
        counts = f"{len(moved.distances):10}{moved.alone:7}"
        share = f"{moved.mean / error:14.1%}" if error is not None else ""
        print(f"  {name:32}{moved.mean:10.5f}{moved.largest:12.5f}{counts}{share}")


if __name__ == "__main__":
    main()
