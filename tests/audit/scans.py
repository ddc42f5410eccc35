"""A small cohort of balls in noise, whose masks can be replaced by wrong ones."""

import numpy as np

from massm.audit.files import MeasuredMask
from massm.audit.measures import measure_masks
from massm.geometry.volume import Volume

CENTERS = {"left": (45, 30, 30), "right": (15, 30, 30), "top": (30, 30, 48), "bottom": (30, 36, 14)}
RADII = {"left": 8.0, "right": 8.0, "top": 10.0, "bottom": 7.0}


def ball(center: np.ndarray, radius: float, side: int = 32, spacing: float = 2.0) -> np.ndarray:
    z, y, x = np.meshgrid(*[np.arange(side) * spacing] * 3, indexing="ij")
    return ((np.stack([x, y, z], -1) - center) ** 2).sum(-1) < radius**2


class Scans:
    """Of each subject an image and four masks."""

    def __init__(self, count: int = 20, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.images: dict[str, Volume] = {}
        self.masks: dict[str, dict[str, Volume]] = {}
        for number in range(count):
            array = rng.normal(0, 5, (32, 32, 32)).astype(np.float32)
            masks = {}
            for place, (name, center) in enumerate(CENTERS.items()):
                inside = ball(center + rng.normal(0, 0.7, 3), RADII[name] + rng.normal(0, 0.3))
                array[inside] += 60 + 40 * place
                masks[name] = Volume(inside, np.full(3, 2.0))
            self.images[f"s{number}"] = Volume(array, np.full(3, 2.0))
            self.masks[f"s{number}"] = masks

    def replace(self, subject: str, name: str, array: np.ndarray) -> None:
        self.masks[subject][name] = Volume(array, np.full(3, 2.0))

    def measured(self, imaged: bool = True) -> list[MeasuredMask]:
        return [
            MeasuredMask(subject, name, measures)
            for subject, masks in self.masks.items()
            for name, measures in measure_masks(
                self.images[subject] if imaged else None, masks
            ).items()
        ]
