"""Export what a network sees of a batch of subjects: image on its grid, boxes, particles."""

import logging
from pathlib import Path

import pandas as pd

from massm.config.tensors import ExportConfig
from massm.io import images, tables, tensors
from massm.io.cohort import Status, read_cohort, read_subject_table
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.particles import load_subjects
from massm.stages._command import stage_main
from massm.tensors.export import shape_arrays
from massm.tensors.preprocessing import image_arrays

log = logging.getLogger(__name__)


def run(
    config: ExportConfig,
    *,
    anatomies: list[str],
    subjects: list[str],
    cohort: Path,
    subject_table: Path,
    correspond: list[Path],
    output: Path,
    done: Path,
) -> None:
    """Write ``{subject}.safetensors`` for each subject.

    Args:
        config: Spacings, padding, cropping.
        anatomies: Their order.
        subjects: Subjects of this job.
        cohort: ``dataset/cohort.tsv``.
        subject_table: ``dataset/subjects.tsv``, which names the images.
        correspond: ``correspond/{anatomy}.npz`` in the order of the anatomies.
        output: Folder ``tensors``.
        done: Table of the batch: the hash of each subject's file.
    """
    files = zip(anatomies, correspond, strict=True)
    particles = {name: load_subjects(path, set(subjects)) for name, path in files}
    status: dict[str, dict[str, Status]] = {}
    for row in read_cohort(cohort):
        status.setdefault(row.subject, {})[row.anatomy] = row.status
    image_of = {row.subject: row.image for row in read_subject_table(subject_table)}
    hashes = {}
    for count, subject in enumerate(subjects, start=1):
        image = image_of.get(subject)
        if image is None:
            what = "has no image" if subject in image_of else "is not"
            raise DataError(f"{subject} {what} in {subject_table}; run the dataset stage again")
        arrays = image_arrays(images.read_scan(image).volume, config)
        arrays |= shape_arrays(subject, particles, status.get(subject, {}), anatomies)
        tensors.save(arrays, output / f"{subject}.safetensors")
        hashes[subject] = digest(output / f"{subject}.safetensors")
        log.info(
            "%d/%d %s: grid %s, %d of %d anatomies",
            count,
            len(subjects),
            subject,
            " x ".join(str(n) for n in arrays["image"].shape[::-1]),
            int((arrays["presence"] == 1).sum()),
            len(anatomies),
        )
    tables.write_table(pd.DataFrame(hashes.items(), columns=["subject", "sha256"]), done)


if __name__ == "__main__":
    stage_main(run)
