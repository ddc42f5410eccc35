"""Who gets tables of what is usual, and what is refused."""

import pytest

from massm.config.folding import fold_config
from massm.config.loading import ConfigError, load_config
from tests.config.test_intervals import config


def test_those_with_a_model_folder_get_them_if_validation_is_predicted():
    settings = config()
    carried = [name for name, entry in settings.models.items() if entry.carried]
    assert list(settings.trust_of) == carried
    assert "massm" in carried
    without = {"predict": {"splits": ["test"]}, "intervals": {"models": []}}
    assert config(**without).trust_of == ()
    assert config(trust={"models": []}).trust_of == ()
    assert load_config(fold_config(settings, 1)).trust_of == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trust": {"models": ["mean_shape"]}}, "trust.models: mean_shape gets no model folder"),
        ({"trust": {"models": ["nobody"]}}, "trust.models: nobody gets no model folder"),
        (
            {"trust": {"models": ["massm"]}, "predict": {"splits": ["test"]}},
            "trust.models: validation is not predicted",
        ),
        ({"trust": {"false_alarms": 0.5}}, "trust.false_alarms"),
    ],
)
def test_what_cannot_be_made_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        config(**changes)
