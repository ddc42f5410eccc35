"""Groomed surfaces of one anatomy, in its aligned frame: what particles are placed on."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.documents import read_json
from massm.io.tables import read_table

log = logging.getLogger(__name__)


class GroomedShapes(NamedTuple):
    """Surfaces of some subjects.

    Attributes:
        names: Subjects; in a population of several anatomies ``subject/anatomy``.
        splits: Split of each name.
        files: File of each surface, image frame.
        surfaces: In the aligned frame, mm, in the order of ``names``.
        alignments: Matrix of each from image to aligned frame.
    """

    names: list[str]
    splits: dict[str, str]
    files: dict[str, Path]
    surfaces: list[Mesh]
    alignments: dict[str, Float[np.ndarray, "4 4"]]

    def surfaces_of(self, names: Sequence[str]) -> list[Mesh]:
        """Take the surfaces of some names, in their order."""
        return [self.surfaces[self.names.index(name)] for name in names]

    def add(self, name: str, split: str, file: Path, surface: Mesh, alignment: np.ndarray) -> None:
        """Add a surface that is in the aligned frame already."""
        self.names.append(name)
        self.splits[name] = split
        self.files[name] = file
        self.surfaces.append(surface)
        self.alignments[name] = alignment


def no_shapes() -> GroomedShapes:
    """Begin without any."""
    return GroomedShapes([], {}, {}, [], {})


class Member(NamedTuple):
    """An anatomy of a population.

    Attributes:
        anatomy: Its name.
        training: Surfaces of the training split.
        others: Those of all other splits.
    """

    anatomy: str
    training: GroomedShapes
    others: GroomedShapes


def read_member(anatomy: str, index: Sequence[Path], alignment: Path, results: Path) -> Member:
    """Read the groomed surfaces of one anatomy, and move them to its aligned frame.

    Subjects that could not be aligned are left out with a warning.

    Args:
        anatomy: Which one.
        index: Tables of the groomed batches.
        alignment: ``groom/alignment/{anatomy}.json``.
        results: Folder that the tables' paths start from.

    Raises:
        DataError: If a file is missing or damaged.
    """
    table = pd.concat([read_table(path) for path in index], ignore_index=True)
    rows = table[(table.anatomy == anatomy) & (table.status == "groomed")].sort_values("subject")
    transforms = read_json(alignment, "transforms")["transforms"]
    member = Member(anatomy, no_shapes(), no_shapes())
    for row in rows.to_dict("records"):
        if row["subject"] not in transforms:
            log.warning("%s: %s was not aligned and is left out", anatomy, row["subject"])
            continue
        shapes = member.training if row["split"] == "train" else member.others
        _read_into(shapes, row, np.array(transforms[row["subject"]], float).reshape(4, 4), results)
    return member


def _read_into(
    shapes: GroomedShapes, row: Mapping[Hashable, Any], alignment: np.ndarray, results: Path
) -> None:
    file = results / row["surface"]
    surface = meshes.read(file).transformed(alignment)
    shapes.add(row["subject"], row["split"], file, surface, alignment)
