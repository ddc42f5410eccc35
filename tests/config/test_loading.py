"""A whole configuration is checked before any work starts."""

from pathlib import Path

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "workflow" / "presets").glob("*.yaml"))


@pytest.fixture
def values():
    return read_yaml(ROOT / "config.yaml")


def test_the_paper_run_is_a_valid_configuration(values):
    assert load_config(values).anatomies[-1] == "spleen"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_is_a_valid_difference(values, preset):
    base = values
    first, _, more = preset.stem.partition("-")
    if more:  # laid over the first
        base = merge(base, read_yaml(preset.with_name(f"{first}.yaml")))
    assert load_config(merge(base, read_yaml(preset)))


def test_networks_for_a_cpu_serve_another_cohort_too(values):
    """As README says: openkbp.yaml, what takes out heads, and a file of one's own."""
    presets = ROOT / "workflow" / "presets"
    mine = {"anatomies": ["liver", "kidney_left", "kidney_right"], "results": "results/mine"}
    laid = values
    for part in ("openkbp.yaml", "openkbp-cpu.yaml"):
        laid = merge(laid, read_yaml(presets / part))
    config = load_config(merge(laid, mine))
    assert config.train.accelerator == "cpu"
    assert config.tensors.mirror_pairs == {}
    assert config.groom.surface == load_config(values).groom.surface


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reslts": "x"}, "reslts: unknown key"),
        ({"dataset": {"rot": "x"}}, r"dataset\.rot: unknown key"),
        ({"train": {"augment": {"scal": 1}}}, r"train\.augment\.scal: unknown key"),
        ({"train": {"epochs": "many"}}, r"train\.epochs: .*integer.*found 'many'"),
        ({"train": {"epochs": 0}}, r"train\.epochs: .*greater than 0.*found 0"),
        ({"train": {"learning_rate": float("nan")}}, r"train\.learning_rate"),
        ({"groom": {"surface": {"faces": 3}}}, r"groom\.surface\.faces: .*found 3"),
        ({"dataset": {"layout": "bids"}}, r"dataset\.layout: .*'totalsegmentator' or 'table'"),
        ({"dataset": {"fractions": {"train": 0.9}}}, r"dataset\.fractions: .*must sum to 1"),
        ({"anatomies": []}, "anatomies"),
        ({"anatomies": ["spleen", "spleen"]}, "spleen is listed twice"),
        ({"anatomies": ["../spleen"]}, "anatomies.0"),
        ({"train": 3}, "train"),
        ({"evaluate": {"splits": ["test", "test"]}}, r"evaluate\.splits: a split is listed twice"),
        ({"model": {"name": "massm"}}, r"model: unknown key; it stands in models\.massm"),
        ({"train": {"loss": {}}}, r"train\.loss: .* in models\.massm\.objective\.loss now"),
        (
            {"train": {"weights": {}}},
            r"train\.weights: .* in models\.massm\.objective\.weights now",
        ),
        (
            {"train": {"teacher": {}}},
            r"train\.teacher: .* in models\.massm\.objective\.teacher now",
        ),
        (
            {"predict": {"box_updates": 1}},
            r"predict\.box_updates: .* in models\.massm\.box_updates",
        ),
        ({"predict": {"oracle_modes": 1}}, r"predict\.oracle_modes: .* models\.pca_oracle\.modes"),
        (
            {"models": {"unet": {"family": "unte"}}},
            r"models\.unet: family: 'unte' is none of massm",
        ),
        ({"models": {"massm": {"roi": {"siz": 1}}}}, r"models\.massm\.roi\.siz: unknown key"),
        ({"models": {"a/b": {"like": "truth"}}}, r"models\.a/b.*: name 'a/b'"),
        ({"models": {"warp": {"like": "truth"}}}, r"name 'warp': a folder of results or a rule"),
        ({"models": {"one": {"like": "two"}}}, r"models: one\.like: two is not among models"),
        (
            {"models": {"one": {"like": "two"}, "two": {"like": "one"}}},
            r"models: one\.like: one -> two -> one is a circle",
        ),
        ({"tensors": {"fine_spacing_mm": 3.0}}, r"tensors\.fine_spacing_mm: .*below .* 3, found 3"),
        (
            {"tensors": {"intensity_percentiles": [99, 1]}},
            r"tensors\.intensity_percentiles: .*rise",
        ),
        (
            {"models": {"massm": {"backbone": {"width": 20, "norm": "group"}}}},
            r"massm\.backbone\.norm: .*20",
        ),
        (
            {"models": {"massm": {"roi": {"native_size": 6}}}},
            r"massm\.roi\.native_size: .*multiple of 4",
        ),
        (
            {"models": {"massm": {"roi": {"native_channels": 6}}}},
            r"massm\.roi\.native_channels: .*4 groups",
        ),
        ({"train": {"accelerator": "cpu"}}, r"train\.precision: 16-mixed needs .*gpu"),
        ({"train": {"select": "best", "epochs": 4}}, r"train\.select: .*validate_every = 5.*= 4"),
        ({"correspond": {"backend": "shapeworks", "particles": 1000}}, r"correspond\.particles"),
        ({"correspond": {"backend": "project"}}, r"correspond: .*needs correspond\.project\.file"),
        ({"correspond": {"project": {"file": "a.csv"}}}, r"project\.file: .*\.swproj or \.xlsx"),
        (
            {"correspond": {"project": {"file": "{subject}.xlsx"}}},
            r"correspond\.project\.file: \{anatomy\} is the only placeholder",
        ),
        (
            {"correspond": {"backend": "project", "project": {"file": "a.swproj"}}},
            r"correspond\.project\.file: a\.swproj is one project for 7 anatomies; put \{anatomy\}",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_fault_is_named_by_the_full_path_of_its_key(values, change, message):
    with pytest.raises(ConfigError, match=message):
        load_config(merge(values, change))


def test_all_faults_are_told_at_once(values):
    broken = merge(values, {"train": {"epochs": 0}, "groom": {"sapcing": 1}})
    with pytest.raises(ConfigError) as caught:
        load_config(broken)
    assert "train.epochs" in str(caught.value)
    assert "groom.sapcing" in str(caught.value)


def test_every_value_stands_in_the_file(values):
    del values["train"]["epochs"]
    with pytest.raises(ConfigError, match=r"train\.epochs: missing"):
        load_config(values)


@pytest.mark.parametrize("out", [None, "null"], ids=["file", "command line"])
def test_a_model_like_another_has_all_its_values_but_those_given_anew(values, out):
    change = {"like": "massm", "label": "Plain", "refine": {"steps": 4}, "train": {"epochs": 9}}
    config = load_config(merge(values, {"models": {"plain": change, "truth": out}}))
    assert list(config.models) == [*[name for name in values["models"] if name != "truth"], "plain"]
    plain, massm = config.models["plain"], config.models["massm"]
    assert plain.refine.steps == 4
    assert plain.refine.samples == massm.refine.samples
    assert plain.objective == massm.objective
    assert (config.training("plain").epochs, config.training("massm").epochs) == (9, 300)
    assert load_config(config.model_dump(mode="json")) == config


def test_a_models_name_is_resolved_to_what_is_meant(values):
    change = {"massm": {"local": {"basis_modes": 7}}}
    config = load_config(merge(values, {"models": change}))
    assert config.models["pca_oracle"].modes == "massm"
    assert config.entry("pca_oracle").modes == 7
    assert load_config(values).entry("pca_oracle").modes is None  # particles directly: no limit


@pytest.mark.parametrize(
    ("given", "modes"), [("3", 3), (3, 3), ("null", None), (None, None), ("massm", "massm")]
)
def test_values_of_the_command_line_may_be_texts(values, given, modes):
    """Snakemake's --config hands over all that is nested as texts."""
    found = load_config(merge(values, {"models": {"pca_oracle": {"modes": given}}}))
    assert found.models["pca_oracle"].modes == modes


def test_null_is_no_text_wherever_it_stands(values):
    change = {"models": {"massm": {"label": "null"}, "mean_shape": "null"}}
    found = load_config(merge(values, change))
    assert found.models["massm"].label is None
    assert "mean_shape" not in found.models


def test_weights_do_not_depend_on_names_and_on_what_only_prediction_looks_at(values):
    base = load_config(values).models["massm"]
    seen = base.model_copy(update={"box_updates": 3, "label": "Other", "train": {"epochs": 1}})
    other = base.model_copy(update={"world": base.world.model_copy(update={"latent": 3})})
    assert seen.learned() == base.learned() != other.learned()
    assert seen.result_relevant() != base.result_relevant()


def test_a_section_goes_to_json_and_back(values):
    section = load_config(values).train
    assert type(section).model_validate_json(section.model_dump_json()) == section


def test_differences_go_deep_and_leave_the_rest():
    base = {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert merge(base, {"a": {"b": 3}, "list": [4]}) == {"a": {"b": 3, "c": 2}, "list": [4]}
    assert base == {"a": {"b": 1, "c": 2}, "list": [1, 2]}


def test_a_file_without_keys_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="no mapping"):
        read_yaml(tmp_path / "a.yaml")


def test_a_project_is_named_for_each_anatomy(values):
    changes = {"backend": "project", "project": {"file": "sw/{anatomy}.swproj"}}
    section = load_config(merge(values, {"correspond": changes})).correspond
    assert section.project.of("spleen") == Path("sw/spleen.swproj")
