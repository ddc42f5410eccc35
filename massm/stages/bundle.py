"""Write the model folder: trained network, shapes and statistics, to be carried away."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.groom import GroomConfig
from massm.config.models import ModelEntry
from massm.config.models.family import NetworkConfig
from massm.config.models.massm import MassmConfig
from massm.config.reconstruct import ReconstructConfig
from massm.fitting.of_run import read_frozen_arrays, read_reference
from massm.geometry.mesh import Mesh
from massm.inference.bundle import Contents, write_bundle
from massm.inference.facts import Facts, without_places
from massm.inference.making import AnatomyPart, AnatomyRun, Recipe, anatomy_part, mean_shapes
from massm.inference.run_facts import counts_of, metrics_of
from massm.io import meshes, particles
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.intervals import read_intervals
from massm.io.tables import read_table
from massm.io.trust import read_trust
from massm.io.weights import load_weights
from massm.models.files import WEIGHTS
from massm.models.massm.impersonal import impersonal_weights
from massm.models.saved import load_model
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: BundleConfig,
    *,
    reconstruct: ReconstructConfig,
    groom: GroomConfig,
    engine: CorrespondConfig,
    model: ModelEntry,
    name: str,
    confidence: float,
    anatomies: list[str],
    train: Path,
    results: Path,
    output: Path,
    summary: Path | None = None,
    intervals: Path | None = None,
    trust: Path | None = None,
) -> None:
    """Write weights, shapes, statistics, what shapes are fitted to, the card and ``model.json``.

    Args:
        config: What goes into the folder.
        reconstruct: Smoothness of the warp.
        groom: How a new shape is made a surface and aligned.
        engine: How particles are placed on it.
        model: Its entry of the configuration.
        name: What it is called there.
        confidence: Level of the intervals in the summary.
        anatomies: Their order.
        train: Folder ``train/{model}`` with weights and description.
        results: Results folder; read of it are, for each anatomy, ``correspond/{anatomy}.npz`` and
            ``correspond/{anatomy}/model.npz``, ``template/{anatomy}.vtp`` and ``.json``,
            ``groom/alignment/{anatomy}.json`` and surfaces of training subjects, and the tables of
            the survey.
        output: Folder ``models/{model}``.
        summary: ``evaluate/summary.csv``; without, the folder says nothing of how good it is.
        intervals: ``intervals/{model}/intervals.npz``; without, it says nothing of how sure it is.
        trust: ``trust/{model}/trust.npz``; without, it does not say which scans are like its own.
    """
    if not isinstance(model, NetworkConfig):
        raise ValueError(f"{name}: {model.family} is a family without training, nothing to carry")
    _, description = load_model(train, model)
    recipe = Recipe(
        config, reconstruct.regularization_mm, description.modes, groom.alignment, engine
    )
    runs = {name: _read(name, results) for name in anatomies}
    parts = {name: _part(name, found, recipe) for name, found in runs.items()}
    subjects, organs = counts_of(
        read_table(results / "dataset" / "subjects.tsv"),
        read_table(results / "dataset" / "counts.tsv"),
        anatomies,
    )
    facts = Facts(
        template=config.template,
        precision=config.precision,
        change_mm={name: part.change_mm for name, part in parts.items()},
        subjects=subjects,
        organs=organs,
        data=config.data.given(),
        metrics=[] if summary is None else metrics_of(read_table(summary), name),
        confidence=confidence,
        groom=groom,
        correspond=without_places(engine),
    )
    weights = None
    if config.template == "mean":
        weights = _impersonal(model, [runs[name] for name in description.anatomies], train)
    contents = replace(
        _contents(parts, facts),
        intervals=None if intervals is None else read_intervals(intervals),
        trust=None if trust is None else read_trust(trust),
    )
    write_bundle(train, contents, model, output, weights)
    size = sum(path.stat().st_size for path in output.iterdir()) / 1e6
    log.info("%s: %d anatomies, %.1f MB", output, len(parts), size)


def _impersonal(model: NetworkConfig, runs: Sequence[AnatomyRun], train: Path) -> dict[str, Tensor]:
    if not isinstance(model, MassmConfig):
        raise ValueError(
            f"bundle.template: mean is not known to the family {model.family}; take medoid"
        )
    learned = model.local.train_basis
    weights = load_weights(train / WEIGHTS)
    return impersonal_weights(weights, mean_shapes(runs), learned_basis=learned)


def _contents(parts: Mapping[str, AnatomyPart], facts: Facts) -> Contents:
    fits = {name: part.fit for name, part in parts.items() if part.fit is not None}
    return Contents(
        shapes={name: part.shapes for name, part in parts.items()},
        statistics={name: part.statistics for name, part in parts.items()},
        fits=fits or None,
        facts=facts,
    )


def _part(anatomy: str, found: AnatomyRun, recipe: Recipe) -> AnatomyPart:
    try:
        part = anatomy_part(found, recipe)
    except (KeyError, ValueError) as error:
        raise DataError(f"{anatomy}: no shapes for the model folder: {error}") from error
    log.info(
        "%s: %d training shapes, %d modes of distance, mean surface %.3f mm from the medoid's",
        *(anatomy, part.statistics.subjects, part.statistics.modes, part.change_mm),
    )
    return part


def _read(anatomy: str, results: Path) -> AnatomyRun:
    """Read what the run made of one anatomy."""
    template = results / "template" / f"{anatomy}.vtp"
    train = particles.load_set(results / "correspond" / f"{anatomy}.npz").of_split("train")
    subject = str(read_json(template.with_suffix(".json"), "subject")["subject"])
    return AnatomyRun(
        train=train,
        surfaces=_SurfaceFiles(results / "groom" / "surfaces", anatomy, train.subjects),
        medoid=subject,
        template=meshes.read(template),
        model=read_frozen_arrays(results, anatomy),
        reference=read_reference(results, anatomy),
    )


class _SurfaceFiles(Mapping[str, Mesh]):
    """Groomed surfaces of one anatomy, read when asked for."""

    def __init__(self, folder: Path, anatomy: str, subjects: tuple[str, ...]) -> None:
        self._paths = {name: folder / name / f"{anatomy}.vtp" for name in subjects}

    def __getitem__(self, subject: str) -> Mesh:
        return meshes.read(self._paths[subject])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


if __name__ == "__main__":
    stage_main(run)
