"""What of a prediction becomes a surface: its particles in each frame, or its mask."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from massm.config.groom import SurfaceConfig
from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction
from massm.reconstruct.from_mask import write_mask_surface, write_probability_surface
from massm.reconstruct.from_particles import Warp, write_surface


@dataclass(frozen=True)
class Probability:
    """How likely each voxel around an anatomy belongs to it, in 255ths."""

    volume: Volume


Part = np.ndarray | Volume | Probability  # particles, M x 3, or a mask

LOCAL, LABELS = "local", "labels"  # heads in the table of the surfaces; others are world heads


def parts_of(prediction: SubjectPrediction, anatomy: str) -> dict[str, Part]:
    """Return what makes surfaces of an anatomy, by the head that said it; none if it was missed.

    Particles stand for the anatomy in the image if there are any; if not, probabilities, or a mask.
    """
    parts: dict[str, Part] = {}
    local, mask = prediction.local_of(anatomy), prediction.mask_of(anatomy)
    probability = prediction.probability_of(anatomy)
    if local is not None:
        parts[LOCAL] = local
    elif probability is not None:
        parts[LABELS] = Probability(probability)
    elif mask is not None:
        parts[LABELS] = mask
    return parts | prediction.world_of(anatomy)


def surface_name(anatomy: str, head: str) -> str:
    """Name the file of a surface: in the image it is the anatomy's, in the world the head's."""
    return f"{anatomy}.vtp" if head in (LOCAL, LABELS) else f"{anatomy}-world_{head}.vtp"


def write_part(
    part: Part, path: Path, described: str, warp: Warp | None, config: SurfaceConfig | None
) -> Mapping[str, int]:
    """Make the surface of a part, write it and count its flaws.

    Args:
        part: Particles, probabilities or a mask.
        path: The ``.vtp`` to write.
        described: Subject, anatomy and head, for messages.
        warp: What particles are carried by.
        config: How masks become surfaces.

    Raises:
        DataError: If what the part needs is missing, or it makes no surface.
    """
    if isinstance(part, Volume | Probability):
        if config is None:
            raise DataError(
                f"{described}: a mask needs the section groom.surface, which is missing"
            )
        if isinstance(part, Probability):
            raw = path.with_name(f"{path.stem}-raw.vtp")
            return write_probability_surface(part.volume, config, path, raw, described)
        return write_mask_surface(part, config, path, described)
    if warp is None:
        raise DataError(
            f"{described}: there is no warp of the anatomy; run reconstruct_warp for it"
        )
    return write_surface(warp, part, path, described)
