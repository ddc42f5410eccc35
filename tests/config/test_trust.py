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


def test_out_of_fold_those_get_them_that_cross_validation_makes():
    out_of_fold = {"calibration": "crossval"}
    assert config(trust=out_of_fold).trust_of == ("massm",)
    assert config(trust=out_of_fold, predict={"splits": ["test"]}).trust_of == ("massm",)
    small = {"models": {"small": {"like": "massm", "label": "small"}}}
    assert config(trust=out_of_fold, **small).trust_of == ("massm",)
    more = {"models": ["mean_shape", "small"]}
    assert config(trust=out_of_fold, crossval=more, **small).trust_of == ("massm", "small")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trust": {"models": ["mean_shape"]}}, "trust.models: mean_shape gets no model folder"),
        ({"trust": {"models": ["nobody"]}}, "trust.models: nobody gets no model folder"),
        (
            {"trust": {"models": ["massm"]}, "predict": {"splits": ["test"]}},
            "trust.models: validation is not predicted",
        ),
        (
            {
                "models": {"small": {"like": "massm", "label": "small"}},
                "trust": {"models": ["small"], "calibration": "crossval"},
            },
            "trust.models: small is not predicted out of fold; add it to crossval.models",
        ),
        ({"trust": {"false_alarms": 0.5}}, "trust.false_alarms"),
    ],
)
def test_what_cannot_be_made_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        config(**changes)
