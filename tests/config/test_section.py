"""What a stage is rerun for, and what it gets to see."""

import typing
from pathlib import Path

import pytest

from massm.config.correspond import USES, CorrespondConfig
from massm.config.evaluate import ComparisonConfig
from massm.config.loading import load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def configure():
    values = merge(read_yaml(ROOT / "config.yaml"), {"train": {"precision": "32-true"}})
    return lambda changes: load_config(merge(values, changes))


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("correspond", {"shapeworks": {"relative_weighting": 7.0}}),
        ("train", {"accelerator": "cpu", "threads": 3, "workers": 1}),
        ("predict", {"batch_size": 1, "accelerator": "cpu", "threads": 3}),
    ],
)
def test_what_does_not_change_results_is_not_result_relevant(configure, section, change):
    before, after = (getattr(configure(c), section) for c in ({}, {section: change}))
    assert before != after
    assert before.result_relevant() == after.result_relevant()


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("correspond", {"backend": "shapeworks"}),
        ("correspond", {"entropy": {"step": 0.2}}),
        ("correspond", {"threads": 2}),
        ("train", {"batch_size": 3}),
        ("train", {"devices": 2}),
        ("train", {"precision": "bf16-mixed"}),
        ("predict", {"splits": ["test"]}),
    ],
)
def test_what_changes_results_is_result_relevant(configure, section, change):
    before, after = (getattr(configure(c), section) for c in ({}, {section: change}))
    assert before.result_relevant() != after.result_relevant()


def test_the_engine_in_use_is_result_relevant_whichever_it_is(configure):
    shapeworks = {"correspond": {"backend": "shapeworks"}}
    other = merge(shapeworks, {"correspond": {"entropy": {"step": 0.2}}})
    own = merge(shapeworks, {"correspond": {"shapeworks": {"relative_weighting": 7.0}}})
    before = configure(shapeworks).correspond.result_relevant()
    assert configure(other).correspond.result_relevant() == before
    assert configure(own).correspond.result_relevant() != before


def test_a_project_is_fitted_to_new_subjects_by_the_engine(configure):
    project = {"correspond": {"backend": "project", "project": {"file": "{anatomy}.swproj"}}}
    before = configure(project).correspond.result_relevant()
    engine = configure(merge(project, {"correspond": {"entropy": {"step": 0.2}}})).correspond
    program = configure(merge(project, {"correspond": {"shapeworks": {"use_normals": True}}}))
    assert engine.result_relevant() != before
    assert program.correspond.result_relevant() == before


def test_every_backend_says_what_it_reads():
    backends = typing.get_args(CorrespondConfig.model_fields["backend"].annotation)
    assert set(USES) == set(backends)


def test_a_part_holds_its_own_values_alone(configure):
    part = configure({"evaluate": {"seed": 9}}).evaluate.part(ComparisonConfig)
    assert part.seed == 9
    own = {"reference_model", "confidence", "bootstrap_samples", "seed", "claims"}
    assert set(part.model_dump()) == own


def test_mirroring_one_anatomy_does_not_concern_the_others(configure):
    alignment = configure({"groom": {"alignment": {"reflect": ["spleen"]}}}).groom.alignment
    assert alignment.of("spleen").reflect == ("spleen",)
    assert alignment.of("heart_atrium_left", "spleen").reflect == ("spleen",)
    assert alignment.of("heart_atrium_left") == configure({}).groom.alignment.of("spleen")
