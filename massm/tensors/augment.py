"""Joint augmentation: one smooth map moves the image, the boxes and the particles.

A left-right flip takes more than this: see :mod:`massm.tensors.mirroring`.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.train import AugmentConfig
from massm.geometry.alignment import fit_similarity, orthogonal_between
from massm.tensors.grid import Grid
from massm.tensors.images import Scan
from massm.tensors.preprocessing import Intensity
from massm.tensors.sample import Sample, Template, Truth
from massm.tensors.warp import GridWarp

_DEEPEST_CUT = 0.6  # share of all that the anatomies span along an axis
_ROUNDING = 1e-3  # voxels: a border that lies on a voxel's center keeps it


def augment(
    sample: Sample,
    config: AugmentConfig,
    template: Template,
    intensity: Intensity,
    spacing_mm: float,
    generator: torch.Generator,
    fine_spacing_mm: float | None = None,
) -> Sample:
    """Return the subject as another patient on another scanner might look.

    Args:
        sample: Subject as stored, HU.
        config: Ranges.
        template: Shape model that deformations are drawn from.
        intensity: Window inside which gamma acts.
        spacing_mm: Voxel size of the network grid.
        generator: All randomness; seeded by run, epoch and subject.
        fine_spacing_mm: Voxel size of the finer image, if there is one.
    """
    scan = sample.scan
    if torch.rand((), generator=generator) >= config.probability:
        warp = identity_warp(scan, spacing_mm, config.lattice_mm)
        return Sample(replace(scan, warp=warp), sample.truth)
    grid = Grid(scan.image.float()[None, None], scan.origin[None].float(), spacing_mm)
    warp = draw_warp(sample, grid, config, template, generator)
    warped = _warp_image(grid, warp)
    change = _draw_intensity(config, intensity, generator)
    image = change(warped[0, 0])
    noise = config.noise_hu * torch.rand((), generator=generator)
    image = image + noise * torch.randn(image.shape, generator=generator)
    fine = change(scan.fine.float()) if scan.fine is not None else None
    seen = replace(scan, image=image, fine=fine, warp=warp)
    moved = Sample(seen, move_shapes(sample.truth, warp))
    if torch.rand((), generator=generator) >= config.crop_probability:
        return moved
    field = draw_field(moved, spacing_mm, config, generator)
    cut = cut_field(moved.scan, *field, spacing_mm=spacing_mm, fine_spacing_mm=fine_spacing_mm)
    return replace(moved, scan=cut)


def draw_warp(
    sample: Sample,
    grid: Grid,
    config: AugmentConfig,
    template: Template,
    generator: torch.Generator,
) -> GridWarp:
    """Draw a rotation, scale and shift about the image's middle, and a smooth deformation."""
    middle = grid.origin[0] + (grid.size - 1) * grid.spacing_mm / 2
    angles = math.radians(config.rotation_deg) * _uniform(3, generator)
    scale = 1 + config.scale * _uniform(1, generator)
    shift = config.translation_mm * _uniform(3, generator)
    matrix = rotation_xyz(angles) / scale
    # source = matrix (x - middle - shift) + middle
    offset = middle - matrix @ (middle + shift)
    lattice = coarse_lattice(sample.scan, grid.spacing_mm, config.lattice_mm)
    warp = GridWarp(matrix[None], offset[None], lattice)
    if config.shape_std == 0 or config.shape_modes == 0:
        return warp
    anchors, moves = _draw_deformation(sample.truth, config, template, generator)
    if len(anchors) == 0:
        return warp
    # An anchor a that moves by m must end at y with source(y) = a, so the displacement at y is -m.
    ends = warp.target((anchors + moves)[None], iterations=0)[0]
    values = _spread(lattice.points()[0], ends, -moves, config.falloff_mm)
    values = _limit_slope(values, config.lattice_mm)
    return replace(warp, lattice=replace(lattice, values=values.movedim(-1, 0)[None]))


def draw_field(
    sample: Sample, spacing_mm: float, config: AugmentConfig, generator: torch.Generator
) -> tuple[Float[Tensor, "3"], Float[Tensor, "3"]]:
    """Draw a field of view: each side lies between the image's border and the anatomies.

    A scan may show the whole shoulders, or end behind the ears; what is shown has the same shape.
    With a chance one side lies amid the anatomies instead, and cuts or loses some of them.

    Args:
        sample: An augmented subject; centers and radii in its frame, mm.
        spacing_mm: Voxel size of the network grid.
        config: What is left around the anatomies, and how often one side cuts through them.
        generator: Draws the six sides, and whether one of them cuts.

    Returns:
        Lowest and highest corner, mm, frame of the augmented image; the image's own where no
        anatomy is there.
    """
    scan, truth = sample.scan, sample.truth
    low = scan.origin.float()
    high = low + (torch.tensor(scan.image.shape[::-1]) - 1) * spacing_mm
    shares = torch.rand(2, 3, generator=generator)
    there = truth.presence.eq(1)
    if not there.any():
        return low, high
    center, radius = truth.center[there], truth.radius[there]
    first = (center - radius).amin(dim=0)
    last = (center + radius).amax(dim=0)
    margin = config.crop_margin_mm
    sides = torch.stack(
        [
            low + shares[0] * (first - margin - low).clamp(min=0),
            high - shares[1] * (high - last - margin).clamp(min=0),
        ]
    )
    if torch.rand((), generator=generator) < config.cut_probability:
        side, axis = divmod(int(torch.randint(6, (), generator=generator)), 3)
        depth = _DEEPEST_CUT * torch.rand((), generator=generator) * (last - first)[axis]
        sides[side, axis] = last[axis] - depth if side else first[axis] + depth
    sides[0], sides[1] = torch.maximum(sides[0], low), torch.minimum(sides[1], high)
    return sides[0], sides[1]


def cut_field(
    scan: Scan,
    low: Float[Tensor, "3"],
    high: Float[Tensor, "3"],
    *,
    spacing_mm: float,
    fine_spacing_mm: float | None,
) -> Scan:
    """Cut the image to a box of its frame, the finer image to the box around what that shows.

    Args:
        scan: An augmented subject.
        low: Lowest corner, mm, frame of the augmented image.
        high: Highest corner.
        spacing_mm: Voxel size of the network grid.
        fine_spacing_mm: Voxel size of the finer image, if there is one.
    """
    image, origin = _cut(scan.image, scan.origin, spacing_mm, low, high)
    cut = replace(scan, image=image, origin=origin)
    if scan.fine is None or scan.fine_origin is None or fine_spacing_mm is None:
        return cut
    corners = torch.cartesian_prod(*torch.stack([low, high], dim=1))[None]
    shown = corners if scan.warp is None else scan.warp.source(corners)
    box = shown[0].amin(dim=0), shown[0].amax(dim=0)
    fine, fine_origin = _cut(scan.fine, scan.fine_origin, fine_spacing_mm, *box)
    return replace(cut, fine=fine, fine_origin=fine_origin)


def _cut(
    values: Tensor,
    origin: Float[Tensor, "3"],
    spacing_mm: float,
    low: Float[Tensor, "3"],
    high: Float[Tensor, "3"],
) -> tuple[Tensor, Float[Tensor, "3"]]:
    """Keep the voxels whose centers lie in a box, and two along each axis at least."""
    count = torch.tensor(values.shape[::-1])
    first = ((low - origin) / spacing_mm - _ROUNDING).ceil().long().clamp(min=0).minimum(count - 2)
    behind = ((high - origin) / spacing_mm + _ROUNDING).floor().long() + 1
    behind = behind.minimum(count).maximum(first + 2)
    x, y, z = (slice(int(a), int(b)) for a, b in zip(first, behind, strict=True))
    return values[z, y, x], origin + first * spacing_mm


def move_shapes(truth: Truth, warp: GridWarp) -> Truth:
    """Carry local particles through the map and make boxes and world particles anew.

    World particles of the deformed shape are its rigid alignment to the old ones: the frame is
    kept, size and shape change.
    """
    there = truth.presence.eq(1)
    if not there.any():
        return truth
    old = truth.local[there]
    moved = warp.target(old.reshape(1, -1, 3)).reshape(old.shape)
    low, high = moved.amin(dim=1), moved.amax(dim=1)
    # A world frame may be mirrored: the moved shape takes the old shape's way to the world first.
    old_world = truth.world[there]
    fit = fit_similarity(moved.double(), old.double(), allow_scale=False)
    upright = fit.apply(moved.double())
    to_world = orthogonal_between(old.double(), old_world.double())
    world = (upright - old.double().mean(1, keepdim=True)) @ to_world.mT
    world = world + old_world.double().mean(1, keepdim=True)
    local, world_all = truth.local.clone(), truth.world.clone()
    center, radius = truth.center.clone(), truth.radius.clone()
    local[there], world_all[there] = moved, world.to(truth.world)
    center[there], radius[there] = ((low + high) / 2).to(center), ((high - low) / 2).to(radius)
    return replace(truth, local=local, world=world_all, center=center, radius=radius)


def identity_warp(scan: Scan, spacing_mm: float, lattice_mm: float) -> GridWarp:
    """Return the map that moves nothing, for batches in which other subjects are moved."""
    lattice = coarse_lattice(scan, spacing_mm, lattice_mm)
    return GridWarp(torch.eye(3)[None], torch.zeros(1, 3), lattice)


def coarse_lattice(scan: Scan, spacing_mm: float, lattice_mm: float) -> Grid:
    """Return a lattice of zero displacements that covers the image."""
    counts = [math.ceil(n * spacing_mm / lattice_mm) + 1 for n in scan.image.shape]
    return Grid(torch.zeros(1, 3, *counts), scan.origin[None].float(), lattice_mm)


def rotation_xyz(angles: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """Return the rotation about x, then y, then z by angles in radians."""
    (cx, cy, cz), (sx, sy, sz) = angles.cos().tolist(), angles.sin().tolist()
    about_x = torch.tensor([[1.0, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = torch.tensor([[cy, 0.0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = torch.tensor([[cz, -sz, 0.0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    """Draw values between -1 and 1."""
    return 2 * torch.rand(count, generator=generator) - 1


def _draw_deformation(
    truth: Truth, config: AugmentConfig, template: Template, generator: torch.Generator
) -> tuple[Float[Tensor, "A 3"], Float[Tensor, "A 3"]]:
    """Draw a shape-model deformation of each anatomy; return particles and their moves, mm.

    A world deviation is turned into the image by the rotation from world to local particles.
    """
    modes = template.modes_world[:, : config.shape_modes]
    score = config.shape_std * torch.randn(modes.shape[:2], generator=generator)
    deviation = torch.einsum("kj,kjmc->kmc", score, modes)
    there = truth.presence.eq(1)
    local, world = truth.local[there], truth.world[there]
    to_local = orthogonal_between(world, local)
    moves = deviation[there] @ to_local.mT
    step = max(1, local.shape[1] // 64)  # 64 anchors an anatomy are dense against the falloff
    return local[:, ::step].reshape(-1, 3), moves[:, ::step].reshape(-1, 3)


def _spread(
    points: Float[Tensor, "D H W 3"],
    anchors: Float[Tensor, "A 3"],
    moves: Float[Tensor, "A 3"],
    falloff_mm: float,
) -> Float[Tensor, "D H W 3"]:
    """Extend moves from anchors into space: a Gaussian-weighted mean that fades far off."""
    flat = points.reshape(-1, 3)
    squared = torch.cdist(flat, anchors).square()
    weight = torch.exp(-squared / (2 * falloff_mm**2))
    mean = weight @ moves / weight.sum(dim=1, keepdim=True).clamp(min=1e-12)
    nearest = squared.amin(dim=1, keepdim=True)
    fade = torch.exp(-nearest / (2 * (2 * falloff_mm) ** 2))
    return (mean * fade).reshape(points.shape)


def _limit_slope(
    values: Float[Tensor, "D H W 3"], lattice_mm: float, limit: float = 0.35
) -> Float[Tensor, "D H W 3"]:
    """Scale a displacement down so that the map cannot fold and its inversion converges."""
    steepest = max(
        float(values.diff(dim=axis).norm(dim=-1).max()) / lattice_mm
        for axis in range(3)
        if values.shape[axis] > 1
    )
    return values * min(1.0, limit / max(steepest, 1e-12))


def _warp_image(grid: Grid, warp: GridWarp) -> Float[Tensor, "1 1 D H W"]:
    points = grid.points()
    source = warp.source(points.reshape(1, -1, 3))
    return grid.sample(source).reshape(grid.values.shape)


def _draw_intensity(
    config: AugmentConfig, intensity: Intensity, generator: torch.Generator
) -> Callable[[Tensor], Tensor]:
    """Draw a change of HU: contrast about the mean, shift, and gamma inside the window."""
    drawn = _uniform(3, generator).tolist()
    shift = config.hu_shift * drawn[0]
    scale = 1 + config.hu_scale * drawn[1]
    gamma = 1 + config.gamma * drawn[2]
    width = intensity.high - intensity.low

    def change(image: Tensor) -> Tensor:
        changed = (image - intensity.mean_hu).mul_(scale).add_(intensity.mean_hu).add_(shift)
        share: Tensor = changed.sub_(intensity.low).div_(width).clamp_(0, 1)
        return share.pow_(gamma).mul_(width).add_(intensity.low)

    return change
