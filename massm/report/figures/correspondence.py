"""Particles in correspondence: one color for each place of an anatomy, and whom to show it on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh

# Lightness and the two color axes of Oklab, middle and reach: as far as sRGB holds most of it.
_LIGHTNESS, _LIGHTNESS_REACH, _CHROMA = 0.70, 0.17, 0.19
# Ottosson, "A perceptual color space for image processing", 2020: Oklab to cone responses (their
# cube root), and these to linear sRGB.
_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LINEAR_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@dataclass(frozen=True)
class ShownShape:
    """One shape with its particles.

    Attributes:
        title: Whose it is, and what is to be known of it.
        surface: Its surface, population frame.
        particles: On that surface, mm.
    """

    title: str
    surface: Mesh
    particles: Float[np.ndarray, "M 3"]


def place_colors(places: Float[np.ndarray, "M 3"]) -> Float[np.ndarray, "M 3"]:
    """Give each place of a shape a color: near places near colors, far places far ones.

    The place within the shape's box is a place in a box of the perceptual color space Oklab. The
    longest side runs from blue to yellow, which is seen with nearly every kind of color vision,
    the second from green to red, the shortest from dark to light.

    Args:
        places: Particles of the mean shape, mm.

    Returns:
        sRGB in [0, 1].
    """
    low, high = places.min(0), places.max(0)
    side = np.maximum(high - low, 1e-12)
    longest, second, shortest = np.argsort(-side, kind="stable")
    along = 2 * (places - low) / side - 1
    lab = np.stack(
        [
            _LIGHTNESS + _LIGHTNESS_REACH * along[:, shortest],
            _CHROMA * along[:, second],
            _CHROMA * along[:, longest],
        ],
        1,
    )
    linear = np.clip((lab @ _CONES.T) ** 3 @ _LINEAR_RGB.T, 0, 1)
    bright = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, bright))


def spread_ranks(values: Float[np.ndarray, " N"], count: int) -> list[int]:
    """Choose rows from the least value to the greatest, with even steps of rank between."""
    order = np.argsort(values, kind="stable")
    ranks = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [int(order[rank]) for rank in ranks]
