"""Reconstruct what a model predicted: particles in, closed surfaces out."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.io import predictions as files
from massm.io.errors import DataError
from massm.io.tables import write_table
from massm.reconstruct.from_particles import Warp, load_warp, write_surface
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_COLUMNS = ["model", "subject", "anatomy", "head", "surface", "folded", "crossing"]


def run(
    *,
    model: str,
    predictions: list[Path],
    warps: list[Path],
    results: Path,
    index: Path,
) -> None:
    """Write the local surface and one world surface for each world head of every found anatomy.

    Args:
        model: Name of the model.
        predictions: ``predict/{model}/{subject}.npz``, one for each subject.
        warps: ``reconstruct/warp/{anatomy}.npz``.
        results: Results folder; surfaces go to ``reconstruct/{model}/{subject}/``.
        index: Table of the surfaces.
    """
    library = {path.stem: load_warp(path) for path in warps}
    folder = results / "reconstruct" / model
    records: list[dict[str, object]] = []
    for done, path in enumerate(sorted(predictions), start=1):
        before = len(records)
        for anatomy, head, particles in _found(path):
            name = anatomy if head == "local" else f"{anatomy}-world_{head}"
            target = folder / path.stem / f"{name}.vtp"
            described = f"{path.stem} {anatomy} {head}"
            flaws = write_surface(_warp(library, anatomy), particles, target, described)
            row = {"model": model, "subject": path.stem, "anatomy": anatomy, "head": head}
            records.append({**row, "surface": str(target.relative_to(results)), **flaws})
        crossing = sum(int(bool(row["crossing"])) for row in records[before:])
        log.info(
            "%d/%d %s: %d surfaces, %d cross themselves",
            *(done, len(predictions), path.stem, len(records) - before, crossing),
        )
    write_table(pd.DataFrame(records, columns=_COLUMNS), index)


def _found(path: Path) -> Iterator[tuple[str, str, Float[np.ndarray, "M 3"]]]:
    """List the particles of the anatomies that the model found, with the head that made them."""
    prediction = files.read(path)
    for anatomy in prediction.found:
        local = prediction.local_of(anatomy)
        if local is not None:
            yield anatomy, "local", local
        for head, particles in prediction.world_of(anatomy).items():
            yield anatomy, head, particles


def _warp(library: dict[str, Warp], anatomy: str) -> Warp:
    try:
        return library[anatomy]
    except KeyError:
        raise DataError(
            f"the prediction holds {anatomy}, for which there is no warp; "
            f"there are {', '.join(sorted(library))}"
        ) from None


if __name__ == "__main__":
    stage_main(run)
