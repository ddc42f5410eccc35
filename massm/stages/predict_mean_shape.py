"""Baseline ``mean_shape``: the training split's mean at the center that a model predicted."""

import logging
from pathlib import Path

from massm.io import predictions as files
from massm.io.errors import DataError
from massm.stages._command import stage_main
from massm.tensors.reference_models import mean_shape_prediction
from massm.tensors.template import load_template

log = logging.getLogger(__name__)


def run(*, predictions: list[Path], template: Path, output: Path) -> None:
    """Write ``{subject}.npz`` with the mean shape for each prediction of the model.

    Args:
        predictions: ``predict/massm/{subject}.npz``.
        template: ``tensors/template.safetensors``.
        output: Folder ``predict/mean_shape``.

    Raises:
        DataError: If the model gives no boxes, so that there is no center.
    """
    shapes = load_template(template)
    mean_local, mean_world = (
        mean.numpy().astype(float) for mean in (shapes.mean_local, shapes.mean_world)
    )
    for path in predictions:
        found = files.read(path)
        if found.boxes is None:
            raise DataError(f"{path} has no boxes, in whose centers the mean shape would stand")
        placed = mean_shape_prediction(found, found.boxes, mean_local, mean_world)
        files.write(placed, output / path.name)
    log.info("mean shape placed for %d subjects", len(predictions))


if __name__ == "__main__":
    stage_main(run)
