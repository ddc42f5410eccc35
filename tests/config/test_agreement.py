"""Values of two sections that contradict each other are found before any work starts."""

from pathlib import Path

import pytest

from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]
LOBES = ["lung_upper_lobe_left", "lung_upper_lobe_right"]
FIT = {"family": "surface_fit", "label": None}


@pytest.fixture
def values():
    return read_yaml(ROOT / "config.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"evaluate": {"splits": ["train", "test"]}},
            r"evaluate\.splits: train .*predict\.splits, found \[validation, test\]",
        ),
        ({"predict": {"splits": ["validation"]}}, r"evaluate\.splits: test is measured"),
        (
            {"bundle": {"template": "mean"}},
            r"bundle\.template: mean needs .* set models\.massm\.local\.basis_modes or",
        ),
        (
            {"groom": {"alignment": {"reflect": ["splen"]}}},
            r"groom\.alignment\.reflect: splen is not among anatomies",
        ),
        (
            {"models": {"massm": {"local": {"basis_modes": 49}}}},
            r"models\.massm\.local\.basis_modes: .*tensors\.modes = 48 .* found 49",
        ),
        (
            {"models": {"massm": {"close_up": {"widths": [8]}}}},
            r"models\.massm\.close_up\.widths: refine\.steps = 0: nothing would read",
        ),
        (
            {"models": {"massm": {"close_up": {"widths": [16, 20]}}}},
            r"models\.massm\.close_up\.widths: .*20 channels do not fall into 8 equal groups",
        ),
        ({"tensors": {"modes": 9}}, r"train\.augment\.shape_modes: .*tensors\.modes = 9"),
        (
            {"correspond": {"populations": {"lobe": ["lung_upper_lobe_left", "lung_upper_lobe"]}}},
            r"correspond\.populations\.lobe: lung_upper_lobe is not among anatomies",
        ),
        (
            {"correspond": {"populations": {"lobe": LOBES}}},
            r"correspond\.populations\.lobe: of lung_upper_lobe_left and .*name one of the two in "
            r"groom\.alignment\.reflect, found \[\]",
        ),
        (
            {
                "groom": {"alignment": {"reflect": LOBES}},
                "correspond": {"populations": {"lobe": LOBES}},
            },
            r"correspond\.populations\.lobe: .*found \[lung_upper_lobe_left, lung_upper_lobe_right",
        ),
        (
            {"correspond": {"populations": {"a": LOBES, "b": ["spleen", "lung_upper_lobe_left"]}}},
            r"correspond\.populations: lung_upper_lobe_left is named twice",
        ),
        (
            {"correspond": {"populations": {"Spleen": LOBES}}},
            r"correspond\.populations\.Spleen: an anatomy is called so too",
        ),
        (
            {"correspond": {"pooled": [LOBES]}},
            r"correspond: pooled is populations: .* now",
        ),
        (
            {"correspond": {"entropy": {"start": {"rounds": 5}}}},
            r"correspond\.entropy: start is initialization now",
        ),
        (
            {"correspond": {"backend": "shapeworks", "populations": {"lobe": LOBES}}},
            r"correspond\.populations: backend shapeworks makes one model for each anatomy",
        ),
        (
            {"dataset": {"root": "data/phantom", "layout": "table"}},
            r"dataset\.layout: .*found 'table'",
        ),
        (
            {"correspond": {"joint": {"anatomies": ["spleen", "splen"]}}},
            r"correspond\.joint\.anatomies: splen is not among anatomies",
        ),
        (
            {"models": {"massm": {"train": {"augment": {"shape_modes": 49}}}}},
            r"models\.massm\.train\.augment\.shape_modes: of tensors\.modes = 48 .* found 49",
        ),
        (
            {"models": {"massm": {"train": {"epochs": 0, "epoch": 1}}}},
            r"(?s)models\.massm\.train\.epochs: .*models\.massm\.train\.epoch: unknown key",
        ),
        (
            {"evaluate": {"reference_model": "masm"}},
            r"evaluate\.reference_model: masm is not among models, "
            r"found \[massm, .*, truth\]",
        ),
        (
            {"models": {"mean_shape": {"boxes_of": "net"}}},
            r"models\.mean_shape\.boxes_of: net is not among models",
        ),
        (
            {"models": {"second": {"like": "mean_shape", "label": None, "boxes_of": "mean_shape"}}},
            r"models\.second\.boxes_of: mean_shape has its boxes from another model itself",
        ),
        (
            {"models": {"mean_shape": {"boxes_of": "unet"}}},
            r"models\.mean_shape\.boxes_of: unet gives no boxes",
        ),
        (
            {"models": {"unet": {"spacing_mm": 7.0}}},
            r"models\.unet\.spacing_mm: the finest image has 3 mm; name 3 to 6 .* found 7",
        ),
        (
            {"models": {"fit": {**FIT, "surfaces_of": "unett"}}},
            r"models\.fit\.surfaces_of: unett is not among models, found \[massm, .*fit\]",
        ),
        (
            {"models": {"fit": {**FIT, "surfaces_of": "truth"}}},
            r"models\.fit\.surfaces_of: truth knows the truth",
        ),
        (
            {"models": {"fit": {**FIT, "surfaces_of": "fit"}}},
            r"models\.fit\.surfaces_of: fit -> fit is a circle",
        ),
        (
            {
                "models": {
                    "fit": {**FIT, "surfaces_of": "mean_shape"},
                    "mean_shape": {"boxes_of": "fit"},
                }
            },
            r"(?s)models\.mean_shape\.boxes_of: mean_shape -> fit -> mean_shape is a circle.*"
            r"models\.fit\.surfaces_of: fit -> mean_shape -> fit is a circle",
        ),
        (
            {"models": {"pca_oracle": {"modes": "masm"}}},
            r"models\.pca_oracle\.modes: masm is not among models",
        ),
        (
            {"models": {"second": {"like": "massm"}}},
            r"models\.second\.label: 'MASSM' is the label of massm too",
        ),
        (
            {"tensors": {"mirror_pairs": {"lung_upper_lobe_left": "lung_upper_lobe"}}},
            r"tensors\.mirror_pairs: lung_upper_lobe is not among anatomies",
        ),
        (
            {"tensors": {"mirror_pairs": dict.fromkeys(LOBES, "spleen")}},
            r"tensors\.mirror_pairs: .*in one pair at most, found twice: spleen",
        ),
        (
            {"train": {"augment": {"mirror_probability": 0.5}}},
            r"train\.augment\.mirror_probability: in a mirror .*lung_upper_lobe_left.*mirror_pairs",
        ),
        (
            {"models": {"massm": {"train": {"augment": {"mirror_probability": 0.5}}}}},
            r"models\.massm\.train\.augment\.mirror_probability: in a mirror ",
        ),
        (
            {"models": {"massm": None}},
            r"(?s)mean_shape\.boxes_of: massm is.*oracle\.modes: massm is.*reference_model: massm",
        ),
        (
            {"correspond": {"joint": {"anatomies": ["spleen"]}}},
            r"correspond\.joint\.anatomies: .*two anatomies or more",
        ),
    ],
)
def test_a_contradiction_is_named_by_the_full_path_of_its_key(values, change, message):
    with pytest.raises(ConfigError, match=message):
        load_config(merge(values, change))


@pytest.mark.parametrize(
    "change",
    [
        {"predict": {"splits": ["train", "test"]}, "evaluate": {"splits": ["train"]}},
        {"groom": {"alignment": {"reflect": ["spleen"]}}},
        {
            "groom": {"alignment": {"reflect": ["lung_upper_lobe_left"]}},
            "correspond": {"populations": {"lobe": LOBES}},
        },
        {"models": {"massm": {"local": {"basis_modes": 48}}}},
        {
            "tensors": {"modes": 9},
            "train": {"augment": {"shape_std": 0.0}},
            "models": {"deepssm_local": {"train": {"augment": {"shape_std": 0.0}}}},
        },
        {"dataset": {"root": "data/phantom"}},
        {"models": {"truth": None, "pca_oracle": None}},
        {"models": {"second": {"like": "massm", "label": "Second", "train": {"epochs": 9}}}},
        {"correspond": {"joint": {"anatomies": ["spleen", "lung_upper_lobe_left"]}}},
    ],
)
def test_values_that_agree_are_accepted(values, change):
    assert load_config(merge(values, change))


def test_all_contradictions_are_told_at_once(values):
    changes = {"evaluate": {"splits": ["train"]}, "tensors": {"modes": 9}}
    with pytest.raises(ConfigError, match=r"(?s)train\.augment\.shape_modes.*\n  evaluate\.splits"):
        load_config(merge(values, changes))
