from massm.report.palette import anatomy_lines, method_looks
from tests.report.names import NAMES

MANY = [
    ("massm", "cvae"),
    ("massm", "procrustes"),
    ("massm_unrefined", "local"),
    ("unet", "local"),
    ("deepssm_local", "local"),
    ("deepssm_world", "world"),
    ("deepssm_world_full", "world"),
    ("mean_shape", "mean"),
    ("pca_oracle", "pca"),
    ("truth", "truth"),
    ("of_mine", "local"),
]


def test_every_method_has_its_own_look():
    looks = method_looks(MANY, NAMES)
    assert set(looks) == set(MANY)
    assert len({(look.color, look.hatch) for look in looks.values()}) == len(MANY)


def test_a_model_looks_the_same_whatever_is_beside_it():
    looks = method_looks(MANY, NAMES)
    for method in MANY[2:-1]:
        assert method_looks([method], NAMES) == {method: looks[method]}


def test_models_without_a_fixed_look_never_run_out_of_looks():
    many = [(f"model_{i:02d}", "local") for i in range(40)]
    assert len(method_looks(many, NAMES)) == 40


def test_ten_anatomies_have_ten_lines():
    lines = anatomy_lines([f"anatomy_{i}" for i in range(10)]).values()
    assert len({(line.color, line.dashes) for line in lines}) == 10


def test_no_two_models_with_a_fixed_look_share_hatch_or_outline():
    looks = [look for method, look in method_looks(MANY[2:-1], NAMES).items()]
    assert len({look.hatch for look in looks}) == len(looks)
    assert len({(look.color, look.dashes) for look in looks}) == len(looks)
