"""Reconstruct what a model predicted: particles or masks in, closed surfaces out."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from massm.config.groom import SurfaceConfig
from massm.io import predictions as files
from massm.io.tables import write_table
from massm.reconstruct.from_particles import load_warp
from massm.reconstruct.parts import Part, parts_of, surface_name, write_part
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_COLUMNS = ["model", "subject", "anatomy", "head", "surface", "folded", "crossing", "pieces"]


def run(
    *,
    model: str,
    predictions: list[Path],
    warps: list[Path],
    results: Path,
    index: Path,
    surface: SurfaceConfig | None = None,
) -> None:
    """Write the local surface and one world surface for each world head of every found anatomy.

    Where a model says how likely each voxel belongs to an anatomy, ``{anatomy}-raw.vtp`` is the
    surface of all pieces, and the column ``pieces`` tells how many there are; 1 for all others.

    Args:
        model: Name of the model.
        predictions: ``predict/{model}/{subject}.npz``, one for each subject.
        warps: ``reconstruct/warp/{anatomy}.npz``.
        results: Results folder; surfaces go to ``reconstruct/{model}/{subject}/``.
        index: Table of the surfaces.
        surface: How masks were groomed, for models that predict masks.
    """
    library = {path.stem: load_warp(path) for path in warps}
    folder = results / "reconstruct" / model
    folder.mkdir(parents=True, exist_ok=True)
    records: list[dict[str, object]] = []
    for done, path in enumerate(sorted(predictions), start=1):
        before = len(records)
        for anatomy, head, part in _found(path):
            target = folder / path.stem / surface_name(anatomy, head)
            described = f"{path.stem} {anatomy} {head}"
            flaws = write_part(part, target, described, library.get(anatomy), surface)
            row = {"model": model, "subject": path.stem, "anatomy": anatomy, "head": head}
            name = str(target.relative_to(results))
            records.append({**row, "surface": name, "pieces": 1, **flaws})
        crossing = sum(int(bool(row["crossing"])) for row in records[before:])
        log.info(
            "%d/%d %s: %d surfaces, %d cross themselves",
            *(done, len(predictions), path.stem, len(records) - before, crossing),
        )
    write_table(pd.DataFrame(records, columns=_COLUMNS), index)


def _found(path: Path) -> Iterator[tuple[str, str, Part]]:
    """List what makes surfaces of the anatomies that were found, with the head that said it."""
    prediction = files.read(path)
    for anatomy in prediction.found:
        for head, part in parts_of(prediction, anatomy).items():
            yield anatomy, head, part


if __name__ == "__main__":
    stage_main(run)
