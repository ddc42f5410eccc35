"""Baseline ``mean_shape``: the training split's mean at the center that a model predicted."""

import logging
from pathlib import Path

from massm.geometry.boxes import box_of
from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes
from massm.stages._command import stage_main
from massm.tensors.reference_models import mean_shape_at
from massm.tensors.template import load_template

log = logging.getLogger(__name__)

_SHAPES = {"anatomies": "K", "score": "K", "present": "K", "center": "K 3"}


def run(*, predictions: list[Path], template: Path, output: Path) -> None:
    """Write ``{subject}.npz`` with the mean shape for each prediction of the model.

    Presence, score and center are the model's; the radius is that of the mean shape. Its world
    particles are the mean's, whichever world head they are compared with.

    Args:
        predictions: ``predict/massm/{subject}.npz``.
        template: ``tensors/template.safetensors``.
        output: Folder ``predict/mean_shape``.
    """
    shapes = load_template(template)
    mean_local, mean_world = shapes.mean_local.numpy(), shapes.mean_world.numpy()
    for path in predictions:
        found = load_arrays(path)
        refuse_other_shapes(found, _SHAPES, path, "run predict again")
        local = mean_shape_at(mean_local.astype(float), found["center"])
        center, radius = box_of(local)
        there = found["present"][:, None, None]
        save_arrays(
            {
                "anatomies": found["anatomies"],
                "score": found["score"],
                "present": found["present"],
                "center": center,
                "radius": radius,
                "local": local,
                "world_mean": there * mean_world.astype(float) + 0 * local,
            },
            output / path.name,
        )
    log.info("mean shape placed for %d subjects", len(predictions))


if __name__ == "__main__":
    stage_main(run)
