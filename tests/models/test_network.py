"""MASSM: its parts, its objective, and one overfitted batch."""

from dataclasses import replace

import pytest
import torch

from massm.models.families import build_model
from massm.models.interface import LossTerms, Prediction, Step, TrainingParticles
from massm.models.massm import objective
from massm.models.massm.detection import decode, detection_losses
from massm.models.massm.objective import Teacher, loss_terms, targets_of, teacher_of, weights_of
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.tensors.sample import Truth
from massm.tensors.template import load_template
from tests.toy_cohort import ANATOMIES, PARTICLES, Cohort, model_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def manifest(folder):
    return read_manifest(folder / "manifest.json")


def make(folder, manifest, **changes):
    torch.manual_seed(0)
    template = load_template(folder / "template.safetensors")
    return build_model(model_config(**changes), template, manifest.preprocessing)


def make_batch(folder, manifest, model, subjects=slice(0, 4)):
    labels = folder / "labels"
    dataset = SubjectDataset(folder, manifest, manifest.subjects[subjects], labels=labels)
    return dataset.collate([dataset[i] for i in range(len(dataset))], model.stride)


def without_truth(batch):
    unknown = {
        name: torch.full_like(getattr(batch.truth, name), torch.nan)
        for name in ("center", "radius", "local", "world")
    }
    presence = torch.full_like(batch.truth.presence, -1)
    return replace(batch, truth=Truth(presence, **unknown))


def teacher(probability=0.5, seed=0, missed_boxes="replace"):
    return Teacher(probability, 1.0, 0.05, missed_boxes, torch.Generator().manual_seed(seed))


def handed(model, batch, *given):
    """The terms with a teacher that hands out as much as is said, whatever the epoch."""
    return loss_terms(model, batch, teacher(*given))


def total(terms, weights=None):
    return LossTerms(terms, weights or dict.fromkeys(terms, 1.0)).total()


@pytest.mark.parametrize("head", ["cvae", "procrustes"])
@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("shrinkage", [False, True])
def test_shapes_of_a_prediction(folder, manifest, head, steps, shrinkage):
    world = {"head": head, "shrinkage": shrinkage}
    model = make(folder, manifest, world=world, refine={"steps": steps})
    batch = make_batch(folder, manifest, model)
    found = model.predict(batch.images)
    assert found.boxes.score.shape == (4, 2)
    assert found.boxes.center.shape == found.boxes.radius.shape == (4, 2, 3)
    assert found.local.shape == (4, 2, PARTICLES, 3)
    assert set(found.world) == {"cvae", "procrustes"} | ({"shrinkage"} if shrinkage else set())
    assert all(torch.isfinite(world).all() for world in found.world.values())


def test_an_untrained_network_predicts_the_template_at_its_center(folder, manifest):
    model = make(folder, manifest)
    template = load_template(folder / "template.safetensors")
    found = model.predict(make_batch(folder, manifest, model).images)
    expected = template.local + found.boxes.center[:, :, None]
    torch.testing.assert_close(found.local, expected, atol=3.0, rtol=0)


def test_with_basis_modes_it_starts_from_the_mean(folder, manifest):
    model = make(folder, manifest, local={"basis_modes": 3})
    template = load_template(folder / "template.safetensors")
    found = model.predict(make_batch(folder, manifest, model).images)
    expected = template.center_local + found.boxes.center[:, :, None]
    torch.testing.assert_close(found.local, expected, atol=3.0, rtol=0)


@pytest.mark.parametrize("pooling", ["flatten", "average"])
@pytest.mark.parametrize("native", [0, 8])
@pytest.mark.parametrize("class_wise", [False, True])
@pytest.mark.parametrize("widths", [[], [4, 8]])
def test_every_option_gives_finite_losses_and_gradients(
    folder, manifest, pooling, native, class_wise, widths
):
    model = make(
        folder,
        manifest,
        roi={"pooling": pooling, "native_size": native},
        local={"class_wise": class_wise},
        detection={"class_wise": class_wise},
        refine={"steps": 1},
        close_up={"widths": widths},
        world={"head": "cvae" if class_wise else "procrustes"},
    )
    terms = handed(model, make_batch(folder, manifest, model))
    assert tuple(sorted(terms)) == tuple(sorted(model.terms))
    assert ("segment" in terms) == bool(widths)
    total(terms).backward()
    for name, parameter in model.named_parameters():
        idle = name.startswith("worlds.cvae") and not class_wise
        if parameter.requires_grad and not idle:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


def test_the_prediction_does_not_depend_on_the_rest_of_the_batch(folder, manifest):
    model = make(folder, manifest, refine={"steps": 1})
    alone = model.predict(make_batch(folder, manifest, model, slice(1, 2)).images)
    together = model.predict(make_batch(folder, manifest, model, slice(0, 4)).images)
    assert torch.equal(alone.local[0], together.local[1])


def local_terms(folder, manifest, monkeypatch, off, missed_boxes):
    """The local term with true boxes, and with predicted ones that lie ``off`` radii beside."""
    model = make(folder, manifest).eval()
    batch = make_batch(folder, manifest, model)

    def shifted(maps):
        return replace(decode(maps), center=batch.truth.center + off * batch.truth.radius)

    monkeypatch.setattr(objective, "decode", shifted)
    return [
        loss_terms(model, batch, teacher(probability, missed_boxes=missed_boxes))["local"]
        for probability in (1.0, 0.0)
    ]


@pytest.mark.parametrize(("off", "trains"), [(0.7, True), (1.3, False)])
def test_a_box_that_misses_its_organ_does_not_train_the_local_head(
    folder, manifest, monkeypatch, off, trains
):
    taught, predicted = local_terms(folder, manifest, monkeypatch, off, "replace")
    assert (predicted != taught) == trains


def test_as_printed_a_box_that_misses_its_organ_is_kept(folder, manifest, monkeypatch):
    near, far = (local_terms(folder, manifest, monkeypatch, off, "keep") for off in (0.7, 1.3))
    assert near[0] == far[0]
    assert far[1] > near[1] > near[0]


def test_an_organ_whose_box_misses_it_can_be_left_out(folder, manifest, monkeypatch):
    kept, skipped = (
        local_terms(folder, manifest, monkeypatch, 1.3, way) for way in ("keep", "skip")
    )
    assert skipped == [kept[0], 0]
    near = [local_terms(folder, manifest, monkeypatch, 0.7, way) for way in ("keep", "skip")]
    assert near[0] == near[1]


@pytest.mark.parametrize(("unit", "factor"), [("cells", 1), ("voxels", 2), ("mm", 8)])
def test_offset_errors_are_in_the_unit_asked_for(folder, manifest, unit, factor):
    """Errors far above c cost their square: twice the unit, four times the loss."""
    model = make(folder, manifest)
    batch = make_batch(folder, manifest, model)
    maps = model.detect(model.pyramid(batch.images.image))
    maps = replace(maps, offset=maps.offset + 50)
    config = model.config.objective.loss
    found = [
        detection_losses(
            maps,
            targets_of(model, maps, batch),
            config=config.model_copy(update={"offset_unit": name}),
        )["offset"]
        for name in ("cells", unit)
    ]
    assert found[1].item() == pytest.approx(factor**2 * found[0].item(), rel=1e-4)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_organ_behind_the_end_of_its_scan_is_absent_though_the_grid_goes_on(
    folder, manifest, axis
):
    """A scan that ends before the organ is padded to the size of another one, which has it."""
    model = make(folder, manifest)
    labels = folder / "labels"
    dataset = SubjectDataset(folder, manifest, manifest.subjects[:1], labels=labels)
    whole = dataset[0]
    spacing, scan = manifest.preprocessing.spacing_mm, whole.scan
    edge = whole.truth.center[0, axis] - 0.8 * whole.truth.radius[0, axis] - scan.origin[axis]
    kept = [slice(None)] * 3
    kept[2 - axis] = slice(0, int(edge / spacing) + 1)
    ended = replace(whole, scan=replace(scan, image=scan.image[tuple(kept)].clone()))
    batch = dataset.collate([whole, ended], model.stride)
    targets = targets_of(model, model.detect(model.pyramid(batch.images.image)), batch)
    assert targets.present[:, 0].tolist() == [True, False]
    assert targets.known[:, 0].tolist() == [True, True]
    assert targets.heat[1, 0].eq(0).all()


def test_a_batch_where_nothing_is_known_costs_nothing(folder, manifest):
    model = make(folder, manifest, refine={"steps": 1})
    batch = make_batch(folder, manifest, model)
    unknown = without_truth(batch)
    cost = total(handed(model, unknown))
    cost.backward()
    assert cost == 0
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_one_batch_is_learned_by_heart(folder, manifest):
    """Four subjects, one of them without the dark organ: found, placed, shaped, aligned."""
    model = make(
        folder,
        manifest,
        local={"dropout": 0.0},
        refine={"steps": 1},
        world={"head": "cvae"},
    )
    batch = make_batch(folder, manifest, model)
    there = batch.truth.presence.eq(1)
    shapes = TrainingParticles(
        batch.truth.local, batch.truth.world, there, torch.zeros(len(there), 3)
    )
    model.prepare(lambda: shapes, torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 5e-3)
    weights = {"heatmap": 1.0, "radius": 0.1, "offset": 1.0, "local": 2.0, "world": 1.0}
    weights["refine"] = 2.0
    model.train()
    for step in range(100):
        terms = handed(model, batch, max(0.0, 1 - step / 50), step)
        optimizer.zero_grad()
        total(terms, weights).backward()
        optimizer.step()
    found = model.predict(batch.images)
    assert found.boxes.score[there].min() > 0.5
    assert found.boxes.score[~there].max() < 0.2
    assert len(batch.truth.presence[~there]) == 1
    truth, spacing_mm = batch.truth, manifest.preprocessing.spacing_mm
    assert (found.boxes.center - truth.center)[there].abs().max() < spacing_mm
    assert (found.local - truth.local)[there].norm(dim=-1).mean() < 2.0
    assert (found.world["cvae"] - truth.world)[there].norm(dim=-1).mean() < 2.0
    assert (found.world["procrustes"] - truth.world)[there].norm(dim=-1).mean() < 2.0


def test_an_updated_box_is_that_of_the_particles(folder, manifest):
    model = make(folder, manifest, box_updates=1)
    batch = make_batch(folder, manifest, model)
    once, again = model.forward_each(batch.images), model.predict(batch.images)
    torch.testing.assert_close(again.boxes.score, once.boxes.score)
    low, high = again.local.amin(dim=2), again.local.amax(dim=2)
    torch.testing.assert_close(again.boxes.center, (low + high) / 2)
    torch.testing.assert_close(again.boxes.radius, (high - low) / 2)
    # what is found now is what the model finds in the box of what it found first
    levels = model.pyramid(batch.images.image)
    low, high = once.local.amin(dim=2), once.local.amax(dim=2)
    expected = model.look(levels, batch.images, (low + high) / 2, (high - low) / 2)
    torch.testing.assert_close(again.local, expected.local)


def test_a_total_without_any_weight_is_refused():
    with pytest.raises(ValueError, match="every loss weight is 0; see the model's objective"):
        LossTerms({"local": torch.tensor(1.0)}, {"local": 0.0}).total()


def test_the_epoch_decides_what_the_loss_weighs_and_how_much_truth_is_handed_out(folder, manifest):
    falling = {"first": 1.0, "from_epoch": 2, "step": -0.5, "last": 0.0}
    changes = {"weights": {"local": falling}, "teacher": {"probability": falling}}
    model = make(folder, manifest, objective=changes)
    settings = model.config.objective
    assert [weights_of(settings, epoch)["local"] for epoch in (1, 2, 3)] == [
        1.0,
        0.5,
        0.0,
    ]
    steps = [Step(epoch, torch.Generator().manual_seed(0)) for epoch in (1, 2, 3)]
    assert [teacher_of(settings, step).probability for step in steps] == [1.0, 0.5, 0.0]
    batch = make_batch(folder, manifest, model, slice(0, 1))
    losses = model.loss(batch, steps[2])
    expected = weights_of(settings, 3)
    assert losses.weights == {name: expected[name] for name in model.terms}
    assert not losses.uses("local")


def test_errors_need_the_parts_that_are_measured(folder, manifest):
    model = make(folder, manifest)
    batch = make_batch(folder, manifest, model, slice(0, 1))
    assert tuple(model.validate(batch)) == model.errors
    with pytest.raises(ValueError, match="found neither"):
        model.errors_of(Prediction(), batch.truth)


def test_anatomies_keep_their_order(manifest):
    assert manifest.anatomies == ANATOMIES


def test_mixed_precision_leaves_coordinates_alone(folder, manifest):
    model = make(folder, manifest, refine={"steps": 1}).eval()
    batch = make_batch(folder, manifest, model)
    template = load_template(folder / "template.safetensors")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model.predict(batch.images)
        terms = handed(model, batch)
    assert found.local.dtype == torch.float32
    # Head outputs near rest: particles are the template at the center, to far below a voxel.
    expected = template.local + found.boxes.center[:, :, None]
    middle = (found.local - expected).mean(dim=2)
    assert middle.abs().max() < 3.0
    aligned = found.world["procrustes"].std(dim=2)
    torch.testing.assert_close(aligned, found.local.std(dim=2), atol=0.5, rtol=0)
    assert all(torch.isfinite(term) for term in terms.values())
