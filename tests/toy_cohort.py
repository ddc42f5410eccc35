"""A cohort of ellipsoids in noise, with particles in exact correspondence: seconds to train on."""

from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull

from massm.config.merging import merge
from massm.config.models.deepssm import DeepssmConfig
from massm.config.models.massm import MassmConfig
from massm.config.models.unet import UnetConfig
from massm.config.tensors import TensorsConfig
from massm.config.train import TrainConfig
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.geometry.volume import Volume
from massm.io import images, tensors
from massm.io.cohort import (
    AnatomyRecord,
    Status,
    SubjectRecord,
    write_cohort,
    write_subject_table,
)
from massm.io.images import Segmentation
from massm.tensors.export import histogram, intensity_of, shape_arrays
from massm.tensors.label_export import label_map
from massm.tensors.manifest import Entry, Manifest, write_manifest
from massm.tensors.preprocessing import Preprocessing, image_arrays
from massm.tensors.template import template_arrays

ANATOMIES = ("bright", "dark")
PARTICLES = 24
TENSORS = TensorsConfig(
    spacing_mm=4.0,
    fine_spacing_mm=3.0,
    padding_hu=-1024.0,
    crop_air_hu=None,
    crop_margin_mm=0.0,
    intensity_percentiles=(0.5, 99.5),
    contrast=None,
    modes=4,
    mirror_pairs={},
)


def ramp(value: float) -> dict[str, float]:
    """A weight that stays as it is."""
    return {"first": value, "from_epoch": 0, "step": 0.0, "last": value}


def model_config(**changes: object) -> MassmConfig:
    """A network of a few thousand weights with all loss terms; keyword arguments change values."""
    values: dict[str, object] = {
        "family": "massm",
        "label": "MASSM",
        "train": {},
        "second_looks": 0,
        "box_updates": 0,
        "refine_updates": None,
        "backbone": {
            "name": "resnet10",
            "width": 8,
            "norm": "group",
            "output_stride": 2,
            "levels": 2,
            "channels": 8,
        },
        "detection": {
            "channels": 8,
            "class_wise": True,
            "sigma": 0.25,
            "min_sigma_cells": 0.7,
            "reach_cells": 1,
        },
        "roi": {
            "size": 3,
            "channels": 4,
            "pooling": "flatten",
            "margin": 1.2,
            "native_size": 8,
            "native_channels": 4,
        },
        "local": {
            "hidden": [32],
            "dropout": 0.1,
            "class_wise": True,
            "basis_modes": 0,
            "train_basis": False,
        },
        "refine": {
            "steps": 0,
            "reach_mm": 8.0,
            "samples": 7,
            "side_mm": 2.0,
            "hidden": 16,
            "embedding": 4,
            "mixing": 1,
            "neighbors": 5,
            "starts": 1,
            "start_modes": 0.7,
            "start_shift_mm": 2.0,
        },
        "close_up": {
            "widths": [],
            "spacing_mm": 3.0,
            "margin": 1.2,
            "context_mm": 6.0,
            "dropout": 0.0,
        },
        "world": {
            "head": "cvae",
            "latent": 4,
            "hidden": [32],
            "decoder_hidden": [32],
            "pretrain_steps": 300,
            "pretrain_batch": 8,
            "pretrain_rate": 3e-3,
            "kl_weight": 1e-3,
            "pretrain_spread": 0.0,
            "encoder_steps": 0,
            "shrinkage": False,
        },
        "objective": {
            "weights": {
                "heatmap": ramp(1.0),
                "radius": ramp(0.1),
                "offset": ramp(1.0),
                "local": ramp(1.0),
                "world": ramp(1.0),
                "refine": ramp(1.0),
                "segment": ramp(1.0),
            },
            "loss": {
                "shrinkage": "coordinate",
                "offset_unit": "cells",
                "focal_alpha": 3.0,
                "focal_beta": 4.0,
                "shrinkage_a": 10.0,
                "shrinkage_c": 0.2,
                "particle_unit_mm": 10.0,
                "world_unit_mm": 10.0,
            },
            "teacher": {
                "probability": ramp(0.5),
                "missed_boxes": "replace",
                "jitter_center_mm": 1.0,
                "jitter_radius": 0.05,
            },
        },
    }
    return MassmConfig.model_validate(merge(values, changes))


def unet_config(**changes: object) -> UnetConfig:
    """One network of both anatomies, of a few thousand weights; keyword arguments change values."""
    values: dict[str, object] = {
        "family": "unet",
        "label": "U-Net",
        "train": {},
        "networks": "all",
        "spacing_mm": None,
        "filters": (4, 8, 8),
        "supervised": 1,
        "patch": (16, 16, 16),
        "patches": 2,
        "foreground": 0.7,
        "overlap": 0.5,
    }
    return UnetConfig.model_validate(values | changes)


def deepssm_config(**changes: object) -> DeepssmConfig:
    """DeepSSM of the whole image, local particles; keyword arguments change values."""
    values: dict[str, object] = {
        "family": "deepssm",
        "label": "DeepSSM",
        "train": {},
        "networks": "all",
        "image": "whole",
        "particles": "local",
        "crop": "aligned",
        "boxes_of": None,
        "modes": 0.95,
        "finetune_from": 0,
        "lattice": {"size": 16, "margin_mm": 6.0, "jitter_mm": 0.0, "jitter_deg": 0.0},
        "encoder": {
            "widths": [4, 4, 8, 8, 16],
            "kernel": 3,
            "padded": True,
            "norm": "group",
            "pool": 2,
            "hidden": [32, 16],
            "dropout": 0.0,
        },
    }
    return DeepssmConfig.model_validate(merge(values, changes))


def train_config(**changes: object) -> TrainConfig:
    """Two epochs on the CPU; keyword arguments change values."""
    values: dict[str, object] = {
        "epochs": 2,
        "batch_size": 2,
        "learning_rate": 2e-3,
        "decay": 0.9,
        "decay_every": 1,
        "weight_decay": 0.0,
        "gradient_clip": 10.0,
        "validate_every": 1,
        "augment": {
            "probability": 1.0,
            "mirror_probability": 0.0,
            "crop_probability": 0.0,
            "crop_margin_mm": 10.0,
            "cut_probability": 0.0,
            "rotation_deg": 10.0,
            "translation_mm": 5.0,
            "scale": 0.1,
            "shape_draw": "gaussian",
            "shape_std": 1.0,
            "shape_modes": 3,
            "falloff_mm": 15.0,
            "lattice_mm": 12.0,
            "hu_shift": 10.0,
            "hu_scale": 0.05,
            "gamma": 0.05,
            "noise_hu": 5.0,
        },
        "select": "last",
        "threshold_fraction": 0.5,
        "seed": 3,
        "accelerator": "cpu",
        "devices": 1,
        "threads": 1,
        "precision": "32-true",
        "workers": 0,
    }
    return TrainConfig.model_validate(values | changes)


def sphere_points(count: int) -> np.ndarray:
    """Points of a Fibonacci spiral on the unit sphere."""
    index = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * index / count), np.pi * (1 + 5**0.5) * index
    return np.stack(
        [np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1
    )


def hull(points: np.ndarray) -> Mesh:
    """The convex hull with outward faces."""
    faces = ConvexHull(points).simplices.astype(np.int64)
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normal * (corners.mean(axis=1) - points.mean(axis=0))).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return Mesh(points, faces)


class Cohort:
    """Ellipsoids ``bright`` and ``dark``; the dark one is absent in every fourth subject."""

    def __init__(
        self, train: int = 6, validation: int = 2, seed: int = 0, prefix: str = "t"
    ) -> None:
        rng = np.random.default_rng(seed)
        self.subjects = tuple(f"{prefix}{i}" for i in range(train + validation))
        self.splits = ("train",) * train + ("validation",) * validation
        self.volumes: dict[str, Volume] = {}
        self.status: dict[str, dict[str, Status]] = {}
        unit = sphere_points(PARTICLES)
        local: dict[str, list[np.ndarray]] = {name: [] for name in ANATOMIES}
        world: dict[str, list[np.ndarray]] = {name: [] for name in ANATOMIES}
        for i, subject in enumerate(self.subjects):
            origin = rng.uniform(-200, 200, 3)
            z, y, x = np.meshgrid(*[np.arange(n) * 3.0 for n in (24, 26, 28)], indexing="ij")
            place = np.stack([x, y, z], axis=-1) + origin
            array = rng.normal(0, 5, x.shape)
            for name, hu, share in (("bright", 300, 0.32), ("dark", -300, 0.68)):
                center = origin + np.array([81 * share, 37, 34]) + rng.uniform(-4, 4, 3)
                radii = np.array([13.0, 10.0, 8.0]) + rng.uniform(-2, 2, 3)
                there = name == "bright" or i % 4 != 3
                if there:
                    inside = (((place - center) / radii) ** 2).sum(-1) < 1
                    array[inside] += hu
                local[name].append(unit * radii + center)
                world[name].append(unit * radii)
                self.status.setdefault(subject, {})[name] = "used" if there else "absent"
            self.volumes[subject] = Volume(array.astype(np.float32), np.full(3, 3.0), origin)
        self.particles = {
            name: self._set(name, np.array(local[name]), np.array(world[name]))
            for name in ANATOMIES
        }

    def _set(self, name: str, local: np.ndarray, world: np.ndarray) -> ParticleSet:
        rows = [i for i, s in enumerate(self.subjects) if self.status[s][name] == "used"]
        transforms = np.tile(np.eye(4), (len(local), 1, 1))
        transforms[:, :3, 3] = (world - local).mean(axis=1)
        return ParticleSet(self.subjects, self.splits, local, world, transforms).take(rows)

    def mask(self, subject: str, name: str) -> Volume:
        """The voxels of an anatomy, by their values, as booleans."""
        volume = self.volumes[subject]
        bright = name == "bright"
        return volume.with_array(volume.array > 150 if bright else volume.array < -150)

    def labels(self, subject: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The labels of a subject on the grid of its finer image, as their stage makes them."""
        grid = Volume(arrays["fine"], np.full(3, 3.0), arrays["fine_origin"])
        drawn = {
            row + 1: Segmentation(self.mask(subject, name), False, ())
            for row, name in enumerate(ANATOMIES)
            if self.status[subject][name] == "used"
        }
        known = np.ones(len(ANATOMIES), np.uint8)
        return {"labels": label_map(grid, drawn), "origin": grid.origin, "known": known}

    def write_tables(self, folder: Path) -> None:
        """Write the images, and the two tables of the survey."""
        subjects, rows = [], []
        for subject, split in zip(self.subjects, self.splits, strict=True):
            path = folder / "ct" / f"{subject}.nii.gz"
            images.write_image(self.volumes[subject], path)
            subjects.append(SubjectRecord(subject, split, "used", "", image=path))
            for name, status in self.status[subject].items():
                rows.append(AnatomyRecord(subject, name, split, status, image=path))
        write_subject_table(subjects, folder / "subjects.tsv")
        write_cohort(rows, folder / "cohort.tsv")

    def write(self, folder: Path) -> Path:
        """Write tensors, manifest and template as the stages do; return the folder."""
        entries, counts = [], np.zeros(65536)
        for subject, split in zip(self.subjects, self.splits, strict=True):
            arrays = image_arrays(self.volumes[subject], TENSORS)
            arrays |= shape_arrays(subject, self.particles, self.status[subject], ANATOMIES)
            tensors.save(arrays, folder / f"{subject}.safetensors")
            tensors.save(self.labels(subject, arrays), folder / f"labels/{subject}.safetensors")
            counts += histogram(arrays["image"], -1024.0) * (split == "train")
            shape = arrays["image"].shape
            entries.append(Entry(subject, split, f"{subject}.safetensors", "0", shape))
        sets = [self.particles[name] for name in ANATOMIES]
        medoids = [found.subjects[0] for found in sets]
        surfaces = [hull(found.local[0]) for found in sets]
        tensors.save(template_arrays(sets, medoids, surfaces, 4), folder / "template.safetensors")
        intensity = intensity_of(counts, TENSORS.intensity_percentiles, TENSORS.contrast)
        preprocessing = Preprocessing.of(TENSORS, intensity)
        manifest = Manifest(ANATOMIES, PARTICLES, preprocessing, tuple(entries))
        write_manifest(manifest, folder / "manifest.json")
        return folder
