"""A small results folder as the stages write it: ellipsoids, with errors that are known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.evaluate import ClaimConfig, EvaluateConfig
from massm.geometry.alignment import apply_transform
from massm.geometry.boxes import box_of
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.geometry.volume import Volume
from massm.io import documents, images, meshes, predictions, tensors
from massm.io import particles as particle_files
from massm.io.cohort import (
    AnatomyRecord,
    GroomRecord,
    SubjectRecord,
    write_cohort,
    write_groomed,
    write_subject_table,
)
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.io.tables import write_table
from massm.stages import (
    evaluate_detection,
    evaluate_local,
    evaluate_missed,
    evaluate_summary,
    evaluate_world,
)
from tests.toy_cohort import hull, sphere_points

ANATOMIES = ("spleen", "kidney_left")
PLACES = {"spleen": (-30.0, 0.0, 5.0), "kidney_left": (32.0, 8.0, -6.0)}
SIZES = {"spleen": (22.0, 16.0, 18.0), "kidney_left": (14.0, 12.0, 24.0)}
WORLD_SIZES = {"spleen": (23.0, 16.0, 17.0), "kidney_left": (15.0, 12.0, 23.0)}  # of the mean
SHIFTS = {"massm": 2.0, "mean_shape": 4.0, "pca_oracle": 0.5, "truth": 0.0}  # error along x, mm
BOUNDS = ("mean_shape", "pca_oracle", "truth")
KNOWING = ("pca_oracle", "truth")
MISSED = ("s9", "kidney_left")  # present, but not found by massm and mean_shape
ABSENT = ("s10", "kidney_left")  # known to be absent, and found by massm: a false positive
EXCLUDED = ("s8", "kidney_left")  # cut by the field of view: unknown
CURVES = {
    "compactness": 1.0,
    "generalization": 2.0,
    "generalization_surface": 1.5,
    "specificity": 3.0,
}
OUTPUTS = ("summary", "tests", "claims", "anatomies")  # of evaluate_summary
SPLITS = {f"s{i}": "train" if i < 4 else "validation" if i == 4 else "test" for i in range(11)}


CONFIG = EvaluateConfig(
    splits=("test",),
    surface_samples=2000,
    surface_dice_mm=(1.0, 3.0),
    center_within_mm=(3.0,),
    reference_model="massm",
    confidence=0.95,
    bootstrap_samples=200,
    seed=0,
    claims={
        "a": ClaimConfig(
            says="MASSM is nearer than the mean shape",
            model="massm",
            against=("mean_shape",),
            frame="local",
            measures=("particle_rmse", "surface_mean"),
        ),
        "b": ClaimConfig(
            says="The PCA projection is best",
            model="pca_oracle",
            against="rivals",
            frame="world",
            measures=("particle_rmse",),
        ),
        "c": ClaimConfig(
            says="MASSM is nearer than DeepSSM",
            model="massm",
            against=("deepssm_local",),
            frame="local",
            measures=("particle_rmse",),
        ),
    },
)


def truth(folder):
    return {
        "cohort": folder / "dataset" / "cohort.tsv",
        "groomed": [folder / "groom" / "index" / "0000.tsv"],
        "particles": [folder / "correspond" / f"{name}.npz" for name in ANATOMIES],
        "results": folder,
    }


def reported(folder):
    """The tables that a report is given by name."""
    kinds = ("local", "world", "detection")
    return {
        "groomed": truth(folder)["groomed"],
        "training": [folder / "train" / "massm" / "curves.csv"],
        "measured": [folder / "evaluate" / m / f"{kind}.csv" for m in SHIFTS for kind in kinds],
    }


def evaluate(folder):
    """Run the five stages of evaluate on a results folder, and return it."""
    tables = folder / "evaluate"
    for model in SHIFTS:
        common = truth(folder) | {"model": model, "predictions": folder / "predict" / model}
        surfaces = {
            "surfaces": folder / "reconstruct" / model,
            "references": folder / "reconstruct" / "reference",
        }
        evaluate_local.run(CONFIG, **common, **surfaces, table=tables / model / "local.csv")
        evaluate_world.run(CONFIG, **common, **surfaces, table=tables / model / "world.csv")
        evaluate_detection.run(CONFIG, **common, table=tables / model / "detection.csv")
    evaluate_missed.run(
        CONFIG,
        **truth(folder),
        models=list(SHIFTS),
        anatomies=list(ANATOMIES),
        predictions=[folder / "predict" / model for model in SHIFTS],
        template=folder / "tensors" / "template.safetensors",
        warps=[folder / "reconstruct" / "warp" / f"{name}.npz" for name in ANATOMIES],
        references=folder / "reconstruct" / "reference",
        table=tables / "missed.csv",
    )
    evaluate_summary.run(
        CONFIG,
        measured=sorted(tables.glob("*/*.csv")),
        missed=tables / "missed.csv",
        cohort=truth(folder)["cohort"],
        groomed=truth(folder)["groomed"],
        **{name: tables / f"{name}.csv" for name in OUTPUTS},
        bounds=list(BOUNDS),
    )
    return folder


def closed_sphere(count: int) -> Mesh:
    """The convex hull of even points on the unit sphere: closed, faces outward."""
    return hull(sphere_points(count))


@dataclass(frozen=True)
class Ellipsoid:
    """One organ: everything about it follows from these numbers."""

    center: np.ndarray
    radii: np.ndarray
    transform: np.ndarray  # image -> world

    def local(self, unit: np.ndarray) -> np.ndarray:
        return self.center + unit * self.radii

    def mesh(self, unit: Mesh) -> Mesh:
        return Mesh(self.local(unit.vertices), unit.faces)


def ellipsoid(subject: str, anatomy: str) -> Ellipsoid:
    rng = np.random.default_rng([int(subject[1:]), ANATOMIES.index(anatomy)])
    center = np.array(PLACES[anatomy]) + rng.normal(0, 2, 3)
    radii = np.array(SIZES[anatomy]) * np.exp(rng.normal(0, 0.08, 3))
    angle = np.deg2rad(10)
    transform = np.eye(4)
    transform[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    transform[:3, 3] = -transform[:3, :3] @ center
    return Ellipsoid(center, radii, transform)


def write_results(folder: Path, *, vertices: int = 300, particles: int = 48) -> Path:
    """Write the results of every stage up to ``reconstruct`` for eleven subjects."""
    unit = closed_sphere(vertices)
    dots = sphere_points(particles)
    _write_cohort(folder, unit)
    for anatomy in ANATOMIES:
        _write_population(folder, anatomy, unit, dots)
    for subject, split in SPLITS.items():
        if split == "test":
            for model, shift in SHIFTS.items():
                _write_prediction(folder, model, shift, subject, unit, dots)
            for anatomy in _organs(subject):
                path = folder / "reconstruct" / "reference" / subject / f"{anatomy}.vtp"
                meshes.write(ellipsoid(subject, anatomy).mesh(unit), path)
    _write_training(folder)
    _write_template(folder, dots)
    return folder


def _write_template(folder: Path, dots: np.ndarray) -> None:
    mean = np.stack([dots * SIZES[name] for name in ANATOMIES]).astype(np.float32)
    unused = ("template_local", "template_world", "normals", "center_local")
    arrays = dict.fromkeys(unused, np.zeros_like(mean))
    world = np.stack([dots * WORLD_SIZES[name] for name in ANATOMIES]).astype(np.float32)
    arrays["mean_world"] = world
    arrays |= dict.fromkeys(("modes_local", "modes_world"), np.zeros_like(mean)[:, None])
    arrays["radius"] = np.zeros((len(mean), 3), np.float32)
    tensors.save(arrays | {"mean_local": mean}, folder / "tensors" / "template.safetensors")


def _write_training(folder: Path) -> None:
    epoch = np.arange(1, 13)
    columns = {
        "epoch": epoch,
        "loss": 5 / epoch,
        "local": 2 / epoch,
        "validation_particle_mm": np.where(epoch % 3 == 0, 9 / np.sqrt(epoch), np.nan),
    }
    write_table(pd.DataFrame(columns), folder / "train" / "massm" / "curves.csv")
    for name, seconds in (("groom/0000", 42.0), ("groom/0001", 30.0), ("train_massm", 5400.0)):
        row = {"s": [seconds], "max_rss": [1536.0], "cpu_time": [0.9 * seconds]}
        write_table(pd.DataFrame(row), folder / "benchmarks" / f"{name}.tsv")


def _organs(subject: str) -> list[str]:
    return [name for name in ANATOMIES if (subject, name) not in (ABSENT, EXCLUDED)]


def _write_cohort(folder: Path, unit: Mesh) -> None:
    rows, groomed, subjects = [], [], []
    for subject, split in SPLITS.items():
        image = folder / "raw" / subject / "ct.nii.gz"
        volume = _write_image(image, subject)
        size, spacing = volume.size, volume.spacing
        subjects.append(SubjectRecord(subject, split, "used", "", "", image, *size, *spacing))
        for anatomy in ANATOMIES:
            mask = folder / "raw" / subject / "segmentations" / f"{anatomy}.nii.gz"
            status, reason = "used", ""
            if (subject, anatomy) == ABSENT:
                status, reason = "absent", "the mask is empty"
            if (subject, anatomy) == EXCLUDED:
                status, reason = "excluded", "cut by the field of view"
            rows.append(
                AnatomyRecord(
                    *(subject, anatomy, split, status, reason, "", image, mask),
                    volume_ml=25.0,
                    source="mask",
                )
            )
            if status != "used":
                continue
            organ = ellipsoid(subject, anatomy)
            images.write_image(volume.with_array(_inside(volume, organ)), mask)
            surface = f"groom/surfaces/{subject}/{anatomy}.vtp"
            mesh = organ.mesh(unit)
            meshes.write(mesh, folder / surface)
            groomed.append(
                GroomRecord(
                    *(subject, anatomy, split, "groomed", "", Path(surface)),
                    volume_ml=mesh.volume_ml,
                    mask_volume_ml=mesh.volume_ml * 1.01,
                    faces=len(mesh.faces),
                    surface_error_mm=0.2,
                    surface_error_p95_mm=0.6,
                )
            )
    write_subject_table(subjects, folder / "dataset" / "subjects.tsv")
    write_cohort(rows, folder / "dataset" / "cohort.tsv")
    write_groomed(groomed, folder / "groom" / "index" / "0000.tsv")


def _write_image(path: Path, subject: str) -> Volume:
    empty = Volume(np.zeros((26, 32, 44), np.float32), np.full(3, 3.0), np.array([-66.0, -48, -39]))
    array = np.random.default_rng(0).normal(-60, 20, empty.array.shape)
    for anatomy in _organs(subject):
        array[_inside(empty, ellipsoid(subject, anatomy))] += 140
    volume = empty.with_array(array.astype(np.float32))
    images.write_image(volume, path)
    return volume


def _inside(volume: Volume, organ: Ellipsoid) -> np.ndarray:
    depth, height, width = np.meshgrid(*map(np.arange, volume.array.shape), indexing="ij")
    points = volume.index_to_point(np.stack([width, height, depth], -1).astype(float))
    return np.square((points - organ.center) / organ.radii).sum(-1) <= 1


def _write_population(folder: Path, anatomy: str, unit: Mesh, dots: np.ndarray) -> None:
    subjects = [subject for subject in SPLITS if anatomy in _organs(subject)]
    organs = [ellipsoid(subject, anatomy) for subject in subjects]
    local = np.stack([organ.local(dots) for organ in organs])
    transforms = np.stack([organ.transform for organ in organs])
    world = np.stack([apply_transform(*pair) for pair in zip(transforms, local, strict=True)])
    splits = tuple(SPLITS[subject] for subject in subjects)
    population = ParticleSet(tuple(subjects), splits, local, world, transforms)
    particle_files.save_set(population, folder / "correspond" / f"{anatomy}.npz")
    weights = _homogeneous(unit.vertices) @ np.linalg.pinv(_homogeneous(dots))
    arrays = {"weights": weights, "faces": unit.faces}
    particle_files.save_arrays(arrays, folder / "reconstruct" / "warp" / f"{anatomy}.npz")
    alignment = {"anatomy": anatomy, "failed": {}}
    documents.write_json(alignment, folder / "groom" / "alignment" / f"{anatomy}.json")
    quality = {"particles": len(dots), "distance_mean_mm": 0.02, "swapped": 0}
    documents.write_json(quality, folder / "correspond" / anatomy / "quality.json")
    curves = [
        (measure, mode, base * 0.6**mode)
        for measure, base in CURVES.items()
        for mode in range(1, 4)
    ]
    curves = [(m, k, 1 - v if m == "compactness" else v) for m, k, v in curves]
    table = pd.DataFrame(curves, columns=["measure", "modes", "value"])
    write_table(table, folder / "correspond" / anatomy / "curves.csv")


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.hstack([points, np.ones((len(points), 1))])


def _write_prediction(
    folder: Path, model: str, shift: float, subject: str, unit: Mesh, dots: np.ndarray
) -> None:
    present, center, radius, local, world = [], [], [], [], []
    heads = ("cvae", "procrustes") if model == "massm" else ("procrustes",)
    for anatomy in ANATOMIES:
        organ = ellipsoid(subject, anatomy)
        found = (subject, anatomy) not in (MISSED, ABSENT) or model in KNOWING
        found |= (subject, anatomy) == ABSENT and model == "massm"
        found &= not ((subject, anatomy) == ABSENT and model in KNOWING)
        offset = np.array([shift, 0, 0])
        here = organ.local(dots) + offset
        box = box_of(here)
        there = apply_transform(organ.transform, here)
        present.append(found)
        for store, value in ((center, box[0]), (radius, box[1]), (local, here), (world, there)):
            store.append(value if found else np.full_like(value, np.nan))
        if found:
            path = folder / "reconstruct" / model / subject / f"{anatomy}.vtp"
            mesh = organ.mesh(unit)
            mesh = Mesh(mesh.vertices + offset, mesh.faces)
            meshes.write(mesh, path)
            for head in heads:
                carried = mesh.transformed(organ.transform)
                meshes.write(carried, path.with_name(f"{anatomy}-world_{head}.vtp"))
    said = SubjectPrediction(
        anatomies=ANATOMIES,
        present=np.array(present),
        score=np.where(present, 0.9, 0.1),
        boxes=PredictedBoxes(np.stack(center), np.stack(radius)),
        local=np.stack(local),
        world={head: np.stack(world) for head in heads},
    )
    predictions.write(said, folder / "predict" / model / f"{subject}.npz")
