"""The engine's numbers stand in one place, each with its reason, and each is used."""

import ast
import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import pytest

from massm.pdm.embedded import tuning
from massm.pdm.embedded.tuning import TUNING, Tuning

MODULES = sorted(Path(tuning.__file__).parent.glob("*.py"))
FIELDS = {field.name for field in dataclasses.fields(Tuning)}
REQUIREMENTS = {"LEAST_SHAPES"}  # of the mathematics, not tuned


def is_number(node):
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(p, ast.Constant) and isinstance(p.value, int | float) for p in parts)


def test_no_module_of_the_engine_has_numbers_of_its_own():
    named = {
        target.id
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and is_number(node.value)
        for target in node.targets
    }
    assert named == REQUIREMENTS


def test_every_number_says_why():
    (body,) = (
        node.body
        for node in ast.parse(Path(tuning.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    explained = {
        before.target.id
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr)
    }
    assert explained == FIELDS


def test_every_number_is_used():
    texts = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    assert set(re.findall(r"TUNING\.(\w+)", texts)) == FIELDS


def test_no_number_can_be_changed_by_the_way():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TUNING.neighbors = 3
