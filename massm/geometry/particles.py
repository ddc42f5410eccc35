"""Particles of many subjects in correspondence."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class ParticleSet:
    """Local and world particles of one anatomy; particle j is the same place on every subject.

    Attributes:
        subjects: Names, one for each row.
        splits: ``train``, ``validation`` or ``test``, one for each row.
        local: Particles in the image frame of each subject, LPS mm.
        world: The same particles in the aligned frame of the population, mm.
        transforms: Matrices that carry local to world.
    """

    subjects: tuple[str, ...]
    splits: tuple[str, ...]
    local: Float[np.ndarray, "N M 3"]
    world: Float[np.ndarray, "N M 3"]
    transforms: Float[np.ndarray, "N 4 4"]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        count, particles = self.local.shape[:2]
        if len(set(self.subjects)) != len(self.subjects):
            raise ValueError("a subject occurs twice in the particle set")
        expected = {
            "subjects": (len(self.subjects), count),
            "splits": (len(self.splits), count),
            "world": (self.world.shape, (count, particles, 3)),
            "transforms": (self.transforms.shape, (count, 4, 4)),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                raise ValueError(f"particle set: {name} has {found}, expected {wanted}")

    def row(self, subject: str) -> int:
        """Find the row of a subject.

        Raises:
            KeyError: If the subject is not in the set.
        """
        try:
            return self.subjects.index(subject)
        except ValueError:
            raise KeyError(f"{subject} has no particles in this set") from None

    def of_split(self, split: str) -> "ParticleSet":
        """Take the rows of one split, in their order."""
        return self.take([i for i, found in enumerate(self.splits) if found == split])

    def take(self, rows: list[int]) -> "ParticleSet":
        """Take rows by number."""
        return ParticleSet(
            tuple(self.subjects[i] for i in rows),
            tuple(self.splits[i] for i in rows),
            self.local[rows],
            self.world[rows],
            self.transforms[rows],
        )
