"""The models that come with the package fit the code beside them."""

import numpy as np
import pytest
import torch

from massm.geometry.volume import Volume
from massm.inference import pretrained
from massm.inference.bundle import load_bundle
from massm.inference.card import card_of
from massm.inference.folder import CARD
from massm.models.saved import load_model
from massm.tensors.preprocessing import images_of, scan_of


@pytest.mark.parametrize("name", pretrained.names())
def test_one_that_came_with_the_package_is_read_whole_and_predicts_as_it_was_trained(name, rng):
    bundle = load_bundle(pretrained.find(name))
    entry = bundle.description.model
    assert entry.refine_updates is None
    explicit = entry.model_copy(update={"refine_updates": entry.refine.steps})
    body = np.full((40, 40, 40), 40.0) + rng.normal(0, 20, (40, 40, 40))
    volume = Volume(body.astype(np.float32), np.full(3, 6.0), np.zeros(3))
    used = bundle.description.preprocessing
    images = images_of([scan_of("s", volume, used)], used, bundle.model.stride)
    found = load_model(bundle.folder)[0].predict(images)
    assert torch.isfinite(found.local).all()
    assert torch.equal(found.local, load_model(bundle.folder, explicit)[0].predict(images).local)


@pytest.mark.parametrize("name", pretrained.names())
def test_its_card_is_what_its_facts_say(name):
    bundle = load_bundle(pretrained.find(name))
    files = {each: mark for each, mark in bundle.files.items() if each != CARD}
    made = {"versions": bundle.versions, "commit": bundle.commit, "files": files}
    made["intervals"] = bundle.intervals
    assert bundle.card == card_of(bundle.description, bundle.facts, **made)


def test_there_is_one():
    assert "head-neck" in pretrained.names()
