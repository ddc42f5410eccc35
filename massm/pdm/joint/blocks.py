"""The particles of several anatomies of the same subjects, one block for each anatomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from massm.geometry.particles import ParticleSet


@dataclass(frozen=True)
class BlockSet:
    """Subjects as concatenations of their anatomies' particles; T particles in all.

    Attributes:
        anatomies: Names, K of them, in the order of the concatenation.
        particles: Particles of each anatomy.
        subjects: Names, one for each row.
        points: Particles, mm; NaN where a subject lacks the anatomy.
    """

    anatomies: tuple[str, ...]
    particles: tuple[int, ...]
    subjects: tuple[str, ...]
    points: Float[np.ndarray, "N T 3"]

    def __post_init__(self) -> None:
        """Refuse subjects without any anatomy, and anatomies of which only a part is there."""
        if self.points.shape[:2] != (len(self.subjects), sum(self.particles)):
            raise ValueError(
                f"{self.points.shape[:2]} subjects and particles, expected "
                f"{(len(self.subjects), sum(self.particles))}"
            )
        finite = np.isfinite(self.points).all(-1)
        for subject, row in zip(self.subjects, finite, strict=True):
            if not row.any():
                raise ValueError(f"{subject} has none of {', '.join(self.anatomies)}")
            for anatomy, part in self.slices.items():
                if row[part].any() and not row[part].all():
                    raise ValueError(f"{subject}: {anatomy} has particles that are not finite")

    @property
    def slices(self) -> dict[str, slice]:
        """Where the particles of each anatomy stand."""
        ends = np.cumsum(self.particles)
        return {
            anatomy: slice(int(end) - count, int(end))
            for anatomy, count, end in zip(self.anatomies, self.particles, ends, strict=True)
        }

    @property
    def present(self) -> Bool[np.ndarray, "N K"]:
        """Which anatomies each subject has."""
        firsts = [part.start for part in self.slices.values()]
        return np.asarray(np.isfinite(self.points[:, firsts, 0]))

    def of(self, anatomy: str) -> Float[np.ndarray, "N M 3"]:
        """Take the particles of one anatomy; NaN where a subject lacks it."""
        return self.points[:, self.slices[anatomy]]

    def having(self, anatomy: str) -> Bool[np.ndarray, " N"]:
        """Tell which subjects have an anatomy."""
        return self.present[:, self.anatomies.index(anatomy)]

    def take(self, rows: Sequence[int] | np.ndarray) -> "BlockSet":
        """Take subjects by number."""
        names = tuple(self.subjects[row] for row in rows)
        return replace(self, subjects=names, points=self.points[np.asarray(rows, int)])

    def hide(self, anatomy: str) -> "BlockSet":
        """Take an anatomy away from all subjects.

        Raises:
            ValueError: If a subject has no other.
        """
        points = self.points.copy()
        points[:, self.slices[anatomy]] = np.nan
        return replace(self, points=points)

    def moved(self, transforms: Float[np.ndarray, "N 4 4"]) -> "BlockSet":
        """Move each subject by its matrix."""
        turned = self.points @ transforms[:, :3, :3].transpose(0, 2, 1)
        return replace(self, points=turned + transforms[:, None, :3, 3])


def join_blocks(
    sets: Mapping[str, ParticleSet], kind: Literal["local", "world"], split: str | None = None
) -> BlockSet:
    """Put the particles of several anatomies together, subject by subject.

    Args:
        sets: Particles by anatomy.
        kind: ``local`` particles lie in the image frame, where anatomies keep their places;
            ``world`` particles in the aligned frame of their own anatomy.
        split: Take the subjects of one split alone.
    """
    parts = {
        name: found if split is None else found.of_split(split) for name, found in sets.items()
    }
    subjects = tuple(sorted({subject for part in parts.values() for subject in part.subjects}))
    blocks = []
    for part in parts.values():
        block = np.full((len(subjects), part.world.shape[1], 3), np.nan)
        rows = [subjects.index(subject) for subject in part.subjects]
        block[rows] = part.local if kind == "local" else part.world
        blocks.append(block)
    counts = tuple(block.shape[1] for block in blocks)
    return BlockSet(tuple(parts), counts, subjects, np.concatenate(blocks, 1))
