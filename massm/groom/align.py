"""Bring the surfaces of one anatomy into a common pose."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from massm.config.groom import AlignmentConfig
from massm.geometry.alignment import fit_similarity
from massm.geometry.frames import MIRROR
from massm.groom.cloud import Cloud
from massm.groom.reference import choose_reference

_TARGET_POINTS = 4  # the side that is searched is this many times denser than the side that asks


@dataclass(frozen=True)
class Alignment:
    """Rigid transforms of one anatomy's surfaces.

    Attributes:
        reference: Subject whose surface, centered at the origin, defines the aligned frame.
        by_contralateral: Whether it is that subject's surface of the anatomy of the other side.
        reflected: Whether the transforms mirror left to right.
        transforms: Matrices from image space to the aligned frame, by subject.
        residuals: Mean distance to the reference afterwards, mm, by subject.
    """

    reference: str
    by_contralateral: bool
    reflected: bool
    transforms: dict[str, Float[np.ndarray, "4 4"]]
    residuals: dict[str, float]


def points_needed(config: AlignmentConfig) -> int:
    """Tell how many points a cloud for :func:`align_all` needs."""
    return _TARGET_POINTS * config.points


def align_all(
    clouds: Mapping[str, Cloud],
    training: set[str],
    config: AlignmentConfig,
    *,
    reflect: bool = False,
    contralateral: Mapping[str, Cloud] | None = None,
) -> Alignment:
    """Choose a reference among the training subjects and align every surface to it.

    Two anatomies that are pooled, each given as the other's contralateral one, come to the same
    reference: what they are aligned to, of a subject's left or right side, is chosen among both.

    Args:
        clouds: Points of every surface in image space, by subject.
        training: Subjects of the training split; no other one has a say in the reference.
        config: How to align.
        reflect: Mirror all surfaces first.
        contralateral: Surfaces of training subjects of the anatomy of the other side that this one
            is pooled with, in image space; they are mirrored where these are not.
    """
    start, other = (MIRROR, np.eye(4)) if reflect else (np.eye(4), MIRROR)
    posed = {name: cloud.moved(start) for name, cloud in sorted(clouds.items())}
    candidates = {(name, reflect): posed[name] for name in posed if name in training}
    for name, cloud in (contralateral or {}).items():
        candidates[name, not reflect] = cloud.moved(other)
    chosen = choose_reference(candidates, candidates=config.reference_candidates)
    target = candidates[chosen].moved(_shift(-candidates[chosen].center))

    transforms, residuals = {}, {}
    for name, cloud in posed.items():
        moving = _shift(-cloud.center)
        if (name, reflect) != chosen:
            moving = align(cloud.moved(moving), target, config) @ moving
        transforms[name] = moving @ start
        residuals[name] = _residual(cloud.moved(moving), target, config.points)
    return Alignment(chosen[0], chosen[1] != reflect, reflect, transforms, residuals)


def align(source: Cloud, target: Cloud, config: AlignmentConfig) -> Float[np.ndarray, "4 4"]:
    """Align one centered surface to another rigidly by iterated closest points.

    Besl and McKay, "A method for registration of 3-D shapes", IEEE TPAMI 14(2), 1992, with pairs
    from both directions, pairs of opposite normals refused and the farthest left out (Chetverikov
    et al., "The trimmed iterative closest point algorithm", ICPR 2002). Patients lie in the
    scanner in one way, so the start is no turn at all, and the turn is held under a limit: round
    anatomies cannot roll over.

    Args:
        source: The surface to move, centered at the origin.
        target: The reference, centered at the origin.
        config: Number of points and passes, trimming and limit.

    Returns:
        The matrix that carries source to target; its rotation is proper.
    """
    count = config.points
    source_tree, target_tree = cKDTree(source.points), cKDTree(target.points)
    lever = float(np.sqrt(np.square(source.points).sum(1).mean()))
    matrix = np.eye(4)
    for _ in range(config.iterations):
        moved = source.moved(matrix)
        _, near = target_tree.query(moved.points[:count])
        inverse = np.linalg.inv(matrix)
        _, back = source_tree.query(target.points[:count] @ inverse[:3, :3].T + inverse[:3, 3])
        own = np.concatenate([np.arange(count), back])
        other = np.concatenate([near, np.arange(count)])
        kept = _good_pairs(moved, target, own, other, config.trim)
        update = _fit(source.points[own[kept]], target.points[other[kept]], config.max_rotation_deg)
        moves = np.abs(update - matrix)
        matrix = update
        if moves[:3, :3].max() * lever + moves[:3, 3].max() < config.tolerance_mm:
            break
    return matrix


def _good_pairs(
    moved: Cloud, target: Cloud, own: np.ndarray, other: np.ndarray, trim: float
) -> np.ndarray:
    facing = (moved.normals[own] * target.normals[other]).sum(1) > 0
    if facing.sum() < 0.1 * len(own):  # such different shapes have no normals in common
        facing[:] = True
    apart = np.linalg.norm(moved.points[own] - target.points[other], axis=1)
    limit = np.quantile(apart[facing], 1 - trim)
    return np.flatnonzero(facing & (apart <= limit))


def _fit(source: np.ndarray, target: np.ndarray, max_rotation_deg: float) -> np.ndarray:
    """Fit a rigid transform; shorten a turn beyond the limit."""
    fit = fit_similarity(torch.from_numpy(source), torch.from_numpy(target), allow_scale=False)
    turn = Rotation.from_matrix(fit.rotation.numpy())
    angle = turn.magnitude()
    limit = np.deg2rad(max_rotation_deg)
    if angle > limit:
        turn = Rotation.from_rotvec(turn.as_rotvec() * (limit / angle))
    matrix = np.eye(4)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = target.mean(0) - matrix[:3, :3] @ source.mean(0)
    return matrix


def _residual(moved: Cloud, target: Cloud, count: int) -> float:
    there, _ = cKDTree(target.points).query(moved.points[:count])
    back, _ = cKDTree(moved.points).query(target.points[:count])
    return float(there.mean() + back.mean()) / 2


def _shift(by: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix
