"""A small population of ellipsoids, with its engine settings."""

import numpy as np
import pytest

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from tests.pdm.shapes import engine_settings, sphere


@pytest.fixture(scope="session")
def ellipsoids() -> list[Mesh]:
    """Seven ellipsoids, each stretched along one or two axes, mm."""
    radii = [(20, 14, 10), (24, 14, 10), (20, 17, 10), (20, 14, 12), (23, 16, 10), (18, 14, 11)]
    base = sphere(3)
    return [Mesh(base.vertices * np.array(r, float), base.faces) for r in [*radii, (21, 13, 9)]]


@pytest.fixture(scope="session")
def names(ellipsoids) -> list[str]:
    return [f"s{row}" for row in range(len(ellipsoids))]


@pytest.fixture(scope="session")
def settings() -> CorrespondConfig:
    return engine_settings()
