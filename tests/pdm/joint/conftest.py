"""Subjects of three anatomies whose shapes are made from the same few scores."""

import pytest

from massm.pdm.joint.blocks import BlockSet
from tests.pdm.joint.population import Population, make_population


@pytest.fixture(scope="session")
def population() -> Population:
    return make_population()


@pytest.fixture
def complete(population) -> BlockSet:
    return population.blocks


@pytest.fixture
def gaps(population) -> BlockSet:
    return population.with_gaps()
