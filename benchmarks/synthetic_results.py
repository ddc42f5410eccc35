"""A results folder of synthetic predictions, as the stages before ``evaluate`` leave it.

Anatomies are stars: a point of the unit sphere at a radius that varies smoothly with direction, so
that surface, particles and mask of one are the same shape. What a model predicts is the truth,
moved by a smooth error of some millimeters.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import ConvexHull

from massm.geometry.alignment import apply_transform
from massm.geometry.boxes import box_of
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.geometry.volume import Volume
from massm.io import images, meshes, predictions, tensors
from massm.io import particles as particle_files
from massm.io.cohort import AnatomyRecord, GroomRecord, write_cohort, write_groomed
from massm.io.predictions import PredictedBoxes, SubjectPrediction

VOXEL_MM, IMAGE_SIZE = 1.5, (240, 200, 220)  # x, y, z
LABELS_MM = 3.0  # of a predicted label map
VERTICES, PARTICLES = 5002, 1024  # 10000 triangles, as config.yaml grooms
ERROR_MM = 2.5
_WAVES = 6
_GRID = ((-90, -40, -60), (90, -40, -60), (-90, 40, 60), (90, 40, 60), (0, 0, 0))
_SIZES = ((24, 22, 34), (30, 24, 36), (20, 26, 22), (45, 40, 72), (34, 24, 48))


@dataclass(frozen=True)
class Gives:
    """What a model's predictions hold: a part is left out where it is False or empty."""

    boxes: bool = False
    local: bool = False
    world: tuple[str, ...] = ()
    labels: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The kinds of tables that are made of it."""
        kinds = {
            "local": self.local or self.labels,
            "world": bool(self.world),
            "detection": self.boxes or self.labels,
        }
        return tuple(kind for kind, made in kinds.items() if made)


_BOTH = Gives(boxes=True, local=True, world=("cvae", "procrustes"))
MODELS = {
    "massm": _BOTH,
    "unet": Gives(labels=True),
    "deepssm_local": Gives(local=True),
    "deepssm_world_full": Gives(world=("network",)),
    "deepssm_world": Gives(world=("network",)),
    "unet_multi": Gives(labels=True),
    "unet_fit": Gives(boxes=True, local=True, world=("fit",)),
    "massm_unrefined": _BOTH,
    "mean_shape": Gives(boxes=True, local=True, world=("procrustes",)),
    "deepssm_world_detected": Gives(world=("network",)),
}
"""The rows of the paper's comparison and the rivals beside them."""


@dataclass(frozen=True)
class Star:
    """One anatomy of one subject: all of it follows from these numbers.

    Attributes:
        center: LPS mm.
        size: Radii of the ellipsoid that is bent, mm.
        waves: Directions and phases of its bumps, a row each.
        to_world: Matrix from the image to the population's frame.
    """

    center: Float[np.ndarray, "3"]
    size: Float[np.ndarray, "3"]
    waves: Float[np.ndarray, "W 4"]
    to_world: Float[np.ndarray, "4 4"]

    def radius(self, unit: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Return the radius in some directions, in units of the ellipsoid's."""
        return np.asarray(
            1 + 0.06 * np.sin(unit @ self.waves[:, :3].T + self.waves[:, 3]).sum(1), float
        )

    def points(self, unit: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Return its surface in some directions, LPS mm."""
        return np.asarray(self.center + unit * self.radius(unit)[:, None] * self.size)

    def inside(self, grid: Volume) -> Bool[np.ndarray, "D H W"]:
        """Find the voxels inside of it."""
        found = np.zeros(grid.array.shape, bool)
        reach = 1.5 * self.size
        low, high = (grid.point_to_index(self.center + sign * reach) for sign in (-1, 1))
        start = np.maximum(np.floor(low), 0).astype(int)
        stop = np.minimum(np.ceil(high) + 1, grid.size).astype(int)
        axes = [np.arange(a, b) for a, b in zip(start, stop, strict=True)]
        index = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        offset = (grid.index_to_point(index.reshape(-1, 3).astype(float)) - self.center) / self.size
        length = np.linalg.norm(offset, axis=1)
        within = length <= self.radius(offset / np.maximum(length, 1e-9)[:, None])
        box = tuple(slice(a, b) for a, b in zip(start[::-1], stop[::-1], strict=True))
        found[box] = within.reshape(index.shape[:3]).transpose(2, 1, 0)
        return found


def write_results(folder: Path, *, subjects: int, anatomies: int, models: int) -> None:
    """Write all that the rules of ``evaluate`` read.

    Args:
        folder: An empty results folder.
        subjects: Of the test split; there are no others.
        anatomies: At most 10 lie side by side in the image without much overlap.
        models: The first of ``MODELS``.
    """
    names = anatomy_names(anatomies)
    unit = _closed_sphere(VERTICES)
    for subject in subject_names(subjects):
        stars = {name: star(subject, name) for name in names}
        _write_truth(folder, subject, stars, unit)
        for model, gives in list(MODELS.items())[:models]:
            _write_prediction(folder, model, gives, subject, stars, unit)
    _write_tables(folder, subject_names(subjects), names)
    _write_shapes(folder, subject_names(subjects), names, unit)


def anatomy_names(count: int) -> list[str]:
    """Name the anatomies."""
    return [f"anatomy_{number}" for number in range(count)]


def subject_names(count: int) -> list[str]:
    """Name the subjects."""
    return [f"s{number:04d}" for number in range(count)]


def star(subject: str, anatomy: str) -> Star:
    """Draw an anatomy of a subject; the same each time."""
    number = int(anatomy.rpartition("_")[2])
    rng = np.random.default_rng([int(subject[1:]), number])
    common = np.random.default_rng([1_000_000, number])
    center = np.array(_GRID[number % len(_GRID)], float) + 12.0 * (number // len(_GRID))
    size = np.array(_SIZES[number % len(_SIZES)], float) * np.exp(rng.normal(0, 0.06, 3))
    waves = np.hstack([common.normal(0, 2.0, (_WAVES, 3)), common.uniform(0, 6, (_WAVES, 1))])
    waves[:, 3] += rng.normal(0, 0.3, _WAVES)
    angle = rng.normal(0, 0.1)
    to_world = np.eye(4)
    to_world[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    center = center + rng.normal(0, 5, 3)
    to_world[:3, 3] = -to_world[:3, :3] @ center
    return Star(center, size, waves, to_world)


def is_missed(model: str, subject: str, anatomy: str) -> bool:
    """Tell whether a model misses an anatomy: one in forty, of models that can."""
    gives = MODELS[model]
    number = 7 * int(subject[1:]) + int(anatomy.rpartition("_")[2]) + len(model)
    return (gives.boxes or gives.labels) and number % 40 == 0


def _write_truth(folder: Path, subject: str, stars: dict[str, Star], unit: Mesh) -> None:
    grid = _grid(VOXEL_MM)
    noise = np.random.default_rng(int(subject[1:])).integers(-60, 60, grid.array.shape, np.int16)
    for name, one in stars.items():
        inside = one.inside(grid)
        noise[inside] += 100
        images.write_image(grid.with_array(inside), _mask(folder, subject, name))
        mesh = Mesh(one.points(unit.vertices), unit.faces)
        meshes.write(mesh, folder / _surface(subject, name))
        bent = Mesh(_moved(mesh.vertices, "reference", subject, 0.4), unit.faces)
        meshes.write(bent, folder / "reconstruct" / "reference" / subject / f"{name}.vtp")
    images.write_image(grid.with_array(noise), folder / "raw" / subject / "ct.nii.gz")


def _write_prediction(
    folder: Path, model: str, gives: Gives, subject: str, stars: dict[str, Star], unit: Mesh
) -> None:
    dots = sphere(PARTICLES)
    present = np.array([not is_missed(model, subject, name) for name in stars])
    local, world, boxes = [], [], []
    for name, one in stars.items():
        here = _moved(one.points(dots), model, subject)
        local.append(here)
        world.append(apply_transform(one.to_world, here))
        boxes.append(box_of(here))
        if not is_missed(model, subject, name):
            _write_surfaces(folder, model, gives, subject, name, one, unit)
    beside = present[:, None]
    said = SubjectPrediction(
        anatomies=tuple(stars),
        present=present,
        score=np.where(present, 0.9, 0.1),
        boxes=PredictedBoxes(
            *(np.where(beside, np.stack(part), np.nan) for part in zip(*boxes, strict=True))
        )
        if gives.boxes
        else None,
        local=np.where(beside[..., None], np.stack(local), np.nan) if gives.local else None,
        world={head: np.where(beside[..., None], np.stack(world), np.nan) for head in gives.world},
        labels=_labels(stars) if gives.labels else None,
    )
    predictions.write(said, folder / "predict" / model / f"{subject}.npz")


def _write_surfaces(
    folder: Path,
    model: str,
    gives: Gives,
    subject: str,
    anatomy: str,
    one: Star,
    unit: Mesh,
) -> None:
    mesh = Mesh(_moved(one.points(unit.vertices), model, subject), unit.faces)
    path = folder / "reconstruct" / model / subject / f"{anatomy}.vtp"
    if gives.local or gives.labels:
        meshes.write(mesh, path)
    for head in gives.world:
        meshes.write(mesh.transformed(one.to_world), path.with_name(f"{anatomy}-world_{head}.vtp"))


def _labels(stars: dict[str, Star]) -> Volume:
    grid = _grid(LABELS_MM)
    array = np.zeros(grid.array.shape, np.uint8)
    for row, one in enumerate(stars.values(), start=1):
        array[one.inside(grid)] = row
    return grid.with_array(array)


def _write_tables(folder: Path, subjects: list[str], anatomies: list[str]) -> None:
    pairs = [(subject, name) for subject in subjects for name in anatomies]
    cohort = [
        AnatomyRecord(
            *(subject, name, "test", "used", "", "", folder / "raw" / subject / "ct.nii.gz"),
            _mask(folder, subject, name),
            volume_ml=100.0,
            source="mask",
        )
        for subject, name in pairs
    ]
    groomed = [
        GroomRecord(
            *(subject, name, "test", "groomed", "", Path(_surface(subject, name))),
            volume_ml=100.0,
            mask_volume_ml=100.0,
            faces=2 * VERTICES - 4,
            surface_error_mm=0.2,
            surface_error_p95_mm=0.6,
        )
        for subject, name in pairs
    ]
    write_cohort(cohort, folder / "dataset" / "cohort.tsv")
    write_groomed(groomed, folder / "groom" / "index" / "0000.tsv")


def _write_shapes(folder: Path, subjects: list[str], anatomies: list[str], unit: Mesh) -> None:
    """Write particles, warps and the mean shapes of all anatomies."""
    dots = sphere(PARTICLES)
    means = []
    for name in anatomies:
        stars = [star(subject, name) for subject in subjects]
        local = np.stack([one.points(dots) for one in stars])
        transforms = np.stack([one.to_world for one in stars])
        world = np.stack([apply_transform(m, p) for m, p in zip(transforms, local, strict=True)])
        found = ParticleSet(tuple(subjects), ("test",) * len(subjects), local, world, transforms)
        particle_files.save_set(found, folder / "correspond" / f"{name}.npz")
        weights = _homogeneous(unit.vertices) @ np.linalg.pinv(_homogeneous(dots))
        warp = {"weights": weights, "faces": unit.faces}
        particle_files.save_arrays(warp, folder / "reconstruct" / "warp" / f"{name}.npz")
        means.append(world.mean(0))
    mean = np.stack(means).astype(np.float32)
    unused = ("template_local", "template_world", "normals", "center_local")
    arrays = dict.fromkeys(unused, np.zeros_like(mean))
    arrays |= dict.fromkeys(("modes_local", "modes_world"), np.zeros_like(mean)[:, None])
    arrays["radius"] = np.zeros((len(mean), 3), np.float32)
    arrays |= {"mean_local": mean, "mean_world": mean}
    tensors.save(arrays, folder / "tensors" / "template.safetensors")


def _moved(
    points: Float[np.ndarray, "n 3"], model: str, subject: str, size_mm: float = ERROR_MM
) -> Float[np.ndarray, "n 3"]:
    """Move points by a smooth error that is the model's own on each subject."""
    rng = np.random.default_rng([sum(map(ord, model)), len(model), int(subject[1:])])
    turns, phase = rng.normal(0, 0.03, (3, 3)), rng.uniform(0, 6, 3)
    return np.asarray(points + size_mm * np.sin(points @ turns + phase))


def _grid(spacing_mm: float) -> Volume:
    size = np.ceil(np.array(IMAGE_SIZE) * VOXEL_MM / spacing_mm).astype(int)
    origin = -(size - 1) * spacing_mm / 2
    return Volume(np.zeros(size[::-1], np.int16), np.full(3, spacing_mm), origin)


def _mask(folder: Path, subject: str, anatomy: str) -> Path:
    return folder / "raw" / subject / "segmentations" / f"{anatomy}.nii.gz"


def _surface(subject: str, anatomy: str) -> str:
    return f"groom/surfaces/{subject}/{anatomy}.vtp"


def sphere(count: int) -> Float[np.ndarray, "n 3"]:
    """Spread points evenly over the unit sphere (Fibonacci spiral)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = index * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], 1)


def _closed_sphere(count: int) -> Mesh:
    points = sphere(count)
    faces = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    return Mesh(points, faces)


def _homogeneous(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 4"]:
    return np.hstack([points, np.ones((len(points), 1))])
