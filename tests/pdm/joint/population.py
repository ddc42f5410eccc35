"""A population of low rank: the tests know its mean, its directions and its noise."""

from dataclasses import dataclass, replace

import numpy as np

from massm.pdm.joint.blocks import BlockSet

NAMES = ("liver", "spleen", "kidney")
COUNTS = (20, 12, 30)
NOISE = 0.05
RANK = 3


@dataclass(frozen=True)
class Population:
    """Subjects with all anatomies.

    Attributes:
        blocks: Their particles.
        mean: Mean particles.
        directions: Displacement for a unit score.
    """

    blocks: BlockSet
    mean: np.ndarray
    directions: np.ndarray

    def with_gaps(self) -> BlockSet:
        """A third of the subjects lack one anatomy or two."""
        points = self.blocks.points.copy()
        slices = list(self.blocks.slices.values())
        for row in range(0, len(points), 3):
            points[row, slices[row % 4 % 3]] = np.nan
            if row % 2:
                points[row, slices[(row % 4 + 1) % 3]] = np.nan
        return replace(self.blocks, points=points)


def make_population(subjects: int = 40, seed: int = 0) -> Population:
    """Draw scores; all anatomies follow them."""
    rng = np.random.default_rng(seed)
    total = sum(COUNTS)
    mean = 20 * rng.normal(size=(total, 3))
    directions = rng.normal(size=(RANK, total, 3)) * np.array([3, 2, 1])[:, None, None]
    scores = rng.normal(size=(subjects, RANK))
    points = mean + np.einsum("nq,qta->nta", scores, directions)
    points += NOISE * rng.normal(size=points.shape)
    names = tuple(f"s{row:02d}" for row in range(subjects))
    return Population(BlockSet(NAMES, COUNTS, names, points), mean, directions)
