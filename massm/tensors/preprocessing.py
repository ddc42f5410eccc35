"""From a CT to what a network is given: one way for export, training and prediction.

``scan_of`` carries a CT to the grids (export stores what it returns), ``images_of`` normalizes and
pads. Both need a ``Preprocessing`` alone, which the manifest and every trained model hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from massm.config.tensors import ExportConfig
from massm.geometry.volume import Volume
from massm.tensors.grid import Grid
from massm.tensors.images import Images, Scan, Sizes
from massm.tensors.resample import body_box, crop, to_grid
from massm.tensors.warp import GridWarp


@dataclass(frozen=True)
class Intensity:
    """How HU become network input; statistics of the training split.

    Attributes:
        low: HU under which values are clipped.
        high: HU above which values are clipped.
        mean_hu: Mean of the clipped values, HU.
        mean: Mean of the clipped values after the contrast curve.
        std: Standard deviation of them.
        center_hu: Center of the contrast curve ``asinh((HU - center) / width)``, HU.
        width_hu: Its width, HU; None: values are taken as they are.
    """

    low: float
    high: float
    mean_hu: float
    mean: float
    std: float
    center_hu: float | None
    width_hu: float | None

    def normalize(self, image: Tensor) -> Tensor:
        """Clip HU, apply the contrast curve, scale to zero mean and unit variance.

        Air, fat, muscle and bone lie a thousand HU apart, neighboring soft tissues twenty: on a
        linear scale that is a twentieth of a standard deviation. The curve keeps the order of all
        values and gives soft tissue most of the range.
        """
        values = image.float().clamp(self.low, self.high)
        if self.center_hu is not None and self.width_hu is not None:
            values.sub_(self.center_hu).div_(self.width_hu).asinh_()
        return values.sub_(self.mean).div_(self.std)


class Preprocessing(ExportConfig):
    """All that a CT goes through on its way to a network: grids, cropping, normalization.

    Attributes:
        intensity: Statistics of the training split.
    """

    intensity: Intensity

    @classmethod
    def of(cls, config: ExportConfig, intensity: Intensity) -> "Preprocessing":
        """Join what export was told and what was measured afterward."""
        return cls(**config.part(ExportConfig).model_dump(), intensity=intensity)

    def without_fine(self) -> "Preprocessing":
        """Return the same for a network that does not look at the finer image."""
        return self.model_copy(update={"fine_spacing_mm": None})


def scan_of(subject: str, volume: Volume, config: ExportConfig) -> Scan:
    """Carry a CT (HU, any orientation) to the grids of the network."""
    return stored_scan(subject, image_arrays(volume, config))


def image_arrays(volume: Volume, config: ExportConfig) -> dict[str, np.ndarray]:
    """Resample a CT to the network grid and, if configured, to the finer one.

    Args:
        volume: CT, HU, any orientation.
        config: Spacings, padding and cropping.

    Returns:
        ``image``, ``origin``; ``fine``, ``fine_origin``: HU and mm, as they are stored.
    """
    image = to_grid(volume, config.spacing_mm, padding_hu=config.padding_hu)
    fine = None
    if config.fine_spacing_mm is not None:
        fine = to_grid(volume, config.fine_spacing_mm, padding_hu=config.padding_hu)
    if config.crop_air_hu is not None:
        low, high = body_box(image, above_hu=config.crop_air_hu, margin_mm=config.crop_margin_mm)
        image = crop(image, low, high)
        fine = crop(fine, low, high) if fine is not None else None
    arrays: dict[str, np.ndarray] = {
        "image": image.values,
        "origin": image.origin,
    }
    if fine is not None:
        arrays["fine"] = fine.values
        arrays["fine_origin"] = fine.origin
    return arrays


def stored_scan(subject: str, arrays: Mapping[str, np.ndarray]) -> Scan:
    """Return the scan whose arrays ``image_arrays`` has made."""
    fine, fine_origin = arrays.get("fine"), arrays.get("fine_origin")
    return Scan(
        subject=subject,
        image=torch.from_numpy(arrays["image"]),
        origin=torch.from_numpy(arrays["origin"]).float(),
        fine=torch.from_numpy(fine) if fine is not None else None,
        fine_origin=torch.from_numpy(fine_origin).float() if fine_origin is not None else None,
    )


def images_of(scans: Sequence[Scan], preprocessing: Preprocessing, multiple: int) -> Images:
    """Join scans to a batch: pad each image at its far ends to one common size, normalize.

    Padding behind the last voxel leaves the origin alone. The common size is that of the largest
    subject of this batch, rounded up to a multiple of the network's stride; ``Images.sizes`` keeps
    how much of it each subject would have alone.

    Args:
        scans: The subjects.
        preprocessing: What the scans were made with, and how they are normalized.
        multiple: Every axis of the network grid becomes a multiple of this.
    """
    intensity, padding_hu = preprocessing.intensity, preprocessing.padding_hu
    images = _pad_all([scan.image for scan in scans], padding_hu, multiple)
    origin = torch.stack([scan.origin for scan in scans])
    fine = None
    if preprocessing.fine_spacing_mm is not None:
        volumes = [scan.fine for scan in scans if scan.fine is not None]
        origins = [scan.fine_origin for scan in scans if scan.fine_origin is not None]
        values = intensity.normalize(_pad_all(volumes, padding_hu, 1))
        fine = Grid(values[:, None], torch.stack(origins), preprocessing.fine_spacing_mm)
    return Images(
        subjects=tuple(scan.subject for scan in scans),
        sizes=tuple(_sizes(scan, multiple) for scan in scans),
        image=Grid(intensity.normalize(images)[:, None], origin, preprocessing.spacing_mm),
        fine=fine,
        warp=_join_warps([scan.warp for scan in scans]),
    )


def _sizes(scan: Scan, multiple: int) -> Sizes:
    return Sizes(
        image=_padded(scan.image.shape, multiple),
        fine=_padded(scan.fine.shape, 1) if scan.fine is not None else None,
        lattice=_padded(scan.warp.lattice.values.shape[2:], 1) if scan.warp else None,
        shown=_padded(scan.image.shape, 1),
    )


def _padded(shape: Sequence[int], multiple: int) -> tuple[int, int, int]:
    """Round voxel counts up to a multiple."""
    depth, height, width = (-(-count // multiple) * multiple for count in shape)
    return depth, height, width


def _pad_all(volumes: list[Tensor], value: float, multiple: int) -> Float[Tensor, "B D H W"]:
    largest = [max(volume.shape[axis] for volume in volumes) for axis in range(3)]
    common = _padded(largest, multiple)
    padded = []
    for volume in volumes:
        behind = [common[axis] - volume.shape[axis] for axis in range(3)]
        # pad counts from the last axis backward: x, then y, then z.
        padded.append(
            functional.pad(volume.float(), (0, behind[2], 0, behind[1], 0, behind[0]), value=value)
        )
    return torch.stack(padded)


def _join_warps(warps: list[GridWarp | None]) -> GridWarp | None:
    """Join warps of equal lattice size; None if no subject is warped."""
    given = [warp for warp in warps if warp is not None]
    if not given:
        return None
    if len(given) != len(warps):
        raise ValueError("either every subject of a batch is warped or none")
    values = [warp.lattice.values[0].movedim(0, -1) for warp in given]
    largest = [max(value.shape[axis] for value in values) for axis in range(3)]
    # A lattice is padded by repeating its border, which is what sampling outside gives anyway.
    padded = [
        functional.pad(
            value.movedim(-1, 0)[None],
            (
                0,
                largest[2] - value.shape[2],
                0,
                largest[1] - value.shape[1],
                0,
                largest[0] - value.shape[0],
            ),
            mode="replicate",
        )
        for value in values
    ]
    return GridWarp(
        matrix=torch.cat([warp.matrix for warp in given]),
        shift=torch.cat([warp.shift for warp in given]),
        lattice=Grid(
            torch.cat(padded),
            torch.cat([warp.lattice.origin for warp in given]),
            given[0].lattice.spacing_mm,
        ),
    )
