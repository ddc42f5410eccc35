"""Which models get intervals, and what is refused."""

from pathlib import Path

import pytest

from massm.config.folding import fold_config
from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]


def config(**changes):
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


def test_all_with_particles_that_do_not_know_the_truth_get_intervals():
    found = config().intervals_of
    assert {"massm", "mean_shape", "deepssm_local"} <= set(found)
    assert not {"truth", "pca_oracle", "unet", "deepssm_world"} & set(found)


def test_out_of_fold_it_is_those_that_are_crossed():
    crossed = config(
        intervals={"calibration": "crossval"}, crossval={"models": ["unet_fit", "unet"]}
    )
    assert set(crossed.intervals_of) == {"massm", "unet_fit"}
    assert config(intervals={"calibration": "crossval"}).intervals_of == ("massm",)


def test_without_predictions_of_the_validation_split_it_is_none():
    assert config(predict={"splits": ["test"]}).intervals_of == ()


def test_a_folds_own_run_makes_none():
    assert load_config(fold_config(config(), 1)).intervals_of == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intervals": {"models": ["nobody"]}}, r"intervals\.models: nobody is not among models"),
        ({"intervals": {"models": ["unet"]}}, r"intervals\.models: unet gives no particles"),
        ({"intervals": {"models": ["truth"]}}, r"intervals\.models: truth .* knows the truth"),
        (
            {"intervals": {"models": ["mean_shape"], "calibration": "crossval"}},
            r"mean_shape is not predicted out of fold; add it to crossval\.models, found \[massm\]",
        ),
        (
            {"intervals": {"models": ["massm"]}, "predict": {"splits": ["test"]}},
            r"intervals\.calibration: validation is not predicted",
        ),
        ({"intervals": {"level": 1.0}}, r"intervals\.level"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        config(**changes)
