"""An entry may predict with another one's weights, by values that only prediction looks at."""

from pathlib import Path

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml
from massm.config.models.massm import MassmConfig
from massm.config.models.variant import VariantConfig

ROOT = Path(__file__).parents[2]
UNREFINED = {
    "family": "variant",
    "label": "Unrefined",
    "of": "massm",
    "changes": {"refine_updates": 0},
}


@pytest.fixture
def values():
    change = {"massm": {"refine": {"steps": 3}}, "plain": UNREFINED}
    return merge(read_yaml(ROOT / "config.yaml"), {"models": change})


def changed(values, **changes):
    return load_config(merge(values, {"models": {"plain": changes}}))


def test_it_predicts_by_the_other_entrys_section_with_its_own_label(values):
    config = load_config(values)
    plain, massm = config.entry("plain"), config.entry("massm")
    assert isinstance(plain, MassmConfig)
    assert (plain.label, plain.refine_updates) == ("Unrefined", 0)
    assert massm.refine_updates is None
    same = plain.model_copy(update={"label": massm.label, "refine_updates": None})
    assert same == massm


def test_its_weights_are_the_other_entrys_and_its_predictions_are_not(values):
    config = load_config(values)
    plain, massm = config.entry("plain"), config.entry("massm")
    assert plain.learned() == massm.learned()
    assert plain.result_relevant() != massm.result_relevant()
    assert config.models["plain"].weights_of == "massm"
    assert config.models["massm"].weights_of is None


def test_it_is_trained_as_the_other_entry_is(values):
    config = load_config(merge(values, {"models": {"massm": {"train": {"epochs": 9}}}}))
    assert config.training("plain") == config.training("massm") != config.train


def test_no_model_folder_is_made_of_it(values):
    models = load_config(values).models
    assert [name for name, entry in models.items() if entry.carried] == ["massm"]


def test_a_change_goes_deep_and_reaches_what_others_ask_of_it(values):
    config = changed(values, changes={"box_updates": 2})
    assert config.entry("plain").box_updates == 2
    asking = {"models": {"mean_shape": {"boxes_of": "plain"}, "pca_oracle": {"modes": "plain"}}}
    local = {"models": {"massm": {"local": {"basis_modes": 7}}}}
    config = load_config(merge(merge(values, asking), local))
    assert config.entry("pca_oracle").modes == 7


def test_it_stays_as_it_is_written_in_the_whole_configuration(values):
    config = load_config(values)
    assert isinstance(config.models["plain"], VariantConfig)
    assert config.model_dump(mode="json")["models"]["plain"] == UNREFINED
    assert load_config(config.model_dump(mode="json")) == config


def test_values_of_the_command_line_may_be_texts(values):
    assert changed(values, changes={"refine_updates": "1"}).entry("plain").refine_updates == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"of": "masm"}, r"models\.plain\.of: masm is not among models, found \[massm, "),
        ({"of": "truth"}, r"models\.plain\.of: truth is of the family truth, which is not trained"),
        ({"of": "plain"}, r"models\.plain\.of: plain is a variant itself; name an entry"),
        (
            {"changes": {"world": {"latent": 3}}},
            r"models\.plain\.changes\.world: a variant of massm can differ in box_updates, "
            r"refine_updates, second_looks; .* an entry with like: massm",
        ),
        ({"changes": {"train": {"epochs": 9}}}, r"plain\.changes\.train: .*can differ in box_up"),
        ({"changes": {"box_update": 1}}, r"plain\.changes\.box_update: unknown key, a variant of"),
        (
            {"changes": {"box_updates": -1}},
            r"models\.plain\.changes\.box_updates: .*greater than or equal to 0, found -1",
        ),
        (
            {"changes": {"refine_updates": 4}},
            r"models\.plain\.changes\.refine_updates: of refine\.steps = 3 .* found 4",
        ),
        (
            {"changes": {"refine_updates": None}},
            r"models\.plain\.changes: no value is other than in massm",
        ),
        ({"changes": 3}, r"models\.plain\.changes: .*valid dictionary"),
        ({"boxes_of": "massm"}, r"models\.plain\.boxes_of: unknown key"),
        ({"label": "MASSM"}, r"models\.plain\.label: 'MASSM' is the label of massm too"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_fault_is_named_by_the_full_path_of_its_key(values, change, message):
    with pytest.raises(ConfigError, match=message):
        changed(values, **change)


def test_nothing_is_left_out_of_a_model_without_refinement(values):
    with pytest.raises(
        ConfigError, match=r"changes\.refine_updates: refine\.steps = 0: nothing can"
    ):
        load_config(merge(values, {"models": {"massm": {"refine": {"steps": 0}}}}))


def test_nothing_may_be_without_a_change(values):
    values["models"]["plain"] = UNREFINED | {"changes": {}}
    with pytest.raises(ConfigError, match=r"plain\.changes: no value is other than in massm"):
        load_config(values)


def test_it_is_no_variant_of_a_variant(values):
    values["models"]["second"] = UNREFINED | {"of": "plain", "label": "Second"}
    with pytest.raises(
        ConfigError, match=r"second\.of: plain is a variant itself; name an entry that"
    ):
        load_config(values)


def test_a_fault_of_the_other_entry_is_told_once(values):
    change = {"models": {"massm": {"local": {"basis_modes": 49}}}}
    with pytest.raises(ConfigError) as caught:
        load_config(merge(values, change))
    assert str(caught.value).count("basis_modes") == 1


def test_all_faults_are_told_at_once(values):
    broken = merge(values, {"evaluate": {"splits": ["train"]}, "models": {"plain": {"of": "no"}}})
    with pytest.raises(ConfigError, match=r"(?s)plain\.of: no is not.*evaluate\.splits: train"):
        load_config(broken)
