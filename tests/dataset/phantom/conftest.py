"""The atlas is built once for all tests of the phantom."""

import pytest

from massm.dataset.phantom.cohort import build_atlas
from tests.dataset.phantom.small import phantom_config


@pytest.fixture(scope="package")
def atlas():
    return build_atlas(phantom_config())
