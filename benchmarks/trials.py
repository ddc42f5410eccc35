"""Compare trained networks, or ways to predict with one, on a run's validation subjects.

usage: python -m benchmarks.trials RESULTS TRIAL [TRIAL ...]

A TRIAL is the folder of a trained model that gives particles, with changes of what only prediction
looks at behind it: results/openkbp/train/massm:box_updates=1,refine_updates=0. Of RESULTS the
tensors, the survey and the masks that it names are read, and validation subjects alone.

Prints for each trial the mean (median) distance from its particles to the surface of the mask as it
was drawn, in mm, of each anatomy and of all, and the mean of the worst twentieth of anatomies;
then by how much it differs from the first trial: mean over subjects with a 95 % interval (BCa).
Nothing is left out because a score is low: this asks where particles are, not whether.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from massm.config.names import Split
from massm.evaluate.statistics import Resampling, mean_interval
from massm.evaluate.surface import mask_surface
from massm.geometry.distance import SurfaceIndex
from massm.io.cohort import AnatomyRecord, read_cohort
from massm.io.sources import SurfaceFile, read_voxels
from massm.models.saved import load_model
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import Manifest, read_manifest

HOW = Resampling(samples=10000, confidence=0.95, seed=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("trials", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    manifest = read_manifest(given.results / "tensors" / "manifest.json")
    truth = surfaces(given.results, manifest, "validation")
    first: dict[tuple[str, str], float] = {}
    print("| trial |", " | ".join(manifest.anatomies), "| all | worst 5 % | against the first |")
    print("|" + " --- |" * (len(manifest.anatomies) + 4))
    for trial in given.trials:
        found = dict(distances(trial, given.results / "tensors", manifest, truth))
        first = first or found
        print(row(trial, found, first, manifest.anatomies), flush=True)


def surfaces(
    results: Path, manifest: Manifest, split: Split
) -> dict[tuple[str, str], SurfaceIndex]:
    """Index the surfaces of the masks of a split's subjects, by subject and anatomy."""
    asked = {entry.subject for entry in manifest.of_split(split)}
    return {
        (record.subject, record.anatomy): index_of(record)
        for record in read_cohort(results / "dataset" / "cohort.tsv")
        if record.is_used and record.subject in asked and record.anatomy in manifest.anatomies
    }


def index_of(record: AnatomyRecord) -> SurfaceIndex:
    """Index the surface of a mask as it was drawn."""
    file = record.file
    if isinstance(file, SurfaceFile):
        raise SystemExit(f"{record.subject} {record.anatomy}: a surface, not a mask")
    return SurfaceIndex(mask_surface(read_voxels(file).inside))


def distances(
    trial: str,
    tensors: Path,
    manifest: Manifest,
    truth: dict[tuple[str, str], SurfaceIndex],
) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield the mean distance of each anatomy's particles from its mask's surface, mm."""
    folder, _, changes = trial.partition(":")
    model, description = load_model(Path(folder))
    if changes:
        changed = dict(change.split("=", 1) for change in changes.split(","))
        update = {key: json.loads(value) for key, value in changed.items()}
        model, description = load_model(Path(folder), description.model.model_copy(update=update))
    subjects = SubjectDataset(tensors, manifest, manifest.of_split("validation"))
    preprocessing = description.preprocessing
    for images in subjects.images(preprocessing, multiple=model.stride, batch_size=1):
        local = model.predict(images).local
        if local is None:
            raise SystemExit(f"{folder} gives no particles in the image")
        for k, anatomy in enumerate(description.anatomies):
            key = images.subjects[0], anatomy
            if key in truth:
                yield key, float(truth[key].closest(local[0, k].numpy()).distance.mean())


def row(
    trial: str,
    found: dict[tuple[str, str], float],
    first: dict[tuple[str, str], float],
    anatomies: tuple[str, ...],
) -> str:
    """Write a trial's line of the table."""
    cells = [trial]
    for name in anatomies:
        of = [value for (_, anatomy), value in found.items() if anatomy == name]
        cells.append(f"{np.mean(of):.2f} ({np.median(of):.2f})")
    every = np.array(list(found.values()))
    cells.append(f"{every.mean():.2f} ({np.median(every):.2f})")
    cells.append(f"{np.sort(every)[-max(1, len(every) // 20) :].mean():.1f}")
    if found is first:
        return "| " + " | ".join([*cells, ""]) + " |"
    subjects = sorted({subject for subject, _ in found})
    change = np.array(
        [
            np.mean([value - first[key] for key, value in found.items() if key[0] == subject])
            for subject in subjects
        ]
    )
    low, high = mean_interval(change, np.arange(len(change)), HOW)[:2]
    cells.append(f"{change.mean():+.2f} ({low:+.2f} to {high:+.2f})")
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
