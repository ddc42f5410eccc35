import pytest

from massm.config.loading import load_config, merge, read_yaml
from massm.config.models.naming import ModelNames
from massm.report.naming import Names, anatomy_label
from tests.config.test_loading import ROOT
from tests.report.names import NAMES


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("LeftParotid", "Left parotid"),
        ("heart_ventricle_left", "Heart ventricle left"),
        ("spleen", "Spleen"),
        ("all", "All"),
    ],
)
def test_anatomies_read_as_words(name, label):
    assert anatomy_label(name) == label


def test_heads_are_named_where_a_model_has_two():
    assert NAMES.method(("massm", "local")) == "MASSM"
    assert NAMES.method(("massm", "cvae")) == "MASSM CVAE"
    assert NAMES.method(("mean_shape", "mean")) == "Mean shape"


def test_ours_comes_first_and_the_truth_last():
    methods = [
        ("truth", "local"),
        ("pca_oracle", "local"),
        ("unet", "local"),
        ("mean_shape", "local"),
    ]
    assert NAMES.ordered([*methods, ("massm", "local")])[0] == ("massm", "local")
    assert NAMES.ordered(methods)[-2:] == [("pca_oracle", "local"), ("truth", "local")]


def test_models_are_called_and_ordered_as_the_configuration_says():
    values = read_yaml(ROOT / "config.yaml")
    others = dict.fromkeys(values["models"].keys() - {"massm", "mean_shape", "pca_oracle"})
    change = {"massm": {"label": "Ours"}, "plain": {"like": "massm", "label": None}} | others
    config = load_config(merge(values, {"models": change}))
    found = ModelNames.of(config.entries, "plain")
    assert found.order == ("plain", "mean_shape", "massm", "pca_oracle")
    assert found.bounds == ("mean_shape", "pca_oracle")
    assert found.knowing == ("pca_oracle",)
    names = Names.model_validate_json(found.model_dump_json())
    assert names.method(("massm", "cvae")) == "Ours CVAE"
    assert names.model("plain") == "Plain"
    assert names.ordered([("pca_oracle", "pca"), ("other", "a"), ("plain", "local")]) == [
        ("plain", "local"),
        ("other", "a"),
        ("pca_oracle", "pca"),
    ]


def test_a_head_is_named_only_where_a_model_has_two_beside_each_other():
    shown = [("massm", "procrustes"), ("massm", "cvae"), ("deepssm_world_full", "pca")]
    labels = NAMES.methods(shown)
    assert labels == {
        ("massm", "cvae"): "MASSM CVAE",
        ("massm", "procrustes"): "MASSM Procrustes",
        ("deepssm_world_full", "pca"): "Deepssm world full",
    }
    assert NAMES.methods(shown[:1]) == {("massm", "procrustes"): "MASSM"}
