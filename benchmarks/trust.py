"""How often the lights of a model folder are red: of usual scans, and of scans that are not.

usage: python -m benchmarks.trust RESULTS MODEL_FOLDER DATA [--split test] [--other SCAN ...]

The scans of the split's subjects (DATA/SUBJECT/ct.nii.gz, or another image or DICOM folder called
ct there) go through the model folder as massm predict does: as they are, where every red light is
a false alarm, and spoilt in ways that are no fault of the model. A line for each kind: in how many
scans the scan itself was red, or any anatomy, or all that was found; and which evidence led. For
scans that are cropped at random the AUROC of the share outside (of the surface, or of the place
that the other anatomies tell where it was found elsewhere), of an anatomy that the crop cuts
against one that it does not, by the true particles of RESULTS/correspond; then how many anatomies
are found that it takes away or leaves, and how far off the particles are.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from benchmarks.pdm import machine
from benchmarks.same_prediction import scan_of
from benchmarks.scans import cropped
from massm.evaluate.detection import auroc
from massm.geometry.volume import Volume
from massm.inference.bundle import Bundle, load_bundle
from massm.inference.describe import describe_scan
from massm.inference.shapes import ScanGrid, ScanShapes
from massm.io.cohort import read_subject_table
from massm.io.images import read_scan
from massm.io.particles import load_set

CROPS = 3  # of each scan
LEAST_KEPT = 0.5  # of each side of the scan
AIR_HU = -1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("results", "folder", "data"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--other", type=Path, nargs="*", default=[], help="scans of other bodies")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    bundle = load_bundle(given.folder)
    if bundle.trust is None or bundle.trust.is_empty:
        sys.exit(f"{given.folder} does not know what is usual")
    rows = read_subject_table(given.results / "dataset" / "subjects.tsv")
    names = [row.subject for row in rows if row.is_used and row.split == given.split]
    print(machine())
    print(f"{len(names)} scans, {bundle.trust.subjects} subjects say what is usual\n")
    print(
        f"{'scan':24}{'scans':>6}{'scan red':>10}{'any red':>9}{'all red':>9}{'amber':>7}  causes"
    )
    scans = {name: read_scan(scan_of(given.data, name)).volume for name in names}
    report("as it is", (described(scan, bundle) for scan in scans.values()))
    for kind, spoil in SPOILT.items():
        report(kind, (described(spoil(scan), bundle) for scan in scans.values()))
    if given.other:
        others = (described(read_scan(path).volume, bundle) for path in given.other)
        report("another body", others)
    print()
    crops(scans, bundle, given.results)


def described(volume: Volume, bundle: Bundle) -> ScanShapes:
    return describe_scan(volume, bundle)


def report(kind: str, found: Iterator[ScanShapes]) -> None:
    """Print a line: how many scans, and how many of them are red in which sense."""
    count = scan = any_red = all_red = amber = 0
    causes: Counter[str] = Counter()
    for shapes in found:
        lights = [each.trust for each in shapes.found.values() if each.trust]
        red = [trust for trust in (shapes.trust, *lights) if trust and trust.light == "red"]
        count += 1
        scan += shapes.trust is not None and shapes.trust.light == "red"
        any_red += bool(red)
        all_red += bool(red) and all(trust.light == "red" for trust in lights)
        amber += not red and any(trust.light == "amber" for trust in lights)
        causes.update(red[0].findings[0].name for _ in red[:1] if red[0].findings)
    said = ", ".join(f"{name} {times}" for name, times in causes.most_common(4))
    print(f"{kind:24}{count:6}{scan:10}{any_red:9}{all_red:9}{amber:7}  {said}", flush=True)


def crops(scans: dict[str, Volume], bundle: Bundle, results: Path) -> None:
    """Print what becomes of anatomies that random crops take away, cut, or leave whole."""
    generator = np.random.default_rng(0)
    sets = {name: load_set(results / f"correspond/{name}.npz") for name in bundle.shapes}
    scores, by_surface, cut = [], [], []
    gone, whole = [0, 0], [0, 0]  # found, of so many
    off_mm: dict[bool, list[float]] = {True: [], False: []}  # of those cut, of those whole
    for name, scan in scans.items():
        for _ in range(CROPS):
            crop = cropped(scan, *random_box(scan, generator))
            shapes = described(crop, bundle)
            grid = ScanGrid.of(crop)
            for anatomy, own in sets.items():
                if name not in own.subjects:
                    continue
                true = own.local[own.subjects.index(name)]
                outside, shape = grid.outside_mm(true) > 0, shapes.found.get(anatomy)
                if outside.all() or not outside.any():
                    counted = gone if outside.all() else whole
                    counted[0] += shape is not None
                    counted[1] += 1
                if outside.all() or not (shape and shape.cut and shape.surface):
                    continue
                # Among those that are not cut, the nearest to the edge comes first.
                near = grid.outside_mm(shape.surface.vertices).max()
                scores.append(max(shape.cut.surface, shape.cut.expected) + 1e-6 * near)
                by_surface.append(shape.cut.surface + 1e-6 * near)
                cut.append(bool(outside.any()))
                if shape.local is not None:
                    off = np.linalg.norm(shape.local - true, axis=-1).mean()
                    off_mm[bool(outside.any())].append(float(off))
    is_cut = np.array(cut, bool)
    print(
        f"{CROPS} random crops of each: {is_cut.sum()} of {len(is_cut)} anatomies found are cut, "
        f"AUROC of the share outside {auroc(np.array(scores), is_cut):.3f}, of its own surface "
        f"alone {auroc(np.array(by_surface), is_cut):.3f}"
    )
    print(
        f"of {gone[1]} anatomies that a crop takes away whole {gone[0]} are found, of {whole[1]} "
        f"that it leaves whole {whole[0]}; particles are {np.mean(off_mm[True]):.1f} mm "
        f"(median {np.median(off_mm[True]):.1f}) off where it cuts, those outside among them, "
        f"{np.mean(off_mm[False]):.1f} ({np.median(off_mm[False]):.1f}) where it does not"
    )


def random_box(scan: Volume, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the corners of a box in a scan, LPS mm."""
    corners = scan.corners()
    low, high = corners.min(0), corners.max(0)
    size = (high - low) * generator.uniform(LEAST_KEPT, 1, 3)
    start = low + generator.uniform(0, 1, 3) * (high - low - size)
    return start, start + size


def mirrored(scan: Volume) -> Volume:
    """Exchange left and right, as a wrong sign in a header does."""
    flip = np.diag([-1.0, 1, 1])
    return Volume(scan.array, scan.spacing, flip @ scan.origin, flip @ scan.direction)


def noise(scan: Volume) -> Volume:
    draw = np.random.default_rng(0)
    return scan.with_array(draw.integers(-1000, 1000, scan.array.shape).astype(np.int16))


def like_mr(scan: Volume) -> Volume:
    """Give tissue the order of a T1-weighted MR: air and bone dark, fat bright, none negative."""
    values = np.interp(scan.array, [-1000, -200, -100, 40, 150, 300], [0, 50, 900, 400, 350, 30])
    return scan.with_array(values.astype(np.int16))


def phantom(scan: Volume) -> Volume:
    """Fill the body with water."""
    body = ndimage.binary_fill_holes(scan.array > -300)
    return scan.with_array(np.where(body, 0, AIR_HU).astype(np.int16))


def upside_down(scan: Volume) -> Volume:
    flip = np.diag([1.0, 1, -1])
    return Volume(scan.array, scan.spacing, flip @ scan.origin, flip @ scan.direction)


def changed(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Volume], Volume]:
    """Change the values of a scan."""
    return lambda scan: scan.with_array(
        np.clip(change(scan.array.astype(np.float32)), -32768, 32767).astype(np.int16)
    )


SPOILT: dict[str, Callable[[Volume], Volume]] = {
    "100 HU more": changed(lambda values: values + 100),
    "200 HU less": changed(lambda values: values - 200),
    "1024 HU more": changed(lambda values: values + 1024),
    "half the scale": changed(lambda values: values / 2),
    "inverted": changed(lambda values: -values),
    "like MR": like_mr,
    "noise": noise,
    "water phantom": phantom,
    "upside down": upside_down,
    "mirrored": mirrored,
}


if __name__ == "__main__":
    main()
