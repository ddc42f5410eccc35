"""Files of predictions: what is written is read, what does not fit is refused."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.predictions import PredictedBoxes, SubjectPrediction, read, write

ANATOMIES = ("spleen", "heart", "liver")
PRESENT = np.array([True, False, True])


@pytest.fixture
def said(rng):
    """A model with all parts, which has not found the heart."""
    return SubjectPrediction(
        anatomies=ANATOMIES,
        present=PRESENT,
        score=np.array([0.9, 0.2, 0.7]),
        boxes=PredictedBoxes(rng.normal(size=(3, 3)), rng.uniform(5, 9, (3, 3))),
        local=rng.normal(size=(3, 8, 3)),
        world={head: rng.normal(size=(3, 8, 3)) for head in ("procrustes", "cvae")},
        agreement=np.array([0.93, 0.5, 0.88]),
    ).blanked()


@pytest.fixture
def path(said, tmp_path):
    write(said, tmp_path / "s1.npz")
    return tmp_path / "s1.npz"


def assert_same(found, expected):
    assert found.anatomies == expected.anatomies
    np.testing.assert_array_equal(found.present, expected.present)
    np.testing.assert_array_equal(found.score, expected.score)
    boxes = [prediction.boxes and vars(prediction.boxes) for prediction in (found, expected)]
    np.testing.assert_equal(*boxes)
    np.testing.assert_equal(found.local, expected.local)
    assert list(found.world) == list(expected.world)
    np.testing.assert_equal(found.world, expected.world)
    np.testing.assert_equal(found.agreement, expected.agreement)


PARTS = {
    "all": {},
    "no boxes": {"boxes": None},
    "no local particles": {"local": None},
    "no world particles": {"world": {}},
    "nothing that agrees": {"agreement": None},
    "presence alone": {"boxes": None, "local": None, "world": {}, "agreement": None},
}


@pytest.mark.parametrize("change", PARTS.values(), ids=PARTS)
def test_what_is_written_is_read_whichever_parts_a_model_gives(said, tmp_path, change):
    some = replace(said, **change)
    write(some, tmp_path / "s1.npz")
    assert_same(read(tmp_path / "s1.npz"), some)


def test_an_anatomy_is_asked_by_its_name(said):
    assert said.found == ("spleen", "liver")
    assert said.is_present("liver")
    assert said.score_of("heart") == 0.2
    np.testing.assert_array_equal(said.box("liver").center, said.boxes.center[2])
    np.testing.assert_array_equal(said.box("liver").radius, said.boxes.radius[2])
    np.testing.assert_array_equal(said.local_of("liver"), said.local[2])
    assert list(said.world_of("liver")) == ["procrustes", "cvae"]
    np.testing.assert_array_equal(said.world_of("liver")["cvae"], said.world["cvae"][2])
    assert said.agreement_of("liver") == 0.88


def test_an_anatomy_that_was_not_found_has_no_box_and_no_particles(said):
    assert not said.is_present("heart")
    assert said.box("heart") is None
    assert said.local_of("heart") is None
    assert said.world_of("heart") == {}
    assert said.agreement_of("heart") is None


def test_a_found_anatomy_of_a_model_without_these_parts_has_none_of_them(said):
    bare = replace(said, boxes=None, local=None, world={}, agreement=None)
    assert bare.is_present("spleen")
    assert bare.box("spleen") is None
    assert bare.local_of("spleen") is None
    assert bare.world_of("spleen") == {}
    assert bare.agreement_of("spleen") is None


def test_an_unknown_anatomy_is_refused(said):
    with pytest.raises(DataError, match=r"kidney is not among .* \(spleen, heart, liver\)"):
        said.is_present("kidney")


def test_blanked_is_nan_where_absent_and_leaves_the_rest(rng):
    local, score = rng.normal(size=(3, 8, 3)), np.array([0.9, 0.2, 0.7])
    boxes = PredictedBoxes(rng.normal(size=(3, 3)), rng.normal(size=(3, 3)))
    full = SubjectPrediction(ANATOMIES, PRESENT, score, boxes, local, {"cvae": 2 * local})
    blank = full.blanked()
    for before, after in (
        (boxes.center, blank.boxes.center),
        (boxes.radius, blank.boxes.radius),
        (local, blank.local),
        (2 * local, blank.world["cvae"]),
    ):
        assert np.isnan(after[1]).all()
        np.testing.assert_array_equal(after[PRESENT], before[PRESENT])
    np.testing.assert_array_equal(blank.score, score)
    assert np.isfinite(full.local).all()


def test_a_file_is_byte_for_byte_the_arrays_in_their_order(said, tmp_path):
    arrays = {
        "anatomies": np.array(ANATOMIES),
        "present": said.present,
        "score": said.score,
        "center": said.boxes.center,
        "radius": said.boxes.radius,
        "local": said.local,
        "world_procrustes": said.world["procrustes"],
        "world_cvae": said.world["cvae"],
        "agreement": said.agreement,
    }
    with (tmp_path / "plain.npz").open("wb") as file:
        np.savez_compressed(file, **arrays)
    write(said, tmp_path / "s1.npz")
    assert (tmp_path / "s1.npz").read_bytes() == (tmp_path / "plain.npz").read_bytes()
    assert_same(read(tmp_path / "s1.npz"), said)


def test_single_precision_is_written_as_double(said, tmp_path):
    write(replace(said, local=said.local.astype(np.float32)), tmp_path / "s1.npz")
    assert load_arrays(tmp_path / "s1.npz")["local"].dtype == np.float64


LACKING = ["anatomies", "present", "score", "center", "radius"]


@pytest.mark.parametrize("name", LACKING)
def test_an_array_that_is_lacking_is_named(path, name):
    arrays = load_arrays(path)
    del arrays[name]
    save_arrays(arrays, path)
    with pytest.raises(DataError, match=rf"s1\.npz lacks {name}; .* run predict again"):
        read(path)


REFUSED = {
    "another number of anatomies": ({"score": np.zeros(2)}, r"score is \(2,\), expected 3"),
    "a flat box": ({"radius": np.zeros((3, 2))}, r"radius is \(3, 2\), expected 3 x 3"),
    "planes": ({"local": np.zeros((3, 8, 2))}, r"local is \(3, 8, 2\)"),
    "other numbers of particles": ({"world_cvae": np.zeros((3, 7, 3))}, "world_cvae is .* 3 x 8"),
    "a name nobody knows": ({"locale": np.zeros((3, 8, 3))}, "holds locale, expected only"),
    "a head without a name": ({"world_": np.zeros((3, 8, 3))}, "holds world_, expected only"),
    "numbered anatomies": ({"anatomies": np.arange(3)}, "anatomies is int64, expected text"),
    "presence in numbers": ({"present": np.ones(3)}, "present is float64, expected true or false"),
    "particles in letters": ({"local": np.full((3, 8, 3), "a")}, "local is <U1, expected numbers"),
    "agreement of others": ({"agreement": np.zeros(2)}, r"agreement is \(2,\), expected 3"),
    "no agreement": ({"agreement": np.full(3, np.nan)}, "spleen, liver .* agreement is not finite"),
    "a name twice": ({"anatomies": np.array(["spleen", "spleen", "liver"])}, "names spleen more"),
    "no score": ({"score": np.array([0.9, np.nan, 0.7])}, "score of heart is no number"),
}


@pytest.mark.parametrize(("arrays", "words"), REFUSED.values(), ids=REFUSED)
def test_arrays_that_do_not_fit_are_refused(path, arrays, words):
    save_arrays(load_arrays(path) | arrays, path)
    with pytest.raises(DataError, match=rf"s1\.npz.*{words}"):
        read(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["center", "radius", "local", "world_procrustes", "world_cvae"])
def test_what_is_present_has_to_be_finite(path, part, value):
    arrays = load_arrays(path)
    arrays[part][2].flat[1] = value
    save_arrays(arrays, path)
    with pytest.raises(DataError, match=rf"s1\.npz: liver is .* but {part} is not finite; train"):
        read(path)


def test_a_damaged_file_is_named(path):
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"s1\.npz: cannot be read"):
        read(path)


def test_another_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "s1.npz", "w") as archive:
        archive.writestr("a.txt", "words")
    with pytest.raises(DataError, match=r"s1\.npz"):
        read(tmp_path / "s1.npz")


def test_a_failed_writing_leaves_what_was_there(said, path, monkeypatch):
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match=r"s1\.npz"):
        write(said, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["s1.npz"]
