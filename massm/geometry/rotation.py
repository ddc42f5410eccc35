"""Nearest rotations of many small matrices at once."""

import torch
from jaxtyping import Float
from torch import Tensor

STEPS = 20
"""Newton's steps to the largest eigenvalue; they close in from above, at last quadratically."""

NEARLY_DOUBLE = 1e-4
"""Gap to the next eigenvalue below which the quaternion would be inexact, of a norm of one."""


def nearest_rotations(matrices: Float[Tensor, "n 3 3"]) -> Float[Tensor, "n 3 3"]:
    """Find the proper rotation R of largest ``trace(R^T A)`` for each matrix A.

    What a singular value decomposition gives (Kabsch, 1976), by quaternions: R's is the
    eigenvector to the largest eigenvalue of a symmetric 4 x 4 matrix (Horn, "Closed-form solution
    of absolute orientation using unit quaternions", 1987), a root of its characteristic polynomial
    (Theobald, "Rapid calculation of RMSDs using a quaternion-based characteristic polynomial",
    2005). Arithmetic on long arrays; decompositions one by one are left to the few matrices whose
    two largest eigenvalues are nearly the same.

    Args:
        matrices: Of any scale.

    Returns:
        Rotations, determinant +1. Where several are equally near, one of them.
    """
    scale = matrices.flatten(1).norm(dim=1).clamp(min=1e-30)
    xx, yx, zx, xy, yy, zy, xz, yz, zz = (matrices.flatten(1) / scale[:, None]).T.contiguous()
    diagonal = (xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy)
    beside = (yz - zy, zx - xz, xy - yx, xy + yx, zx + xz, yz + zy)
    minors = xx * (yy * zz - yz * zy), xy * (yx * zz - yz * zx), xz * (yx * zy - yy * zx)
    linear = -8 * (minors[0] - minors[1] + minors[2])
    _, constant = _adjugate(diagonal, beside)
    root = torch.full_like(xx, 3**0.5)  # of a matrix of norm one none is larger
    for _ in range(STEPS):
        square = root.square()
        value = ((square - 2) * root + linear) * root + constant
        slope = 4 * (square - 1) * root + linear
        root = root - value / slope.clamp(min=1e-12)
    columns, _ = _adjugate([entry - root for entry in diagonal], beside)
    length = columns.norm(dim=1)
    longest = length.argmax(0)
    quaternions = columns.gather(0, longest.expand(1, 4, -1))[0]
    gap = length.amax(0)
    rotations = _rotations(quaternions / gap.clamp(min=1e-30))
    unsure = (gap < NEARLY_DOUBLE).nonzero()[:, 0]
    if len(unsure):
        rotations[unsure] = _decomposed(matrices[unsure])
    return rotations


def _adjugate(
    diagonal: list[Tensor] | tuple[Tensor, ...], beside: tuple[Tensor, ...]
) -> tuple[Float[Tensor, "4 4 n"], Float[Tensor, " n"]]:
    """Adjugates and determinants of symmetric 4 x 4 matrices, by the 2 x 2 minors of two rows."""
    a, e, h, j = diagonal
    b, c, d, f, g, i = beside
    s0, s1, s2 = a * e - b * b, a * f - b * c, a * g - b * d
    s3, s4, s5 = b * f - e * c, b * g - e * d, c * g - f * d
    t1, t2, t3 = c * i - d * h, c * j - d * i, f * i - g * h
    t4, t5 = f * j - g * i, h * j - i * i
    r01, r02, r03 = c * t4 - b * t5 - d * t3, g * s5 - i * s4 + j * s3, h * s4 - f * s5 - i * s3
    r12, r13, r23 = i * s2 - d * s5 - j * s1, c * s5 - h * s2 + i * s1, f * s2 - c * s4 - i * s0
    entries = [
        *(e * t5 - f * t4 + g * t3, r01, r02, r03),
        *(r01, a * t5 - c * t2 + d * t1, r12, r13),
        *(r02, r12, d * s4 - g * s2 + j * s0, r23),
        *(r03, r13, r23, c * s3 - f * s1 + h * s0),
    ]
    determinant = s0 * t5 - s1 * t4 + s2 * t3 + s3 * t2 - s4 * t1 + s5 * s5
    return torch.stack(entries).unflatten(0, (4, 4)), determinant


def _rotations(quaternions: Float[Tensor, "4 n"]) -> Float[Tensor, "n 3 3"]:
    w, x, y, z = quaternions
    entries = [
        *(w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z),
    ]
    rotation: Tensor = torch.stack(entries, 1).unflatten(1, (3, 3))
    return rotation


def _decomposed(matrices: Float[Tensor, "n 3 3"]) -> Float[Tensor, "n 3 3"]:
    u, _, v_transposed = torch.linalg.svd(matrices)
    sign = torch.ones_like(u[..., 0])
    sign[..., 2] = torch.det(u @ v_transposed).sign()
    rotation: Tensor = u * sign[..., None, :] @ v_transposed
    return rotation
