import pytest

from massm.report.naming import anatomy_label, method_label, ordered


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
    assert method_label(("massm", "local")) == "MASSM"
    assert method_label(("massm", "cvae")) == "MASSM CVAE"
    assert method_label(("mean_shape", "mean")) == "Mean shape"


def test_ours_comes_first_and_the_truth_last():
    methods = [
        ("truth", "local"),
        ("pca_oracle", "local"),
        ("unet", "local"),
        ("mean_shape", "local"),
    ]
    assert ordered([*methods, ("massm", "local")])[0] == ("massm", "local")
    assert ordered(methods)[-2:] == [("pca_oracle", "local"), ("truth", "local")]
