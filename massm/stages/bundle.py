"""Write the model folder: trained network, templates and shape models, to be carried away."""

import logging
from pathlib import Path

from massm.config.models import ModelEntry
from massm.config.models.family import NetworkConfig
from massm.config.reconstruct import ReconstructConfig
from massm.inference.bundle import AnatomyShapes, write_bundle
from massm.io import meshes, particles
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.models.saved import load_model
from massm.pdm.shape_model import fit_shape_model
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: ReconstructConfig,
    *,
    model: ModelEntry,
    anatomies: list[str],
    train: Path,
    correspond: list[Path],
    templates: list[Path],
    output: Path,
) -> None:
    """Write ``model.safetensors``, ``shapes.safetensors`` and ``model.json``.

    Args:
        config: Smoothness of the warp.
        model: Its entry of the configuration.
        anatomies: Their order.
        train: Folder ``train/{model}`` with weights and description.
        correspond: ``correspond/{anatomy}.npz`` in the order of the anatomies.
        templates: ``template/{anatomy}.vtp``, in the same order; the ``.json`` beside each is read.
        output: Folder ``models/{model}``.
    """
    if not isinstance(model, NetworkConfig):
        raise ValueError(f"{model.family} is a family without training: there is nothing to carry")
    _, description = load_model(train, model)
    files = zip(anatomies, correspond, templates, strict=True)
    shapes = {
        name: _shapes(name, found, template, description.modes, config.regularization_mm)
        for name, found, template in files
    }
    write_bundle(train, shapes, model, output)
    size = sum(path.stat().st_size for path in output.iterdir()) / 1e6
    log.info("%s: %d anatomies, %.1f MB", output, len(shapes), size)


def _shapes(
    anatomy: str, correspond: Path, template: Path, modes: int, regularization_mm: float
) -> AnatomyShapes:
    population = particles.load_set(correspond)
    subject = read_json(template.with_suffix(".json"), "subject")["subject"]
    try:
        return AnatomyShapes(
            template=meshes.read(template),
            particles=population.local[population.row(subject)],
            model=fit_shape_model(population.of_split("train").world, modes),
            regularization_mm=regularization_mm,
        )
    except (KeyError, ValueError) as error:
        raise DataError(f"{anatomy}: no shapes for the model folder: {error}") from error


if __name__ == "__main__":
    stage_main(run)
