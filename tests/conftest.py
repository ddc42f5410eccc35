"""What all tests share: checked array shapes, one thread, small meshes and volumes."""

from jaxtyping import install_import_hook

# Before any test imports massm: array arguments are checked against their annotations.
install_import_hook("massm", "beartype.beartype")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

from massm.geometry.mesh import Mesh  # noqa: E402
from massm.geometry.volume import Volume  # noqa: E402

torch.set_num_threads(1)  # as many tests as cores run side by side

# Properties are tried on the same few examples in every run, however slow the machine is.
settings.register_profile("massm", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("massm")


@pytest.fixture
def rng():
    """A seeded source of random numbers."""
    return np.random.default_rng(0)


@pytest.fixture
def cube():
    """A cube of 2 mm around (10, 20, 30) with outward faces."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    return Mesh(corners + [10, 20, 30], np.array(faces))


@pytest.fixture
def volume(rng):
    """An oblique volume with three different sizes and spacings."""
    angle = np.deg2rad(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    return Volume(
        rng.normal(size=(5, 6, 7)).astype(np.float32),
        np.array([0.8, 1.1, 2.5]),
        np.array([-100.5, 33.0, -712.25]),
        turn,
    )


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory):
    """A results folder of ellipsoids whose errors are known, up to the paired tests."""
    from tests.evaluate.synthetic import evaluate, write_results

    return evaluate(write_results(tmp_path_factory.mktemp("evaluated")))
