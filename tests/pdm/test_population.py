"""What a population is: its members' shapes together, and each member's share of a result."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.pdm.correspondence import empty_correspondence
from massm.pdm.groomed import Member, no_shapes
from massm.pdm.population import Population
from tests.pdm.shapes import sphere

BALL = sphere(0)


def member(anatomy, training=("s1", "s0"), others=("s2",)):
    made = Member(anatomy, no_shapes(), no_shapes())
    for shapes, names, split in ((made.training, training, "train"), (made.others, others, "test")):
        for name in names:
            shapes.add(name, split, Path(f"{name}/{anatomy}.vtp"), BALL, np.eye(4))
    return made


def found(names, failed):
    """A result whose numbers tell the rows apart."""
    count = len(names)
    empty = empty_correspondence(failed, 5)
    rows = {
        name: np.arange(count).astype(value.dtype)
        for name, value in vars(empty.diagnostics).items()
    }
    points = np.arange(count)[:, None, None] * np.ones((count, 5, 3))
    return replace(
        empty,
        names=tuple(names),
        particles=points,
        world=points,
        procrustes=np.zeros((count, 4, 4)),
        diagnostics=replace(empty.diagnostics, **rows),
    )


@pytest.fixture
def kidneys():
    return Population("kidney", (member("left"), member("right", training=("s0",))))


def test_a_population_of_one_is_its_anatomy():
    one = member("spleen")
    population = Population("spleen", (one,))
    assert population.training is one.training
    assert population.others is one.others
    assert population.title == "spleen"
    assert population.groups(("s1", "s0")) is None
    result = found(["s1", "s0"], {})
    assert population.of(result, "spleen") is result


def test_shapes_of_two_anatomies_are_pooled_under_names_of_both(kidneys):
    assert kidneys.title == "left and right"
    assert kidneys.training.names == ["s1/left", "s0/left", "s0/right"]
    assert kidneys.others.names == ["s2/left", "s2/right"]
    assert kidneys.others.splits == {"s2/left": "test", "s2/right": "test"}
    assert kidneys.training.files["s0/right"] == Path("s0/right.vtp")
    assert kidneys.groups(("s0/left", "s0/right", "s1/left")) == ["s0", "s0", "s1"]


def test_each_anatomy_takes_its_own_part_of_a_result(kidneys):
    result = found(["s0/right", "s1/left", "s0/left"], {"s2/left": "it is open", "s2/right": "bad"})
    left, right = (kidneys.of(result, side) for side in ("left", "right"))
    assert (left.names, right.names) == (("s1", "s0"), ("s0",))
    assert (left.failed, right.failed) == ({"s2": "it is open"}, {"s2": "bad"})
    assert left.world[:, 0, 0].tolist() == left.diagnostics.residual.tolist() == [1, 2]


def test_a_population_without_training_shapes_of_a_member_is_refused():
    with pytest.raises(DataError, match="right: no training subject has a groomed and aligned"):
        Population("kidney", (member("left"), member("right", training=())))


def test_a_population_without_members_is_refused():
    with pytest.raises(DataError, match="kidney: a population has one anatomy or more"):
        Population("kidney", ())
