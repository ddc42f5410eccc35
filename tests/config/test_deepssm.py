"""What the values of DeepSSM's rows demand of each other, and what the workflow is told of them."""

from pathlib import Path

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def values():
    return read_yaml(ROOT / "config.yaml")


def changed(values, name, **change):
    return load_config(merge(values, {"models": {name: change}}))


@pytest.mark.parametrize(
    ("name", "reads", "gives", "role"),
    [
        ("deepssm_local", "scan", {"local"}, "rival"),
        ("deepssm_world_full", "scan", {"world"}, "rival"),
        ("deepssm_world", "aligned crop", {"world"}, "upper bound"),
        ("deepssm_world_detected", "box crop", {"local", "world"}, "rival"),
    ],
)
def test_each_row_says_what_it_reads_and_gives(values, name, reads, gives, role):
    entry = load_config(values).entry(name)
    assert (entry.facts.reads, entry.facts.gives, entry.facts.role) == (reads, gives, role)
    assert entry.facts.knows_truth == (name == "deepssm_world")
    assert entry.facts.parts == "each anatomy"
    assert entry.boxes_from == ("massm" if name == "deepssm_world_detected" else None)
    assert ("detection" in entry.facts.tables) == (reads == "box crop")  # others find everything
    assert not entry.carried


def test_one_network_for_all_is_an_option(values):
    config = changed(values, "deepssm_local", networks="all")
    assert config.entry("deepssm_local").facts.parts == "all anatomies"
    assert not config.entry("deepssm_local").carried


def test_where_the_crop_comes_from_trains_nothing_anew(values):
    config = load_config(values)
    base, variant = config.entry("deepssm_world"), config.entry("deepssm_world_detected")
    assert variant.learned() == base.learned()
    assert variant.result_relevant() != base.result_relevant()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "deepssm_world",
            {"particles": "local"},
            r"models\.deepssm_world\.particles: a crop shows the world frame",
        ),
        (
            "deepssm_world",
            {"crop": "detected"},
            r"models\.deepssm_world\.boxes_of: .* needs the model whose boxes",
        ),
        (
            "deepssm_world_detected",
            {"changes": {"boxes_of": "truth_"}},
            r"deepssm_world_detected\.changes\.boxes_of: truth_ is not among models",
        ),
        (
            "deepssm_world_detected",
            {"changes": {"boxes_of": "deepssm_local"}},
            r"deepssm_world_detected\.changes\.boxes_of: deepssm_local gives no boxes",
        ),
        (
            "deepssm_world",
            {"lattice": {"size": 59}},
            r"models\.deepssm_world\.lattice\.size: the convolutions need 60 points per axis",
        ),
        (
            "deepssm_local",
            {"encoder": {"padded": False}},
            r"models\.deepssm_local\.encoder\.padded: whole images may be of any size",
        ),
        (
            "deepssm_local",
            {"encoder": {"pool": 0}},
            r"models\.deepssm_local\.encoder\.pool: whole images are of many sizes",
        ),
        ("deepssm_local", {"modes": 2.5}, r"models\.deepssm_local\.modes: a whole number, or a"),
        ("deepssm_local", {"modes": 49}, r"models\.deepssm_local\.modes: of tensors\.modes = 48"),
    ],
)
def test_a_fault_is_named_by_the_full_path_of_its_key(values, name, change, message):
    with pytest.raises(ConfigError, match=message):
        changed(values, name, **change)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("deepssm_world", {"lattice": {"size": 60}}),
        ("deepssm_world", {"lattice": {"size": 34}, "encoder": {"kernel": 3}}),
        ("deepssm_world", {"lattice": {"size": 16}, "encoder": {"padded": True}}),
        ("deepssm_local", {"modes": 12}),
    ],
)
def test_values_that_agree_are_accepted(values, name, change):
    assert changed(values, name, **change)
