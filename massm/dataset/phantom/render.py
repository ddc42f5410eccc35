"""From a subject's body to its CT and its masks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter

from massm.config.phantom import PhantomConfig
from massm.dataset.phantom import vessels
from massm.dataset.phantom.anatomies import ANATOMIES
from massm.dataset.phantom.implicit import Points, Values
from massm.dataset.phantom.modes import Inverse, deform, invert
from massm.dataset.phantom.subjects import Body, ImageGrid, Plan
from massm.dataset.phantom.surroundings import skin
from massm.dataset.phantom.tables import Table
from massm.dataset.phantom.template import ATLAS_HIGH, ATLAS_LOW
from massm.dataset.phantom.tissue import (
    AIR,
    SOFT,
    Canvas,
    chunks,
    coverage,
    draw_tissue,
    paint_body,
)
from massm.geometry.volume import Volume

INVERSE_STEP_MM = 8.0  # of the table that leads back to the atlas; at least two voxels
TWIGS = 550  # ends of the vessel tree of one lung
NOISE_CORRELATION_VOXEL = 0.55
TEXTURE_MM, TEXTURE_HU = 9.0, 4.0


@dataclass(frozen=True)
class Scene:
    """The voxels of a scan and where those inside the body lie in the atlas.

    Attributes:
        frame: An empty image on the scan's grid.
        inner: Numbers of the voxels within the skin, in the order of the array.
        atlas: Their centers in the atlas, mm.
        outside: Their signed distance to the skin, mm.
        back_mm: Largest y of the body, image frame, where the couch is.
        middle_mm: Mean x of the body, image frame.
    """

    frame: Volume
    inner: Int[np.ndarray, " n"]
    atlas: Float[np.ndarray, "n 3"]
    outside: Float[np.ndarray, " n"]
    back_mm: float
    middle_mm: float

    @property
    def edge_mm(self) -> float:
        """Width over which a surface fades: a mean voxel, mm."""
        return float(np.cbrt(np.prod(self.frame.spacing)))


def render(
    config: PhantomConfig,
    plan: Plan,
    body: Body,
    grid: ImageGrid,
    tables: dict[str, Table],
    random: np.random.Generator,
) -> tuple[Volume, dict[str, Volume]]:
    """Draw the CT (int16 HU) and one mask per anatomy; removed anatomies have empty masks."""
    frame = Volume(np.zeros(grid.size[::-1], np.int16), grid.spacing, grid.origin, grid.direction)
    scene = _locate(frame, body)
    hu = _paint(scene, plan, tables, random)
    image = _couch(scene)
    image[scene.inner] += coverage(scene.outside, scene.edge_mm) * (hu - image[scene.inner])
    image += _vessel_contrast(scene, body, hu, tables["lungs"], random)
    scan = _scan(image.reshape(frame.array.shape), config, grid, random)
    masks = _masks(scene, plan, tables)
    return frame.with_array(scan), {
        name: frame.with_array(mask.reshape(scan.shape)) for name, mask in masks.items()
    }


def _locate(frame: Volume, body: Body) -> Scene:
    to_body = np.linalg.inv(body.pose[:3, :3])
    corners = (frame.corners() - body.pose[:3, 3]) @ to_body.T
    low = np.maximum(corners.min(axis=0), ATLAS_LOW - 30)  # beyond lies air
    high = np.minimum(corners.max(axis=0), ATLAS_HIGH + 30)
    step = max(INVERSE_STEP_MM, 2.0 * float(frame.spacing.min()))
    back = invert(body.coefficients, low, high, step)
    edge = float(np.cbrt(np.prod(frame.spacing)))
    slices = [
        _locate_slice(frame, number, body, to_body, back, edge)
        for number in range(frame.array.shape[0])
    ]
    inner = np.concatenate([part[0] for part in slices])
    atlas = np.concatenate([part[1] for part in slices])
    outside = np.concatenate([part[2] for part in slices])
    width, height, _ = frame.size
    index = np.stack([inner % width, inner // width % height, inner // (width * height)], axis=1)
    place = frame.index_to_point(index[outside < 0].astype(float))
    return Scene(frame, inner, atlas, outside, float(place[:, 1].max()), float(place[:, 0].mean()))


def _locate_slice(
    frame: Volume, number: int, body: Body, to_body: np.ndarray, back: Inverse, edge_mm: float
) -> tuple[np.ndarray, Points, Values]:
    """Find the voxels of a slice that lie in the body: number, place in the atlas, distance."""
    width, height, _ = frame.size
    j, i = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    index = np.stack([i.ravel(), j.ravel(), np.full(i.size, number)], axis=1)
    points = frame.index_to_point(index.astype(float))
    atlas = back((points - body.pose[:3, 3]) @ to_body.T)
    outside = skin(atlas) - body.fat_mm
    inner = np.flatnonzero(outside < edge_mm)
    return inner + number * width * height, atlas[inner], outside[inner]


def _paint(
    scene: Scene, plan: Plan, tables: dict[str, Table], random: np.random.Generator
) -> Values:
    tissue = draw_tissue(plan.phase, plan.absent, random)
    hu = np.full(len(scene.inner), AIR)
    for part in chunks(len(hu)):
        canvas = Canvas(scene.atlas[part], hu[part], scene.edge_mm)  # a view: painted in place
        paint_body(canvas, tissue, tables, scene.outside[part])
    return hu


def _couch(scene: Scene) -> Float[np.ndarray, " image"]:
    """Draw air and the couch, a curved board of foam under the back."""
    width, height, depth = scene.frame.size
    j, i = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    index = np.stack([i.ravel(), j.ravel(), np.zeros(i.size)], axis=1)
    points = scene.frame.index_to_point(index)
    x = points[:, 0] - scene.middle_mm
    under = points[:, 1] - (scene.back_mm + 8.0 - np.square(x) / 1500)
    board = (np.abs(x) < 215) & (np.abs(under) < 7.5)
    piece = np.where(board, np.where(np.abs(under) > 4.5, -380.0, -930.0), AIR)
    return np.tile(piece, depth)


def _vessel_contrast(
    scene: Scene, body: Body, hu: Values, lungs: Table, random: np.random.Generator
) -> Float[np.ndarray, " image"]:
    """Draw what the lungs' vessels add to the lungs' HU."""
    frame = scene.frame
    amount = np.zeros(frame.array.size)
    for side in (1, -1):
        tree = vessels.grow(side, TWIGS, random)
        moved = deform(tree.points, body.coefficients)
        place = moved @ body.pose[:3, :3].T + body.pose[:3, 3]
        index = frame.point_to_index(place)
        _splat(amount, index, tree.volume / (1000 * frame.voxel_ml), frame.size)
    near = lungs.near(scene.atlas)
    share = coverage(lungs(scene.atlas[near]) + 1.0, scene.edge_mm)
    rise = np.zeros(frame.array.size)
    rise[scene.inner[near]] = share * np.maximum(SOFT - hu[near], 0)
    return np.minimum(amount, 1.0) * rise


def _splat(
    amount: Float[np.ndarray, " n"], index: Points, weight: Values, size: tuple[int, int, int]
) -> None:
    """Add weights at fractional voxel indices, shared among the eight voxels around."""
    base = np.floor(index).astype(int)
    rest = index - base
    for corner in np.ndindex(2, 2, 2):
        offset = np.array(corner)
        voxel = base + offset
        share = np.prod(np.where(offset, rest, 1 - rest), axis=1) * weight
        valid = ((voxel >= 0) & (voxel < np.array(size))).all(axis=1)
        x, y, z = voxel[valid].T
        np.add.at(amount, (z * size[1] + y) * size[0] + x, share[valid])


def _scan(
    image: Float[np.ndarray, "D H W"],
    config: PhantomConfig,
    grid: ImageGrid,
    random: np.random.Generator,
) -> np.ndarray:
    """Blur, add noise and texture, and store as whole HU."""
    order = grid.spacing[::-1]
    blurred = gaussian_filter(image, config.blur_mm / order)
    noise = gaussian_filter(
        random.standard_normal(image.shape, np.float32), NOISE_CORRELATION_VOXEL
    )
    level = config.noise_hu * float(np.exp(random.normal(0, 0.25)))
    texture = gaussian_filter(random.standard_normal(image.shape, np.float32), TEXTURE_MM / order)
    blurred += noise * (level / max(float(noise.std()), 1e-6))
    blurred += texture * (TEXTURE_HU / max(float(texture.std()), 1e-6))
    return np.asarray(np.clip(np.rint(blurred), -1024, 3071), np.int16)


def _masks(scene: Scene, plan: Plan, tables: dict[str, Table]) -> dict[str, Bool[np.ndarray, " n"]]:
    """Label each voxel by the anatomy its center lies in; the first of the list wins."""
    taken = np.zeros(scene.frame.array.size, dtype=bool)
    masks = {}
    for name in ANATOMIES:
        mask = np.zeros(len(taken), dtype=bool)
        if name not in plan.absent:
            near = tables[name].near(scene.atlas)
            mask[scene.inner[near[tables[name](scene.atlas[near]) < 0]]] = True
            mask &= ~taken
            taken |= mask
        masks[name] = mask
    return masks
