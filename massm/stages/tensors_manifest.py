"""List the exported subjects, and sum up the training split: intensities and template shapes."""

import logging
import os
from pathlib import Path

import numpy as np

from massm.config.tensors import TensorsConfig
from massm.geometry.particles import ParticleSet
from massm.io import documents, meshes, tensors
from massm.io.cohort import read_subject_table
from massm.io.fingerprint import digest
from massm.io.particles import load_set
from massm.stages._command import stage_main
from massm.tensors.export import histogram, intensity_of
from massm.tensors.manifest import Entry, Manifest, write_manifest
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.template import refuse_scaled, template_arrays

log = logging.getLogger(__name__)


def run(
    config: TensorsConfig,
    *,
    anatomies: list[str],
    subject_table: Path,
    correspond: list[Path],
    templates: list[Path],
    subjects: list[Path],
    manifest: Path,
    template: Path,
) -> None:
    """Write ``manifest.json`` and ``template.safetensors``.

    Args:
        config: The same section that the subjects were exported with.
        anatomies: Their order.
        subject_table: ``dataset/subjects.tsv``, which holds the split.
        correspond: ``correspond/{anatomy}.npz`` in the order of the anatomies.
        templates: ``template/{anatomy}.vtp``, in the same order; the ``.json`` beside each is read.
        subjects: ``tensors/subjects/{subject}.safetensors`` of all subjects.
        manifest: Output.
        template: Output.

    Raises:
        DataError: If shapes were scaled to a common size, which networks know nothing of.
    """
    splits = {row.subject: row.split for row in read_subject_table(subject_table)}
    entries, counts = [], np.zeros(65536)
    for path in sorted(subjects):
        subject = path.name.removesuffix(".safetensors")
        split = splits[subject]
        image = tensors.load(path, ["image"])["image"]
        if split == "train":
            counts += histogram(image, config.padding_hu)
        file = Path(os.path.relpath(path, manifest.parent)).as_posix()
        entries.append(Entry(subject, split, file, digest(path), image.shape))
    medoids = [_medoid(path.with_suffix(".json")) for path in templates]
    arrays = template_arrays(
        *(map(_rigid, anatomies, correspond), medoids),
        *([meshes.read(path) for path in templates], config.modes),
    )
    tensors.save(arrays, template)
    intensity = intensity_of(counts, config.intensity_percentiles, config.contrast)
    write_manifest(
        Manifest(
            anatomies=tuple(anatomies),
            particles=arrays["mean_local"].shape[1],
            preprocessing=Preprocessing.of(config, intensity),
            subjects=tuple(entries),
        ),
        manifest,
    )
    log.info("%d subjects; training intensities %s", len(entries), intensity)


def _rigid(anatomy: str, path: Path) -> ParticleSet:
    population = load_set(path)
    refuse_scaled(anatomy, population)
    return population


def _medoid(record: Path) -> str:
    return str(documents.read_json(record, "subject")["subject"])


if __name__ == "__main__":
    stage_main(run)
