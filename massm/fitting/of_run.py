"""What a run made of one anatomy, read as what new shapes are fitted to."""

from pathlib import Path

import numpy as np

from massm.config.groom import AlignmentConfig
from massm.fitting.fit_model import FitModel, Reference, pipelines_own, registered_by, registers
from massm.io import meshes
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, load_set

_NEEDED = {"mean", "modes", "variances", "residual_limit"}


def read_frozen_arrays(results: Path, anatomy: str) -> dict[str, np.ndarray]:
    """Read ``correspond/{anatomy}/model.npz``.

    Raises:
        DataError: If it is damaged, or no model.
    """
    path = results / "correspond" / anatomy / "model.npz"
    arrays = load_arrays(path)
    missing = _NEEDED - set(arrays)
    if missing:
        raise DataError(
            f"{path} lacks {', '.join(sorted(missing))}; delete it and run correspond again"
        )
    return arrays


def read_reference(results: Path, anatomy: str) -> Reference:
    """Read the surface that grooming aligned all others of an anatomy to.

    Raises:
        DataError: If ``groom/alignment/{anatomy}.json`` or the surface is damaged.
    """
    path = results / "groom" / "alignment" / f"{anatomy}.json"
    alignment = read_json(path, "reference", "reference_anatomy", "reflected")
    side, reflected = str(alignment["reference_anatomy"]), bool(alignment["reflected"])
    surface = results / "groom" / "surfaces" / str(alignment["reference"]) / f"{side}.vtp"
    return Reference(meshes.read(surface), reflected != (side != anatomy), reflected)


def read_fit_model(results: Path, anatomy: str, config: AlignmentConfig, vertices: int) -> FitModel:
    """Read what a run fits new shapes of an anatomy to: nothing of its validation or test subjects.

    Where the engine registered nothing (ShapeWorks), the template stands for the population.

    Args:
        results: Results folder of the run.
        anatomy: Which one.
        config: How shapes are aligned.
        vertices: Of the mesh that is registered where the engine has none, about.

    Raises:
        DataError: If a file is damaged or lacks something.
    """
    model, reference = read_frozen_arrays(results, anatomy), read_reference(results, anatomy)
    if registers(model):
        return pipelines_own(model, reference, config)
    template = results / "template" / f"{anatomy}.vtp"
    subject = str(read_json(template.with_suffix(".json"), "subject")["subject"])
    train = load_set(results / "correspond" / f"{anatomy}.npz").of_split("train")
    own = train.local[train.row(subject)]
    surface, reflected = meshes.read(template), reference.reflected
    return registered_by(surface, own, model, config, vertices, reflected=reflected)
