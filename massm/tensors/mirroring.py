"""A subject as in a mirror: another patient, whose left anatomies are the right ones of this one.

What a network learns from grows to twice as much. A mirrored scan alone would not do: particles
keep their places on an anatomy, so the mirrored shape of one side needs the particles of the other
side's model on it (:mod:`massm.stages.tensors_mirrored`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Real
from torch import Tensor

from massm.tensors.images import Scan
from massm.tensors.labels import Labels


def partners(anatomies: Sequence[str], pairs: Mapping[str, str]) -> list[int]:
    """Say which anatomy each is in a mirror; of one that is in no pair, it is the same.

    Args:
        anatomies: Their order.
        pairs: Of one anatomy of each pair, in either order, the other.
    """
    other = {**pairs, **{right: left for left, right in pairs.items()}}
    return [anatomies.index(other.get(name, name)) for name in anatomies]


def mirrored_file(tensors: Path, subject: str) -> Path:
    """Name the file of what is known of a subject in a mirror."""
    return tensors / "mirrored" / f"{subject}.safetensors"


def mirrored_scan(scan: Scan, spacing_mm: float, fine_spacing_mm: float | None) -> Scan:
    """Mirror the images across the sagittal plane x = 0 of the image frame.

    Args:
        scan: As stored, not augmented.
        spacing_mm: Voxel size of the network grid.
        fine_spacing_mm: Voxel size of the finer image, if there is one.

    Raises:
        ValueError: If the subject is augmented: its warp is not mirrored.
    """
    if scan.warp is not None:
        raise ValueError("an augmented subject is not mirrored; mirror it before")
    image, origin = _flipped(scan.image, scan.origin, spacing_mm)
    seen = replace(scan, image=image, origin=origin)
    if scan.fine is None or scan.fine_origin is None or fine_spacing_mm is None:
        return seen
    fine, fine_origin = _flipped(scan.fine, scan.fine_origin, fine_spacing_mm)
    return replace(seen, fine=fine, fine_origin=fine_origin)


def mirrored_labels(labels: Labels, partner: Sequence[int]) -> Labels:
    """Mirror labels, and give the voxels of each anatomy to the one it is in a mirror.

    Args:
        labels: Of K anatomies.
        partner: Of each of them, see :func:`partners`.
    """
    values, origin = _flipped(labels.values, labels.origin, labels.spacing_mm)
    number = values.new_zeros(len(partner) + 1)
    number[1:] = torch.tensor(partner, dtype=number.dtype) + 1
    return replace(
        labels, values=number[values.long()], origin=origin, known=labels.known[list(partner)]
    )


def _flipped(
    values: Real[Tensor, "D H W"], origin: Tensor, spacing_mm: float
) -> tuple[Real[Tensor, "D H W"], Tensor]:
    last = values.shape[2] - 1
    turned = origin.clone()
    turned[0] = -(origin[0] + last * spacing_mm)
    return values.flip(2), turned
