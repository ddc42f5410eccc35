"""What sets one phantom subject apart: shape, pose, contrast, field of view, lost anatomies."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from massm.config.phantom import PhantomConfig
from massm.dataset.phantom.modes import deform, draw_coefficients
from massm.geometry.mesh import Mesh

FieldOfView = Literal["whole", "abdomen", "chest", "upper chest"]
CUTS: tuple[FieldOfView, ...] = ("abdomen", "chest", "upper chest")


@dataclass(frozen=True)
class Plan:
    """Everything that is decided about a subject before it is drawn.

    Attributes:
        name: Folder name of the subject.
        seed: Key of the subject's own random numbers.
        phase: Contrast phase of the scan.
        field_of_view: What the scan covers.
        absent: Anatomies that were removed.
    """

    name: str
    seed: tuple[int, ...]
    phase: str
    field_of_view: FieldOfView
    absent: frozenset[str]


@dataclass(frozen=True)
class Body:
    """The drawn body of one subject.

    Attributes:
        coefficients: Of the shape modes, in the order of ``MODE_NAMES``.
        pose: From body to image millimeters: a similarity.
        fat_mm: Layer of fat under the skin, mm.
        surfaces: True surface of each anatomy, also of removed ones, image frame, LPS mm.
    """

    coefficients: Float[np.ndarray, " K"]
    pose: Float[np.ndarray, "4 4"]
    fat_mm: float
    surfaces: dict[str, Mesh]


@dataclass(frozen=True)
class ImageGrid:
    """The voxels of one scan: number along x, y, z, voxel size (mm), place (LPS mm)."""

    size: tuple[int, int, int]
    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3 3"]


def plan_cohort(config: PhantomConfig) -> list[Plan]:
    """Decide who is cut, who lost an anatomy, who got contrast: exact shares, places by lot."""
    count = config.subjects
    random = np.random.default_rng([config.seed, 0])
    order = random.permutation(count)
    cut = order[: round(config.cut_fraction * count)]
    views: dict[int, FieldOfView] = {int(who): CUTS[i % 3] for i, who in enumerate(cut)}
    absent: dict[int, set[str]] = {}
    next_one = len(cut)
    for anatomy, share in sorted(config.absent.items()):
        wanted = round(share * count)
        for position in range(next_one, next_one + wanted):
            absent.setdefault(int(order[position % count]), set()).add(anatomy)
        next_one += wanted
    names = sorted(config.phases)
    bounds = np.cumsum([config.phases[name] for name in names])
    place = (np.arange(count) + 0.5) / count
    phases = random.permutation(np.searchsorted(bounds, place).clip(max=len(names) - 1))
    digits = max(4, len(str(count)))
    return [
        Plan(
            name=f"s{i + 1:0{digits}d}",
            seed=(config.seed, 1, i),
            phase=names[phases[i]],
            field_of_view=views.get(i, "whole"),
            absent=frozenset(absent.get(i, set())),
        )
        for i in range(count)
    ]


def draw_body(
    config: PhantomConfig, templates: dict[str, Mesh], random: np.random.Generator
) -> Body:
    """Draw shape and pose, and move the atlas surfaces along."""
    coefficients = draw_coefficients(random, config.shape_spread)
    angles = np.clip(random.standard_normal(3), -2, 2) * config.rotation_degrees
    scale = float(np.exp(np.clip(random.standard_normal(), -2, 2) * config.scale_spread))
    pose = np.eye(4)
    pose[:3, :3] = scale * Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    pose[:3, 3] = [*random.normal(0, 8, 2), random.uniform(-300, 300)]  # where the couch stood
    fat_mm = float(np.clip(random.gamma(4.0, 3.0), 3, 30))
    surfaces = {
        name: Mesh(deform(mesh.vertices, coefficients) @ pose[:3, :3].T + pose[:3, 3], mesh.faces)
        for name, mesh in templates.items()
    }
    return Body(coefficients, pose, fat_mm, surfaces)


def draw_grid(
    config: PhantomConfig, plan: Plan, body: Body, random: np.random.Generator
) -> ImageGrid:
    """Lay the scan's voxels: around the body, as long as its field of view goes."""
    in_plane = random.uniform(*config.spacing_mm)
    spacing = np.array([in_plane, in_plane, random.uniform(*config.slice_mm)])
    bottom, top = _scan_range(plan, body, random)
    outline = body.pose[:2, :2] @ np.diag([166.0 + body.fat_mm, 119.0 + body.fat_mm])
    half = np.abs(outline).sum(axis=1) + np.array([6.0, 20.0])
    shift = np.clip(random.standard_normal(2), -2, 2) * config.translation_mm
    middle = body.pose[:2, 3] + np.clip(shift, -30, 30) + np.array([0.0, 10.0])
    low = np.array([*(middle - half), bottom])
    high = np.array([*(middle + half), top])
    size = np.maximum(np.ceil((high - low) / spacing).astype(int), 8)
    flipped = bool(random.integers(2))  # stored right to left and back to front, or not
    direction = np.diag([-1.0, -1.0, 1.0]) if flipped else np.eye(3)
    corner = low + (size - 1) * spacing * np.array([1, 1, 0]) * flipped
    return ImageGrid((int(size[0]), int(size[1]), int(size[2])), spacing, corner, direction)


def _scan_range(plan: Plan, body: Body, random: np.random.Generator) -> tuple[float, float]:
    """Give the lowest and the highest slice of the scan, image mm."""
    heights = {name: mesh.vertices[:, 2] for name, mesh in body.surfaces.items()}
    lobes = [heights["lung_upper_lobe_left"].max(), heights["lung_upper_lobe_right"].max()]
    top = float(max(lobes) + random.uniform(14, 30))
    spleen = heights["spleen"]
    bottom = float(spleen.min() - random.uniform(14, 26))
    if plan.field_of_view == "abdomen":
        top = float(heights["heart_ventricle_left"].mean() + random.uniform(-15, 25))
    elif plan.field_of_view == "chest":
        bottom = float(np.quantile(spleen, random.uniform(0.3, 0.7)))
    elif plan.field_of_view == "upper chest":
        bottom = float(spleen.max() + random.uniform(3, 8))
    return bottom, top
