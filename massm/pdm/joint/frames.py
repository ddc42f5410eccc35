"""The frame that a subject's anatomies are put into: each into its own, or all into one.

In *world* frames every anatomy has been aligned on its own: a joint model of such particles relates
shapes. In one *body* frame anatomies keep their places to each other: it relates poses too.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float

from massm.pdm.joint.blocks import BlockSet

PASSES = 200
TOLERANCE = 1e-9


class JointFrame(Protocol):
    """A way to make subjects comparable; learned from training subjects."""

    def place(self, blocks: BlockSet) -> Float[np.ndarray, "N 4 4"]:
        """Find the matrix that carries each subject's present anatomies into the frame."""
        ...


class WorldFrames:
    """World particles are aligned already: nothing moves."""

    def place(self, blocks: BlockSet) -> Float[np.ndarray, "N 4 4"]:
        """Leave all subjects where they are."""
        return np.tile(np.eye(4), (len(blocks.subjects), 1, 1))


class BodyFrame:
    """One frame for all anatomies: generalized Procrustes alignment of their concatenation.

    Gower, "Generalized Procrustes analysis", Psychometrika 40, 1975, over the anatomies that are
    there: subjects are moved rigidly onto the mean of all, which is taken anew, anatomy by anatomy,
    from those that have it, until it rests. Every anatomy weighs the same, however many particles
    it has. The mean is centered, and the mean rotation of the training subjects is the identity.
    """

    def __init__(self, training: BlockSet) -> None:
        """Align the training subjects.

        Args:
            training: Local particles, mm, image frame of each subject.

        Raises:
            ValueError: If some anatomies occur together with the others in no subject.
        """
        self._weights = np.concatenate([np.full(m, 1 / m) for m in training.particles])
        self.mean = _first_mean(training, self._weights)
        for _ in range(PASSES):
            moved = training.moved(self.place(training)).points
            mean = np.nanmean(moved, 0)
            change = np.abs(mean - self.mean).max() / np.abs(mean - mean.mean(0)).max()
            self.mean = mean
            if change < TOLERANCE:
                break
        self._settle(self.place(training)[:, :3, :3].mean(0))

    def _settle(self, rotation: Float[np.ndarray, "3 3"]) -> None:
        u, _, v_transposed = np.linalg.svd(rotation)
        center = self._weights @ self.mean / self._weights.sum()
        self.mean = (self.mean - center) @ (u @ v_transposed)

    def place(self, blocks: BlockSet) -> Float[np.ndarray, "N 4 4"]:
        """Align each subject's present anatomies to the mean, rigidly."""
        found = [_fit_rigid(points, self.mean, self._weights) for points in blocks.points]
        return np.array(found).reshape(-1, 4, 4)


def _first_mean(training: BlockSet, weights: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T 3"]:
    """Take a subject that has most anatomies; add the others' as they can be placed beside it."""
    counts = training.present.sum(1)
    first = min(
        range(len(counts)), key=lambda row: (-counts[row], training.subjects[row])
    )  # any order of the subjects gives the same
    mean = training.points[first].copy()
    while np.isnan(mean).any():
        known = np.isfinite(mean[:, 0])
        able = _overlapping(training, known)
        added = np.full_like(training.points[able], np.nan)
        for row, points in enumerate(training.points[able]):
            matrix = _fit_rigid(points, mean, weights)
            added[row] = points @ matrix[:3, :3].T + matrix[:3, 3]
        new = np.isfinite(added[..., 0]).any(0) & ~known
        if not new.any():
            names = [a for a, part in training.slices.items() if not known[part.start]]
            raise ValueError(
                f"no subject has {', '.join(names)} together with any of the other anatomies: "
                "their pose to each other is unknown"
            )
        mean[new] = np.nanmean(added[:, new], 0)
    return np.asarray(mean)


def _overlapping(training: BlockSet, known: Bool[np.ndarray, " T"]) -> Bool[np.ndarray, " N"]:
    return np.asarray((np.isfinite(training.points[..., 0]) & known).any(1))


def _fit_rigid(
    points: Float[np.ndarray, "T 3"],
    target: Float[np.ndarray, "T 3"],
    weights: Float[np.ndarray, " T"],
) -> Float[np.ndarray, "4 4"]:
    """Find the proper rigid motion of least weighted squared error, over what both have.

    Umeyama, IEEE TPAMI 13(4), 1991, Eq. (40), (41), with weights and without scale.
    """
    both = np.isfinite(points[:, 0]) & np.isfinite(target[:, 0])
    weight = weights[both] / weights[both].sum()
    source_mean, target_mean = weight @ points[both], weight @ target[both]
    covariance = (target[both] - target_mean).T @ (weight[:, None] * (points[both] - source_mean))
    u, _, v_transposed = np.linalg.svd(covariance)
    u[:, 2] *= np.sign(np.linalg.det(u @ v_transposed))
    matrix = np.eye(4)
    matrix[:3, :3] = u @ v_transposed
    matrix[:3, 3] = target_mean - matrix[:3, :3] @ source_mean
    return matrix


Kind = Literal["local", "world"]
FRAMES: dict[bool, tuple[Kind, Callable[[BlockSet], JointFrame]]] = {
    True: ("local", BodyFrame),
    False: ("world", lambda _: WorldFrames()),
}
"""With pose and without: which particles are taken, and how their frame is learned."""
