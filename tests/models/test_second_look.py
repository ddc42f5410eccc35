"""Second looks: what close-ups show beside particles, and which of both stays."""

from dataclasses import replace

import pytest
import torch

from massm.models.families import build_model
from massm.models.massm.close_up import View
from massm.models.massm.network import Glance
from massm.models.massm.refine import SurfaceFrames
from massm.models.massm.second_look import agreement, shown_box, shown_boxes
from massm.tensors.dataset import SubjectDataset
from massm.tensors.grid import Grid
from massm.tensors.manifest import read_manifest
from massm.tensors.sample import Template
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, model_config, sphere_points

RADIUS_MM = 12.0
SPACING_MM = 2.0
CENTER = torch.tensor([5.0, -7.0, 30.0])


def unit_sphere():
    return torch.from_numpy(sphere_points(100)).float()


def view_of(is_shown):
    """A close-up around CENTER, of 2 mm voxels, that is sure of what it shows."""
    odds = torch.where(is_shown, 3.0, -3.0)[None, None]
    size = torch.tensor(is_shown.shape[::-1])
    grid = Grid(odds, (CENTER - (size - 1) * SPACING_MM / 2)[None], SPACING_MM)
    return View(grid, grid, odds.expand(-1, 2, -1, -1, -1))


def points():
    return view_of(torch.zeros(24, 22, 20, dtype=torch.bool)).odds.points()[0]


def ball():
    """A close-up that shows a ball around CENTER."""
    return view_of((points() - CENTER).norm(dim=-1) < RADIUS_MM)


@pytest.fixture
def frames():
    sphere = unit_sphere()[None]
    shapes = replace(Template.blank(1, 100, 0), local=RADIUS_MM * sphere, normals=sphere)
    return SurfaceFrames(shapes, neighbors=6)


def test_particles_on_the_surface_of_what_is_shown_agree(frames):
    local = (CENTER + RADIUS_MM * unit_sphere())[None, None]
    assert agreement(local, [ball()], frames) > 0.95


@pytest.mark.parametrize("off_mm", [4.0, 8.0, 12.0])
def test_the_farther_off_they_are_the_less(frames, off_mm):
    local = (CENTER + RADIUS_MM * unit_sphere())[None, None]
    off = torch.tensor([off_mm, 0.0, 0.0])
    near = agreement(local + off / 2, [ball()], frames)
    assert agreement(local + off, [ball()], frames) < near


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_close_up_that_shows_everything_or_nothing_says_one_half(frames, everywhere):
    local = (CENTER + RADIUS_MM * unit_sphere())[None, None]
    view = view_of(torch.full((24, 22, 20), everywhere))
    assert agreement(local, [view], frames) == pytest.approx(0.5)


def test_the_box_of_what_is_shown_is_that_of_its_voxels():
    is_shown = torch.zeros(24, 22, 20, dtype=torch.bool)
    is_shown[4:16, 6:12, 2:10] = True  # z, y, x
    is_shown[22, 20, 18] = True  # one that lies elsewhere
    center, radius, seen = shown_box(view_of(is_shown))
    first = points()[4, 6, 2] - SPACING_MM / 2
    last = points()[15, 11, 9] + SPACING_MM / 2
    assert seen.all()
    torch.testing.assert_close(center[0], (first + last) / 2)
    torch.testing.assert_close(radius[0], (last - first) / 2)


def test_where_nothing_is_shown_or_asked_the_box_stays():
    nothing = view_of(torch.zeros(24, 22, 20, dtype=torch.bool))
    center, radius = torch.rand(1, 3, 3), torch.rand(1, 3, 3)
    asked = torch.tensor([[True, False, True]])
    found = shown_boxes([nothing, ball(), ball()], center, radius, asked)
    for new, old in zip(found, (center, radius), strict=True):
        torch.testing.assert_close(new[:, :2], old[:, :2])
    torch.testing.assert_close(found[0][0, 2], CENTER)
    torch.testing.assert_close(found[1][0, 2], torch.full((3,), RADIUS_MM))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        ([0.6, 0.7], [0.9, 0.9], [False, False]),
        ([0.6, 0.95], [0.9, 1.0], [False, True]),  # only where there is doubt
        ([0.6, 0.7], [0.9, 0.72], [False, True]),  # only what is clearly better
        ([0.95, 0.95], None, [True, True]),  # nothing is looked at again
    ],
)
def test_what_agrees_better_stays(folder, monkeypatch, first, second, stays):
    manifest = read_manifest(folder / "manifest.json")
    config = model_config(refine={"steps": 1}, close_up={"widths": [4, 8]}, second_looks=1)
    template = load_template(folder / "template.safetensors")
    model = build_model(config, template, manifest.preprocessing)
    dataset = SubjectDataset(folder, manifest, manifest.subjects[:1])
    images = dataset.collate([dataset[0]], model.stride).images
    boxes = torch.rand(2, 1, 2, 3) + 1
    looks = []

    def look(levels, images, center, radius, refine_updates=None):
        agreed = torch.tensor([first, second][len(looks)])[None]
        local = torch.full((1, 2, len(template.local[0]), 3), float(len(looks)))
        looks.append((center, radius))
        return Glance(center, radius, local, [ball(), ball()], agreed)

    monkeypatch.setattr(model, "look", look)
    one = look([], images, *boxes)
    found = model.look_again(one, [], images)
    assert len(looks) == (1 if second is None else 2)
    for k, kept in enumerate(stays):
        assert (found.local[0, k] == (0.0 if kept else 1.0)).all()
        source = (one.center, CENTER)[not kept]
        torch.testing.assert_close(found.center[0, k], source[0, k] if kept else source)
        chosen = first if kept else second
        assert found.agreement[0, k] == pytest.approx(chosen[k])


def test_the_box_is_that_of_the_particles_that_stay(folder, monkeypatch):
    manifest = read_manifest(folder / "manifest.json")
    config = model_config(refine={"steps": 1}, close_up={"widths": [4, 8]}, second_looks=1)
    torch.manual_seed(0)
    model = build_model(
        config, load_template(folder / "template.safetensors"), manifest.preprocessing
    )
    dataset = SubjectDataset(folder, manifest, manifest.subjects[:2])
    images = dataset.collate([dataset[0], dataset[1]], model.stride).images
    once, twice = model.forward_each(images), model.predict(images)
    assert twice.agreement.shape == (2, 2)
    assert (twice.agreement >= once.agreement - 1e-6).all()
    monkeypatch.setattr(model, "look_again", moved)
    pairs = (vars(prediction.boxes).values() for prediction in (model.predict(images), once))
    for found, before in zip(*pairs, strict=True):
        torch.testing.assert_close(found, before + (1.0 if found.ndim == 3 else 0.0))


def moved(look, levels, images, refine_updates=None):
    return look._replace(center=look.center + 1, radius=look.radius + 1)
