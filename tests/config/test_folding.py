"""The configuration of a fold's run: that of the whole run, with what the fold needs."""

from pathlib import Path

import pytest

from massm.config.folding import fold_config
from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]


def config(**crossval):
    changes = {"results": "results/whole", "crossval": crossval}
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


def test_a_fold_is_a_run_of_its_own_that_knows_whose_it_is():
    fold = load_config(fold_config(config(), 2))
    assert fold.results == Path("results/whole/crossval/fold_2")
    assert (fold.fold.of, fold.fold.number) == (Path("results/whole"), 2)
    assert fold.predict.splits == fold.evaluate.splits == ("test",)
    assert list(fold.models) == ["massm"]
    assert fold.models["massm"] == config().models["massm"]
    assert fold.train == config().train


def test_models_come_with_those_that_they_read():
    fold = load_config(fold_config(config(models=["unet_fit", "deepssm_world_detected"]), 1))
    assert set(fold.models) == {
        *("unet_fit", "unet"),  # surfaces
        *("deepssm_world_detected", "deepssm_world", "massm"),  # weights, boxes; the reference
    }


@pytest.mark.parametrize("model", ["deepssm_world", "deepssm_world_detected"])
def test_a_model_that_is_like_one_that_is_taken_out_stays_what_it_is(model):
    """A fold's file is laid over config.yaml, where it still says like whom it is."""
    whole = config(models=[model])
    base = read_yaml(ROOT / "config.yaml")
    laid = merge(base, fold_config(whole, 1, list(base["models"])))
    assert "deepssm_local" not in load_config(laid).models
    assert load_config(laid).entry(model) == whole.entry(model)


def test_fewer_folds_than_there_are_can_be_made():
    assert list(config().crossval.numbers) == [1, 2, 3, 4, 5]
    assert list(config(folds_made=2).crossval.numbers) == [1, 2]
    assert fold_config(config(folds_made=2), 1) == fold_config(config(), 1)


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="folds_made is 6, of 5 folds"):
        config(folds_made=6)
    with pytest.raises(ValueError, match="fold 6 of crossval.folds = 5"):
        fold_config(config(), 6)
    with pytest.raises(ConfigError, match=r"crossval\.models: nobody is not among models"):
        config(models=["nobody"])
    with pytest.raises(ConfigError, match=r"crossval\.folds"):
        config(folds=1)
