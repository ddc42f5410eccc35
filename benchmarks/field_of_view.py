"""How much worse a model folder predicts scans that are cut to a narrow field of view.

usage: python -m benchmarks.field_of_view RESULTS MODEL_FOLDER DATA [--split test] [--width 200]
                                          [--draws 3]

Many scanners reconstruct a head in 200 mm, without the shoulders. The scans of the split's subjects
(DATA/SUBJECT/ct.nii.gz, or another image or DICOM folder called ct there) go through the model
folder as massm predict does: as they are, and with the columns cut to so many mm, from left to
right, at a random place that keeps all true particles of RESULTS/correspond. Prints for each
anatomy the mean (median) distance from the predicted surface to that of the mask as it was drawn,
mm, and by how much the cut makes it longer: a share of the error as it is, with a 95 % interval
with subjects as what was sampled (BCa). Anatomies that are missed are counted and not averaged.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.pdm import machine
from benchmarks.same_prediction import scan_of
from benchmarks.scans import cropped
from benchmarks.trials import HOW, surfaces
from massm.evaluate.statistics import ratio_interval
from massm.geometry.distance import SurfaceIndex
from massm.geometry.volume import Volume
from massm.inference.bundle import Bundle, load_bundle
from massm.inference.scan import predict_scan
from massm.io.images import read_scan
from massm.io.particles import load_set
from massm.tensors.manifest import read_manifest

ALL = "all"
Pair = tuple[str, str, float, float]  # subject, anatomy, error as it is and cut, mm; nan: missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("results", "folder", "data"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--width", type=float, default=200.0, help="mm")
    parser.add_argument("--draws", type=int, default=3, help="cuts of each scan")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    bundle = load_bundle(given.folder)
    manifest = read_manifest(given.results / "tensors" / "manifest.json")
    truth = surfaces(given.results, manifest, given.split)
    extents = organs(given.results, bundle)
    generator = np.random.default_rng(0)
    pairs: list[Pair] = []
    left_out = 0
    names = sorted({subject for subject, _ in truth})
    for name in names:
        scan = read_scan(scan_of(given.data, name)).volume
        known = {anatomy: index for (subject, anatomy), index in truth.items() if subject == name}
        before = errors(scan, bundle, known)
        for _ in range(given.draws):
            cut = narrowed(scan, extents[name], given.width, generator)
            if cut is None:
                left_out += 1
                continue
            after = errors(cut, bundle, known)
            pairs += [(name, anatomy, before[anatomy], after[anatomy]) for anatomy in known]
    print(machine())
    print(
        f"{len(names)} scans of the {given.split} split, each cut to {given.width:.0f} mm "
        f"{given.draws} times; {left_out} cuts left out: the scan is no wider, or its organs are\n"
    )
    print("| anatomy | as it is, mm | cut, mm | longer by | missed as it is, cut |")
    print("|---|---|---|---|---|")
    for anatomy in (*bundle.description.anatomies, ALL):
        own = [one for one in pairs if anatomy in (ALL, one[1])]
        if np.isfinite([one[2:] for one in own]).all(axis=-1).any():
            print(line(anatomy, own))


def organs(results: Path, bundle: Bundle) -> dict[str, tuple[float, float]]:
    """Find from where to where the true particles of each subject reach, x, LPS mm."""
    found: dict[str, tuple[float, float]] = {}
    for anatomy in bundle.shapes:
        particles = load_set(results / "correspond" / f"{anatomy}.npz")
        for name, local in zip(particles.subjects, particles.local, strict=True):
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = (
                min(low, float(local[:, 0].min())),
                max(high, float(local[:, 0].max())),
            )
    return found


def narrowed(
    scan: Volume, organs: tuple[float, float], width: float, generator: np.random.Generator
) -> Volume | None:
    """Cut a scan to a width at a random place that keeps the organs; None: it cannot be.

    Args:
        scan: The scan.
        organs: From where to where they reach, x, LPS mm.
        width: From left to right, mm.
        generator: Draws the place.
    """
    corners = scan.corners()
    low, high = corners.min(0), corners.max(0)
    first, last = max(low[0], organs[1] - width), min(organs[0], high[0] - width)
    if high[0] - low[0] <= width or first > last:
        return None
    low[0] = generator.uniform(first, last)
    high[0] = low[0] + width
    return cropped(scan, low, high)


def errors(scan: Volume, bundle: Bundle, truth: dict[str, SurfaceIndex]) -> dict[str, float]:
    """Measure the mean distance of each predicted surface from the mask's, mm; nan: missed."""
    _, found = predict_scan(scan, bundle)
    return {
        anatomy: float(index.closest(found[anatomy].vertices).distance.mean())
        if anatomy in found
        else float("nan")
        for anatomy, index in truth.items()
    }


def line(anatomy: str, pairs: list[Pair]) -> str:
    """Write an anatomy's line of the table."""
    before, after = (np.array([one[place] for one in pairs], float) for place in (2, 3))
    both = np.isfinite(before) & np.isfinite(after)
    subjects = np.array([one[0] for one in pairs])[both]
    missed = " and ".join(f"{np.isnan(values).sum():.0f}" for values in (before, after))
    before, after = before[both], after[both]
    low, high = ratio_interval(after - before, before, subjects, HOW)[:2]
    longer = (after.sum() - before.sum()) / before.sum()
    cells = [
        anatomy,
        *(f"{values.mean():.2f} ({np.median(values):.2f})" for values in (before, after)),
    ]
    cells += [f"{longer:+.1%} ({low:+.1%} to {high:+.1%})", missed]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
