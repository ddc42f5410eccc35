"""The paper's schedule, epoch by epoch."""

from pathlib import Path

import pytest

from massm.config.loading import load_config, merge, read_yaml
from massm.config.ramp import RampConfig
from massm.models.massm.objective import weights_of
from massm.training.schedule import learning_rate_factor

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["config.yaml", "workflow/presets/paper.yaml"])
def paper(request):
    values = merge(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / request.param))
    return load_config(values)


def test_every_epoch_of_the_printed_schedule(paper):
    """Epochs count from 0: after 20 epochs is epoch 20, the twenty-first."""
    rise = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
    printed = {
        "heatmap": [1.0] * 20 + [40.0] * 280,
        "radius": [0.01] * 300,
        "offset": [1.0] * 300,
        "local": [0.0] * 20 + rise + [2.0] * 271,
        "world": [0.0] * 40 + rise + [2.0] * 251,
    }
    assert paper.training("massm").epochs == 300
    for name, expected in printed.items():
        found = [weights_of(paper.models["massm"].objective, epoch)[name] for epoch in range(300)]
        assert found == pytest.approx(expected, abs=1e-9), name


def test_truth_is_handed_out_until_epoch_sixty_nine(paper):
    """Printed is the end alone; before it a straight line from the local head's first epoch on."""
    found = [paper.models["massm"].objective.teacher.probability.at(epoch) for epoch in range(300)]
    assert found[:21] == [1.0] * 21
    assert found[20:71] == pytest.approx([1 - k / 50 for k in range(51)], abs=1e-9)
    assert found[69] == pytest.approx(0.02)
    assert found[70:] == [0.0] * 230


def test_detection_is_trained_alone_for_twenty_epochs(paper):
    for epoch in (0, 19):
        found = weights_of(paper.models["massm"].objective, epoch)
        assert found["heatmap"] == 1
        assert found["radius"] == 0.01
        assert found["offset"] == 1
        assert found["local"] == found["world"] == 0


def test_local_rises_by_a_fifth_per_epoch_to_two(paper):
    values = [
        weights_of(paper.models["massm"].objective, epoch)["local"] for epoch in range(20, 32)
    ]
    assert values[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert values[9:] == pytest.approx([2.0, 2.0, 2.0])
    assert weights_of(paper.models["massm"].objective, 20)["heatmap"] == 40


def test_world_follows_twenty_epochs_later(paper):
    assert weights_of(paper.models["massm"].objective, 39)["world"] == 0
    assert weights_of(paper.models["massm"].objective, 40)["world"] == pytest.approx(0.2)
    assert weights_of(paper.models["massm"].objective, 49)["world"] == pytest.approx(2.0)


def test_learning_rate_falls_by_a_tenth_every_twenty_epochs(paper):
    assert paper.train.learning_rate == 1e-4
    assert learning_rate_factor(paper.train, 19) == 1
    assert learning_rate_factor(paper.train, 20) == 0.9
    assert learning_rate_factor(paper.train, 299) == pytest.approx(0.9**14)


def test_a_ramp_without_a_step_jumps():
    config = RampConfig(first=1.0, from_epoch=3, step=0.0, last=5.0)
    assert [config.at(epoch) for epoch in (2, 3, 9)] == [1.0, 5.0, 5.0]
