"""What export stores beside the image, and the statistics that it takes of all images."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from massm.config.tensors import ContrastConfig
from massm.geometry.boxes import box_of
from massm.geometry.particles import ParticleSet
from massm.tensors.preprocessing import Intensity

PRESENT, ABSENT, UNKNOWN = 1, 0, -1


def shape_arrays(
    subject: str,
    particles: Mapping[str, ParticleSet],
    status: Mapping[str, str],
    anatomies: Sequence[str],
) -> dict[str, np.ndarray]:
    """Collect what is known about each anatomy of a subject.

    Args:
        subject: Name.
        particles: Correspondence of each anatomy.
        status: Of each anatomy in the cohort table: used, absent or excluded.
        anatomies: Their order.

    Returns:
        ``presence``, ``center``, ``radius``, ``local`` and ``world``. An anatomy that is known to
        be there but has no particles (its surface failed) counts as unknown: it has no box.
    """
    count = next(iter(particles.values())).local.shape[1]
    presence = np.full(len(anatomies), UNKNOWN, np.int8)
    center, radius = (np.full((len(anatomies), 3), np.nan) for _ in range(2))
    local, world = (np.full((len(anatomies), count, 3), np.nan, np.float32) for _ in range(2))
    for k, anatomy in enumerate(anatomies):
        found = particles[anatomy]
        if status.get(anatomy) == "absent":
            presence[k] = ABSENT
        elif status.get(anatomy) == "used" and subject in found.subjects:
            row = found.row(subject)
            presence[k] = PRESENT
            center[k], radius[k] = box_of(found.local[row])
            local[k], world[k] = found.local[row], found.world[row]
    return {
        "presence": presence,
        "center": center,
        "radius": radius,
        "local": local,
        "world": world,
    }


def histogram(image: np.ndarray, padding_hu: float) -> Float[np.ndarray, " 65536"]:
    """Count the values of an int16 image above the padding value, for ``intensity_of``."""
    inside = image[image > padding_hu].astype(np.int64)
    return np.bincount(inside.ravel() + 32768, minlength=65536).astype(float)


def intensity_of(
    counts: Float[np.ndarray, " 65536"],
    percentiles: tuple[float, float],
    contrast: ContrastConfig | None,
) -> Intensity:
    """Return clip limits, mean and standard deviation of counted int16 values.

    Counts of many images add up, so the statistics of a cohort need the memory of one image.

    Raises:
        ValueError: If nothing was counted.
    """
    total = counts.sum()
    if total == 0:
        raise ValueError("no training voxel lies above the padding value; are the images in HU?")
    hu = np.arange(-32768, 32768, dtype=float)
    share = np.cumsum(counts) / total * 100
    low, high = (float(hu[np.searchsorted(share, max(p, 1e-9))]) for p in percentiles)
    clipped = hu.clip(low, high)
    values = clipped
    if contrast is not None:
        values = np.arcsinh((clipped - contrast.center_hu) / contrast.width_hu)
    mean = float((values * counts).sum() / total)
    std = float(np.sqrt((np.square(values - mean) * counts).sum() / total))
    return Intensity(
        low=low,
        high=high,
        mean_hu=float((clipped * counts).sum() / total),
        mean=mean,
        std=max(std, 1e-3),
        center_hu=contrast.center_hu if contrast else None,
        width_hu=contrast.width_hu if contrast else None,
    )
