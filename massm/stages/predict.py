"""Predict the held-out subjects with a model of any family."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from massm.config.correspond import CorrespondConfig
from massm.config.groom import AlignmentConfig
from massm.config.models import ModelEntry
from massm.config.models.family import FamilyConfig, NetworkConfig
from massm.config.predict import PredictConfig
from massm.fitting.of_run import read_fit_model
from massm.fitting.placing import Fitter
from massm.geometry.mesh import Mesh
from massm.io import meshes, predictions
from massm.io.errors import DataError
from massm.io.particles import load_set
from massm.io.predictions import SubjectPrediction
from massm.io.tables import read_table
from massm.machine.cores import usable_cores
from massm.machine.devices import refuse_missing_gpus
from massm.models.families import predict_untrained
from massm.models.known import Known
from massm.models.places import Places, found_places, judged, shown, true_places
from massm.models.predict import joined, predict_subjects
from massm.models.saved import load_model, matches
from massm.reconstruct.parts import LABELS, LOCAL
from massm.stages._command import stage_main
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import Entry, Manifest, read_manifest
from massm.tensors.template import load_template

log = logging.getLogger(__name__)

Said = Iterator[tuple[str, SubjectPrediction]]
Where = Callable[[str], Places]


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: PredictConfig,
    *,
    model: ModelEntry,
    tensors: Path,
    output: Path,
    train: list[Path] | None = None,
    boxes: list[Path] | None = None,
    correspond: list[Path] | None = None,
    surfaces: Path | None = None,
    alignment: AlignmentConfig | None = None,
    engine: CorrespondConfig | None = None,
    results: Path | None = None,
) -> None:
    """Write ``{subject}.npz``, and a label map if there is one, for the configured splits.

    Args:
        config: Splits, batch size, machine.
        model: Its entry.
        tensors: Folder ``tensors``.
        output: Folder ``predict/{model}``.
        train: Folder ``train/{model}``, or ``train/{model}/{part}`` of each anatomy in their order;
            None for a family without training.
        boxes: ``predict/{model}/{subject}.npz`` of the model whose boxes or surfaces it reads, if
            it does.
        correspond: ``correspond/{anatomy}.npz`` of all, for what is told the truth; a network that
            reads aligned crops is told where they lie.
        surfaces: ``reconstruct/{model}.tsv`` of the model whose surfaces it fits, if it does.
        alignment: How these are aligned.
        engine: How particles are placed on them.
        results: Results folder, which the table's paths start from and shape models lie in.

    Raises:
        ValueError: If a family with training has no folder of weights, a family that reads surfaces
            lacks one of the last four, or a GPU is asked for and there is none.
    """
    manifest = read_manifest(tensors / "manifest.json")
    entries = [entry for split in config.splits for entry in manifest.of_split(split)]
    if isinstance(model, NetworkConfig):
        where = partial(_places, model, boxes or [], correspond or [])
        found = _by_networks(config, model, tensors, manifest, entries, train or [], where)
    else:
        known = Known(
            subjects=tuple(entry.subject for entry in entries),
            particles={name: load_set(path) for name, path in _by_name(correspond or []).items()},
            boxes=partial(_read_boxes, _by_name(boxes or [])),
            surfaces=_surfaces(surfaces, results),
            fitters=_fitters(model, manifest, alignment, engine, results),
            template=load_template(tensors / "template.safetensors"),
        )
        found = predict_untrained(model, known)
    for count, (subject, prediction) in enumerate(found, start=1):
        predictions.write(prediction, output / f"{subject}.npz")
        number = len(prediction.found)
        log.info("%d/%d %s: %d anatomies found", count, len(entries), subject, number)


def _by_networks(
    config: PredictConfig,
    model: NetworkConfig,
    tensors: Path,
    manifest: Manifest,
    entries: list[Entry],
    train: list[Path],
    where: Callable[[Sequence[str]], Where | None],
) -> Said:
    """Yield what the networks say, one of all anatomies or one of each."""
    if not train:
        raise ValueError(f"{model.family} is a trained family: name the folder of its weights")
    refuse_missing_gpus(config.accelerator)
    torch.set_num_threads(config.threads or usable_cores())
    dataset = SubjectDataset(tensors, manifest, entries)
    said = [_by_network(config, model, folder, manifest, dataset, where) for folder in train]
    for parts in zip(*said, strict=True):
        yield parts[0][0], joined([prediction for _, prediction in parts])


def _by_network(
    config: PredictConfig,
    model: NetworkConfig,
    folder: Path,
    manifest: Manifest,
    dataset: SubjectDataset,
    where: Callable[[Sequence[str]], Where | None],
) -> Said:
    network, description = load_model(folder, model)
    matches(description, manifest.take(manifest.rows_of(description.anatomies)))
    used = description.preprocessing
    images = dataset.images(
        used if network.sees_fine else used.without_fine(),
        multiple=network.stride,
        batch_size=config.batch_size,
    )
    device = "cuda" if config.accelerator == "gpu" else "cpu"
    places = where(description.anatomies)
    if places is None:
        yield from predict_subjects(network, description, images, device=device)
        return
    said = predict_subjects(network, description, shown(images, places), device=device)
    yield from judged(said, places)


def _places(
    model: NetworkConfig, boxes: list[Path], correspond: list[Path], anatomies: Sequence[str]
) -> Where | None:
    """Return what tells a network where to look, if it asks for that: boxes, or the truth."""
    if model.facts.reads == "box crop":
        source, read = str(model.boxes_from), partial(_read_boxes, _by_name(boxes))
        return lambda subject: found_places(read(subject), anatomies, source)
    if model.facts.reads == "aligned crop":
        files = _by_name(correspond)
        missing = [name for name in anatomies if name not in files]
        if missing:
            raise DataError(f"crops need the particles of {', '.join(missing)} to be aligned by")
        sets = {name: load_set(files[name]) for name in anatomies}
        return lambda subject: true_places(subject, anatomies, sets)
    return None


def _by_name(files: list[Path]) -> dict[str, Path]:
    return {path.stem: path for path in files}


def _fitters(
    model: FamilyConfig,
    manifest: Manifest,
    alignment: AlignmentConfig | None,
    engine: CorrespondConfig | None,
    results: Path | None,
) -> dict[str, Fitter]:
    """Read what surfaces of each anatomy are fitted to, for a model that reads surfaces."""
    if model.facts.reads != "surfaces":
        return {}
    if alignment is None or engine is None or results is None:
        raise ValueError(
            f"{model.family} fits surfaces: name alignment, engine and the results folder"
        )
    vertices = engine.entropy.initialization.template_vertices
    return {
        anatomy: Fitter(read_fit_model(results, anatomy, alignment, vertices), alignment, engine)
        for anatomy in manifest.anatomies
    }


def _surfaces(index: Path | None, results: Path | None) -> Callable[[str, str], Mesh | None]:
    """Return what reads the surface in a subject's image of an anatomy, if the table has one."""
    if index is None or results is None:
        return lambda subject, anatomy: None
    table = read_table(index)
    rows = table[table["head"].isin([LOCAL, LABELS])]
    files = dict(zip(zip(rows.subject, rows.anatomy, strict=True), rows.surface, strict=True))

    def read(subject: str, anatomy: str) -> Mesh | None:
        file = files.get((subject, anatomy))
        return None if file is None else meshes.read(results / file)

    return read


def _read_boxes(files: Mapping[str, Path], subject: str) -> SubjectPrediction:
    if subject not in files:
        raise DataError(f"{subject}: the model whose boxes are read has no prediction of it")
    return predictions.read(files[subject])


if __name__ == "__main__":
    stage_main(run)
