"""config.yaml marks what the paper does not say; paper.yaml is without what is not in the paper."""

import re
from pathlib import Path

import pytest

from massm.config.loading import load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]
SECTIONS = ("correspond", "tensors", "models", "train", "predict")
ADDED, OPEN = "(not in the paper)", "(not stated)"

# What the paper prints (arXiv:2403.11008, as far as it has a key here).
PRINTED = {
    "correspond.particles": 1024,
    "models.massm.backbone.name": "resnet101",
    "models.massm.backbone.output_stride": 4,
    "models.massm.world.head": "cvae",
    "models.massm.world.latent": 32,
    "models.unet.networks": "each",
    "train.epochs": 300,
    "train.learning_rate": 1e-4,
    "train.decay": 0.9,
    "train.decay_every": 20,
    "models.massm.objective.weights.heatmap": {
        "first": 1.0,
        "from_epoch": 20,
        "step": 39.0,
        "last": 40.0,
    },
    "models.massm.objective.weights.radius": {
        "first": 0.01,
        "from_epoch": 0,
        "step": 0.0,
        "last": 0.01,
    },
    "models.massm.objective.weights.offset": {
        "first": 1.0,
        "from_epoch": 0,
        "step": 0.0,
        "last": 1.0,
    },
    "models.massm.objective.weights.local": {
        "first": 0.0,
        "from_epoch": 20,
        "step": 0.2,
        "last": 2.0,
    },
    "models.massm.objective.weights.world": {
        "first": 0.0,
        "from_epoch": 40,
        "step": 0.2,
        "last": 2.0,
    },
    "models.massm.objective.loss.focal_alpha": 3.0,
    "models.massm.objective.loss.focal_beta": 4.0,
    "models.massm.objective.loss.shrinkage_a": 10.0,
    "models.massm.objective.loss.shrinkage_c": 0.2,
}

# How each addition is switched off: its key, or the one key of its section that decides.
OFF = {
    "correspond.backend": "shapeworks",
    "correspond.populations": {},
    "correspond.joint": ("correspond.joint.anatomies", []),
    "correspond.entropy": ("correspond.backend", "shapeworks"),
    "correspond.project": ("correspond.backend", "shapeworks"),
    "tensors.fine_spacing_mm": None,
    "tensors.crop_air_hu": None,
    "tensors.contrast": None,
    "tensors.mirror_pairs": ("train.augment.mirror_probability", 0.0),
    "models.massm.detection.class_wise": False,
    "models.massm.detection.reach_cells": 0,
    "models.massm.roi.margin": 1.0,
    "models.massm.roi.native_size": 0,
    "models.massm.local.dropout": 0.0,
    "models.massm.local.class_wise": False,
    "models.massm.local.basis_modes": 0,
    "models.massm.refine": ("models.massm.refine.steps", 0),
    "models.massm.close_up": ("models.massm.close_up.widths", []),
    "models.massm.world.pretrain_spread": 0.0,
    "models.massm.world.encoder_steps": 0,
    "models.massm.world.shrinkage": False,
    "train.weight_decay": 0.0,
    "train.gradient_clip": 0.0,
    "models.massm.objective.weights.refine": ("models.massm.refine.steps", 0),
    "models.massm.objective.weights.segment": ("models.massm.close_up.widths", []),
    "models.massm.objective.loss.shrinkage": "vector",
    "models.massm.objective.loss.offset_unit": "voxels",
    "models.massm.objective.loss.particle_unit_mm": 1.0,
    "models.massm.objective.loss.world_unit_mm": 1.0,
    "models.massm.objective.teacher.missed_boxes": "keep",
    "models.massm.objective.teacher.jitter_center_mm": 0.0,
    "models.massm.objective.teacher.jitter_radius": 0.0,
    "train.augment": ("train.augment.probability", 0.0),
    "train.precision": "32-true",
    "models.massm.second_looks": 0,
    "models.massm.box_updates": 0,
    "models.deepssm_local.lattice.jitter_mm": 0.0,
    "models.deepssm_local.lattice.jitter_deg": 0.0,
    "models.massm.refine_updates": ("models.massm.refine.steps", 0),
}

# Keys that say how something else works that is switched by a key above, or where work is done.
SILENT = {
    "tensors.crop_margin_mm", "tensors.modes", "models.massm.roi.native_channels",
    "models.massm.local.train_basis", "correspond.device", "correspond.threads",
    "train.accelerator", "train.devices", "train.threads", "train.workers", "predict.splits",
    "predict.batch_size", "predict.accelerator", "predict.threads", "models.massm.family",
    "models.massm.label", "models.massm.train", "models.unet.family", "models.unet.label",
    "models.unet.train",
}  # fmt: skip

# Models beside the paper's: bounds, DeepSSM without the truth, the U-Net's surfaces fitted.
BESIDE = (
    "models.mean_shape", "models.pca_oracle", "models.truth", "models.deepssm_world_detected",
    "models.unet_fit",
)  # fmt: skip

# What no key could switch off: without a presence threshold every organ would be in every image.
NEEDED = {"train.threshold_fraction"}


@pytest.fixture(scope="module")
def values():
    return read_yaml(ROOT / "config.yaml")


@pytest.fixture(scope="module")
def paper(values):
    preset = read_yaml(ROOT / "workflow" / "presets" / "paper.yaml")
    return load_config(merge(values, preset)).model_dump(mode="json")


@pytest.fixture(scope="module")
def marks():
    """Of every key of config.yaml its path and the comment of its line."""
    found, above = {}, []
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        match = re.match(r"( *)([a-z_0-9]+):", line)
        if match:
            above = [(depth, key) for depth, key in above if depth < len(match[1])]
            above.append((len(match[1]), match[2]))
            found[".".join(key for _, key in above)] = line.partition("#")[2]
    return found


def value_at(values, path):
    for key in path.split("."):
        values = values[key]
    return values


def marked(marks, mark):
    return {path for path, text in marks.items() if mark in text and path.startswith(SECTIONS)}


def with_above(path):
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def test_every_key_is_printed_or_marked(marks):
    told = set(PRINTED) | SILENT | set(BESIDE) | marked(marks, ADDED) | marked(marks, OPEN)
    sections = {path for path in marks if any(other.startswith(path + ".") for other in marks)}
    leaves = {path for path in marks if path.startswith(SECTIONS)} - sections
    assert [path for path in sorted(leaves) if not set(with_above(path)) & told] == []


def test_no_printed_value_is_marked_as_ours(marks):
    assert not set(PRINTED) & (marked(marks, ADDED) | marked(marks, OPEN))


def test_printed_values_are_those_of_both_files(values, paper):
    for path, expected in PRINTED.items():
        assert value_at(values, path) == expected, path
        assert value_at(paper, path) == expected, path


def test_every_addition_has_a_switch(marks):
    assert marked(marks, ADDED) == set(OFF) | NEEDED


@pytest.mark.parametrize("addition", OFF)
def test_the_papers_preset_is_without_it(paper, addition):
    switch = OFF[addition]
    path, expected = switch if isinstance(switch, tuple) else (addition, switch)
    assert value_at(paper, path) == expected


def test_the_head_explains_the_marks():
    head = (ROOT / "config.yaml").read_text(encoding="utf-8").split("\n\n")[0]
    assert ADDED in head
    assert OPEN in head
