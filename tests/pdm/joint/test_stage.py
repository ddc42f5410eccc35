"""The stage on particle files of two anatomies."""

import numpy as np
import pytest

from massm.config.joint import JointConfig
from massm.geometry.particles import ParticleSet
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_set
from massm.io.tables import read_table
from massm.pdm.joint.model import JointModel
from massm.stages.correspond_joint import run
from tests.pdm.joint.population import make_population

SPLITS = ("train",) * 24 + ("validation",) * 4 + ("test",) * 8
MISSING = {"liver": (), "spleen": (2, 30)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Livers and spleens that follow the same scores; local particles lie 100 mm aside."""
    folder = tmp_path_factory.mktemp("correspond")
    blocks = make_population(len(SPLITS)).blocks
    for anatomy, missing in MISSING.items():
        rows = [row for row in range(len(SPLITS)) if row not in missing]
        world = blocks.of(anatomy)[rows]
        transforms = np.tile(np.eye(4), (len(rows), 1, 1))
        transforms[:, 0, 3] = -100
        population = ParticleSet(
            tuple(blocks.subjects[row] for row in rows),
            tuple(SPLITS[row] for row in rows),
            world + np.array([100.0, 0, 0]),
            world,
            transforms,
        )
        save_set(population, folder / f"{anatomy}.npz")
    return [folder / f"{anatomy}.npz" for anatomy in MISSING]


def outputs(folder):
    return {
        "model": folder / "model.npz",
        "scores": folder / "scores.csv",
        "quality": folder / "quality.json",
    }


def settings(**changes):
    values = {"anatomies": ("liver", "spleen"), "pose": False, "modes": 3, "evidence": None}
    return JointConfig.model_validate(values | changes)


@pytest.fixture(scope="module", params=[False, True], ids=["shape", "pose"])
def results(request, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    run(settings(pose=request.param), particles=files, **outputs(folder))
    return folder


def test_the_model_tells_its_layout(results):
    model = JointModel.from_arrays(load_arrays(results / "model.npz"))
    assert model.anatomies == ("liver", "spleen")
    assert model.particles == (20, 12)
    assert model.modes.shape == (3, 32, 3)


def test_every_subject_has_scores_and_its_anatomies_are_told(results):
    table = read_table(results / "scores.csv").set_index("subject")
    assert len(table) == len(SPLITS)
    assert table.split.tolist() == list(SPLITS)
    assert table.index[~table.has_spleen].tolist() == ["s02", "s30"]
    assert table.has_liver.all()
    training = table[table.split == "train"][["mode_1", "mode_2", "mode_3"]]
    assert np.abs(training.mean()).max() < 0.1
    assert np.abs(training.std() - 1).max() < 0.1


def test_hidden_anatomies_are_predicted_better_than_by_the_mean(results):
    quality = read_json(results / "quality.json")
    assert quality["subjects"] == 24
    assert quality["complete_subjects"] == quality["subjects_of"]["spleen"] == 23
    assert quality["compactness"][2] > 0.98
    assert set(quality["hidden"]) == {"left_out", "validation", "test"}
    assert quality["hidden"]["test"]["spleen"]["subjects"] == 7
    for anatomies in quality["hidden"].values():
        for values in anatomies.values():
            assert values["predicted_mm"] < 0.5 * values["mean_shape_mm"]


def test_a_configured_evidence_is_used(files, tmp_path):
    run(settings(evidence=0.03), particles=files, **outputs(tmp_path))
    assert read_json(tmp_path / "quality.json")["evidence"] == 0.03


def test_too_few_subjects_are_told_by_anatomy(files, tmp_path):
    few = tmp_path / "spleen.npz"
    population = make_population(3).blocks
    points = population.of("spleen")
    save_set(
        ParticleSet(
            population.subjects, ("train",) * 3, points, points, np.tile(np.eye(4), (3, 1, 1))
        ),
        few,
    )
    with pytest.raises(DataError, match="joint model: spleen: 3 training subjects"):
        run(settings(), particles=[files[0], few], **outputs(tmp_path))
