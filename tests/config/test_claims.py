"""The claims of the configuration: what they name, and what is refused."""

from pathlib import Path

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]


def with_claim(**changes):
    values = read_yaml(ROOT / "config.yaml")
    return load_config(merge(values, {"evaluate": {"claims": {"a": changes}}}))


def test_the_claims_are_the_papers_four():
    claims = with_claim().evaluate.claims
    assert list(claims) == ["a", "b", "c", "d"]
    assert claims["b"].against == "rivals"
    assert claims["d"].against == ("unet", "unet_multi")


def test_a_claim_may_name_models_that_the_run_lacks():
    assert with_claim(model="nobody").evaluate.claims["a"].model == "nobody"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"measures": ["surface_median"]}, r"evaluate\.claims\.a\.measures\.0: "),
        ({"measures": []}, r"evaluate\.claims\.a\.measures: "),
        ({"frame": "scanner"}, r"evaluate\.claims\.a\.frame: "),
        ({"rivals": []}, r"evaluate\.claims\.a\.rivals: unknown key"),
    ],
)
def test_what_cannot_be_tried_is_refused(changes, path):
    with pytest.raises(ConfigError, match=path):
        with_claim(**changes)
