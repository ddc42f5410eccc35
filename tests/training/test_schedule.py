"""The paper's schedule, epoch by epoch."""

import itertools
from pathlib import Path

import pytest
import yaml

from massm.config.train import RampConfig, TrainConfig
from massm.training.schedule import learning_rate_factor, loss_weights, ramp


@pytest.fixture
def paper():
    path = Path(__file__).parents[2] / "config.yaml"
    return TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))["train"])


def test_detection_is_trained_alone_for_twenty_epochs(paper):
    for epoch in (0, 19):
        found = loss_weights(paper, epoch)
        assert found["heatmap"] == 1
        assert found["radius"] == 0.01
        assert found["offset"] == 1
        assert found["local"] == found["world"] == 0


def test_local_rises_by_a_fifth_per_epoch_to_two(paper):
    values = [loss_weights(paper, epoch)["local"] for epoch in range(20, 32)]
    assert values[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert values[9:] == pytest.approx([2.0, 2.0, 2.0])
    assert loss_weights(paper, 20)["heatmap"] == 40


def test_world_follows_twenty_epochs_later(paper):
    assert loss_weights(paper, 39)["world"] == 0
    assert loss_weights(paper, 40)["world"] == pytest.approx(0.2)
    assert loss_weights(paper, 49)["world"] == pytest.approx(2.0)


def test_from_epoch_seventy_on_there_is_no_teacher(paper):
    values = [ramp(paper.teacher.probability, epoch) for epoch in range(90)]
    assert values[:20] == [1.0] * 20
    assert all(a >= b for a, b in itertools.pairwise(values))
    assert 0 < values[60] < 0.5
    assert values[70:] == pytest.approx([0.0] * 20)


def test_learning_rate_falls_by_a_tenth_every_twenty_epochs(paper):
    assert paper.learning_rate == 1e-4
    assert learning_rate_factor(paper, 19) == 1
    assert learning_rate_factor(paper, 20) == 0.9
    assert learning_rate_factor(paper, 299) == pytest.approx(0.9**14)


def test_a_ramp_without_a_step_jumps():
    config = RampConfig(first=1.0, from_epoch=3, step=0.0, last=5.0)
    assert [ramp(config, epoch) for epoch in (2, 3, 9)] == [1.0, 5.0, 5.0]
