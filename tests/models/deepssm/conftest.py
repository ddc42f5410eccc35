"""A toy cohort, and what training is given of it."""

import pytest

from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from massm.training.data import CohortData
from tests.toy_cohort import Cohort, train_config


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def folder(cohort, tmp_path_factory):
    return cohort.write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def data(folder):
    template = load_template(folder / "template.safetensors")
    manifest = read_manifest(folder / "manifest.json")
    return CohortData(train_config(batch_size=3), folder, manifest, template, 1)


@pytest.fixture(scope="module")
def particles(data):
    return data.particles()


@pytest.fixture(scope="module")
def batch(data):
    return next(data.batches("train"))
