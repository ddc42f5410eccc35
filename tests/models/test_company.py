"""A prediction does not depend on its company: other subjects, their number, sizes and order."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from massm.io.predictions import PredictedBoxes
from massm.models.families import build_model
from massm.models.interface import Boxes, Prediction
from massm.models.massm.model import Massm
from massm.models.predict import predict_subjects
from massm.models.saved import Description
from massm.tensors.augment import augment
from massm.tensors.dataset import SubjectDataset, generator_for
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from massm.training import fit as fitting
from massm.training.data import CohortData
from massm.training.module import TrainingModule
from tests.toy_cohort import Cohort, model_config, train_config

LEFT = ((18, 20, 21), (12, 20, 15), (18, 9, 21), (7, 6, 8))  # network voxels that are kept
NORMS = ["batch", "instance", "group"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=3, validation=3).write(tmp_path_factory.mktemp("tensors"))


class Cut(SubjectDataset):
    """Subjects of different sizes: the toy cohort's, cut at their far ends."""

    def __getitem__(self, index):
        return replace(super().__getitem__(index), scan=self.scan(index))

    def scan(self, index):
        scan = super().scan(index)
        (d, h, w) = LEFT[int(scan.subject[1:]) % len(LEFT)]
        fine = scan.fine[: d * 4 // 3, : h * 4 // 3, : w * 4 // 3]
        return replace(scan, image=scan.image[:d, :h, :w], fine=fine)

    def together(self, rows, multiple):
        """Their images, padded to one size."""
        return self.collate([self[row] for row in rows], multiple).images


@pytest.fixture(scope="module")
def subjects(folder):
    manifest = read_manifest(folder / "manifest.json")
    return Cut(folder, manifest, manifest.subjects)


def make(folder, norm, **changes):
    """Every option on; weights far from rest, so that particles depend on the image."""
    torch.manual_seed(0)
    config = model_config(
        backbone={"norm": norm, "levels": 4},
        roi={"native_size": 8},
        local={"class_wise": True, "basis_modes": 3},
        refine={"steps": 2},
        **changes,
    )
    template = load_template(folder / "template.safetensors")
    model = build_model(config, template, read_manifest(folder / "manifest.json").preprocessing)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def apart(one, other):
    """The largest difference of two predictions, mm (scores as they are)."""
    pairs = [(getattr(one.boxes, n), getattr(other.boxes, n)) for n in vars(one.boxes)]
    pairs += [(one.local, other.local)]
    pairs += [(one.world[name], other.world[name]) for name in one.world]
    if one.agreement is not None:
        pairs += [(one.agreement, other.agreement)]
    return max(float((a - b).abs().max()) for a, b in pairs)


def row(found, index):
    one = slice(index, index + 1)
    world = {name: value[one] for name, value in found.world.items()}
    boxes = Boxes(*(value[one] for value in vars(found.boxes).values()))
    agreement = None if found.agreement is None else found.agreement[one]
    return Prediction(boxes, found.local[one], world, agreement)


@pytest.mark.parametrize(
    ("norm", "looks"),
    [
        ("batch", {}),
        ("instance", {"box_updates": 1}),
        ("group", {"second_looks": 1, "close_up": {"widths": [4, 8]}}),
    ],
)
def test_alone_in_a_batch_and_in_any_order(folder, subjects, norm, looks):
    model = make(folder, norm, **looks)
    alone = [model.predict(subjects.together([i], model.stride)) for i in range(4)]
    for order in [*itertools.permutations(range(3)), (3, 1), (0, 3)]:
        found = model.predict(subjects.together(order, model.stride))
        for place, index in enumerate(order):
            assert apart(row(found, place), alone[index]) < 1e-3


@pytest.mark.parametrize("norm", NORMS)
@torch.no_grad()
def test_on_the_padded_grid_it_would_depend_on_it(folder, subjects, norm):
    """What the test above would find if nothing were cut off."""
    model = make(folder, norm).eval()
    alone = model.predict(subjects.together([1], model.stride))
    padded = model(subjects.together(range(3), model.stride))
    assert apart(row(padded, 1), alone) > 0.1


@pytest.mark.parametrize("norm", NORMS)
def test_neither_training_before_it_nor_chance_nor_precision_change_it(folder, subjects, norm):
    model = make(folder, norm, world={"head": "procrustes"})
    images = subjects.together(range(2), model.stride)
    first = model.predict(images)
    model.train()
    torch.manual_seed(9)
    torch.rand(7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        second = model.predict(images)
    assert apart(first, second) == 0


def test_augmented_images_keep_their_own_lattice(folder, subjects):
    """Training's images, whose heads read the fine image through a warp, cut and padded too."""
    model = make(folder, "group")
    manifest = subjects.manifest
    template = load_template(folder / "template.safetensors")
    samples = [
        augment(
            subjects[i],
            train_config().augment,
            template,
            manifest.preprocessing.intensity,
            manifest.preprocessing.spacing_mm,
            generator_for(0, 0, str(i)),
        )
        for i in range(3)
    ]
    together = model.predict(subjects.collate(samples, model.stride).images)
    for place, sample in enumerate(samples):
        alone = model.predict(subjects.collate([sample], model.stride).images)
        assert apart(row(together, place), alone) < 1e-3


def test_the_forward_pass_of_evaluation_is_the_prediction(folder, subjects):
    model = make(folder, "batch").eval()
    images = subjects.together(range(3), model.stride)
    for place, one in enumerate(images.each()):
        assert apart(model(one), row(model.predict(images), place)) == 0


def test_each_subject_of_a_batch_is_the_batch_of_it_alone(subjects):
    for row, one in enumerate(subjects.together(range(4), 8).each()):
        alone = subjects.together([row], 8)
        assert one.subjects == alone.subjects
        assert one.sizes == alone.sizes
        assert torch.equal(one.image.values, alone.image.values)
        assert torch.equal(one.fine.values, alone.fine.values)
        assert torch.equal(one.fine.origin, alone.fine.origin)


def describe(manifest, thresholds):
    return Description(
        model=model_config(),
        anatomies=manifest.anatomies,
        particles=manifest.particles,
        modes=4,
        preprocessing=manifest.preprocessing,
        thresholds=thresholds,
        trained={},
    )


def files(model, description, data, batch_size):
    """What is said of every subject, predicted in batches."""
    batches = data.images(description.preprocessing, multiple=model.stride, batch_size=batch_size)
    return dict(predict_subjects(model, description, batches, device="cpu"))


def plain(value):
    """Boxes as what numpy compares."""
    return vars(value) if isinstance(value, PredictedBoxes) else value


@pytest.mark.parametrize("size", [3])
def test_files_of_a_prediction_are_the_same_whatever_the_batch_size(folder, subjects, size):
    model = make(folder, "instance", box_updates=1)
    description = describe(subjects.manifest, {"bright": 0.0, "dark": 0.0})
    runs = [
        files(model, description, data, n)
        for data, n in (
            (subjects, 1),
            (Cut(folder, subjects.manifest, subjects.manifest.subjects[::-1]), size),
        )
    ]
    assert runs[0].keys() == runs[1].keys()
    for subject, said in runs[0].items():
        for name, value in vars(said).items():
            np.testing.assert_equal(plain(value), plain(getattr(runs[1][subject], name)))


def test_an_image_is_normalized_as_in_training_whatever_cohort_it_belongs_to(folder, subjects):
    model = make(folder, "group")
    description = describe(subjects.manifest, {"bright": 0.0, "dark": 0.0})
    trained = subjects.manifest.preprocessing
    intensity = replace(trained.intensity, low=-50.0, mean=40.0, std=9.0)
    other = replace(
        subjects.manifest, preprocessing=trained.model_copy(update={"intensity": intensity})
    )
    elsewhere = Cut(folder, other, subjects.entries)
    first, second = (files(model, description, data, 1) for data in (subjects, elsewhere))
    np.testing.assert_array_equal(first["t0"].local, second["t0"].local)


def test_thresholds_are_chosen_in_the_company_of_prediction(folder, monkeypatch):
    """Absence is learned from training images, presence from validation: all of them alone."""
    monkeypatch.setattr("massm.training.data.SubjectDataset", Cut)
    model = make(folder, "instance")
    manifest = read_manifest(folder / "manifest.json")
    template = load_template(folder / "template.safetensors")
    chosen = [
        fitting.choose_thresholds(
            model,
            CohortData(train_config(batch_size=size), folder, manifest, template, model.stride),
            0.5,
        )
        for size in (1, 3)
    ]
    assert chosen[0] == chosen[1]


def test_validation_errors_are_those_of_prediction(folder, subjects):
    model = make(folder, "instance")
    found = []
    for size in (1, 3):
        module = TrainingModule(model, train_config())
        module._counts = lambda batch, index: torch.ones(
            len(batch.images.subjects), dtype=torch.bool
        )
        for start in range(0, 6, size):
            samples = [subjects[i] for i in range(start, start + size)]
            module.validation_step(subjects.collate(samples, model.stride), start // size)
        found.append({name: torch.cat(values) for name, values in module._errors.items()})
    for name, values in found[0].items():
        torch.testing.assert_close(values, found[1][name], atol=1e-3, rtol=0)


@pytest.mark.parametrize(("rank", "expected"), [(0, [True, True]), (1, [True, False])])
def test_of_several_devices_none_measures_a_subject_again(subjects, rank, expected):
    """Three subjects on two devices: the second gets the first subject once more."""

    class Loader:
        batch_size = 2
        dataset = range(3)

    class Trainer:
        world_size = 2
        global_rank = rank
        val_dataloaders = Loader

    class Rank(TrainingModule):
        trainer = Trainer
        global_rank = rank

    batch = subjects.collate([subjects[0], subjects[1]], 8)
    module = Rank.__new__(Rank)
    assert TrainingModule._counts(module, batch, 0).tolist() == expected


def small(subjects):
    """A subject whose image has fewer voxels than the stride."""
    sample = subjects[3]
    return replace(sample, scan=replace(sample.scan, image=sample.scan.image[:5, :6, :7]))


def test_an_image_smaller_than_one_cell_of_the_coarsest_map(folder, subjects):
    """Alone its coarsest map has one cell; torch's instance normalization refuses that."""
    model = make(folder, "instance")
    assert model.stride > 7
    alone, together = (
        model.predict(subjects.collate(samples, model.stride).images)
        for samples in ([small(subjects)], [subjects[0], small(subjects)])
    )
    assert torch.isfinite(alone.local).all()
    assert apart(row(together, 1), alone) < 1e-3


def test_the_coarsest_map_of_one_cell_is_trained_too(folder, subjects):
    model = make(folder, "instance").train()
    assert isinstance(model, Massm)
    levels = model.pyramid(subjects.collate([small(subjects)], model.stride).images.image)
    assert levels[-1].values.shape[2:] == (1, 1, 1)
    assert torch.isfinite(levels[0].values).all()


def test_a_batch_knows_each_subjects_own_size(subjects):
    images = subjects.together([1, 2], 8)
    assert [size.image for size in images.sizes] == [(16, 24, 16), (24, 16, 24)]
    assert images.image.values.shape[2:] == (24, 24, 24)
    assert images.to("cpu").sizes == images.sizes
