"""Names of anatomies and subjects."""

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml
from massm.config.names import anatomy_fault, subject_fault
from tests.config.test_loading import ROOT

BASE = read_yaml(ROOT / "config.yaml")


@pytest.mark.parametrize("name", ["template", "manifest", "index", "warp", "all", "joint", "s.1-a"])
def test_words_of_the_results_are_names_like_others(name):
    assert subject_fault(name) == ""


@pytest.mark.parametrize("name", ["joint", "all", "template", "warp", "reference", "spleen_2"])
def test_so_they_are_for_anatomies(name):
    assert anatomy_fault(name) == ""


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["spleen", "Spleen"], "spleen and Spleen is listed twice"),
        (["con"], "'con': Windows keeps it for a device"),
        (["LPT1"], "'LPT1': Windows keeps it"),
        (["a" * 65], "65 characters, at most 64"),
        (["left kidney"], "use letters, digits and '_' alone"),
        (["../a"], "use letters"),
        (["2a"], "a letter first"),
        (["spleen\n"], "use letters"),
    ],
)
def test_anatomies_that_are_no_names_of_files_are_refused(names, words):
    with pytest.raises(ConfigError, match=words):
        load_config(merge(BASE, {"anatomies": names}))
