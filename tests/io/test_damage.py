"""Files cut short and with bits flipped, of every format: one kind of error."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from massm.geometry.particles import ParticleSet
from massm.io import documents, particles, shapeworks, shapeworks_subjects, tables, tensors
from massm.io.damage import named
from massm.io.errors import DataError

TRIALS = 60


def particle_set(path):
    generator = np.random.default_rng(1)
    particles.save_set(
        ParticleSet(
            tuple(f"s{i}" for i in range(9)),
            ("train",) * 6 + ("test",) * 3,
            generator.normal(size=(9, 8, 3)),
            generator.normal(size=(9, 8, 3)),
            np.tile(np.eye(4), (9, 1, 1)),
        ),
        path,
    )


def project(path):
    rows = [
        {"name": f"s{i}", "local_particles_1": f"p/s{i}.particles", "alignment_1": "1 0 0 " * 4}
        for i in range(4)
    ]
    written = shapeworks.ShapeWorksProject(tuple(rows), {"optimize": {"particles": "64"}})
    shapeworks.write_project(written, path)


def table(path):
    rows = {"subject": ["s1", "s2"], "reason": ["", 'cut, "here"'], "volume_ml": [1.25, 3.0]}
    tables.write_table(pd.DataFrame(rows), path)


FORMATS = {
    "a.npz": (particle_set, particles.load_set),
    "b.npz": (particle_set, lambda path: particles.load_subjects(path, {"s1", "s7"})),
    "a.safetensors": (
        lambda path: tensors.save({"image": np.arange(60.0).reshape(3, 4, 5)}, path),
        tensors.load,
    ),
    "a.json": (lambda path: documents.write_json({"a": [1, None, "b"]}, path), documents.read_json),
    "a.tsv": (table, tables.read_table),
    "b.csv": (table, tables.read_texts),
    "a.particles": (
        lambda path: particles.write_text(np.arange(30.0).reshape(10, 3), path),
        particles.read_text,
    ),
    "a.swproj": (project, lambda path: shapeworks_subjects.read_subjects(path, "spleen")),
    "a.xlsx": (project, lambda path: shapeworks_subjects.read_subjects(path, "spleen")),
}


def damaged(content, generator):
    """Cut a file short, or flip one to eight of its bits."""
    if generator.random() < 0.3:
        return content[: generator.integers(len(content))]
    changed = bytearray(content)
    for place in generator.integers(len(content), size=generator.integers(1, 9)):
        changed[place] ^= 1 << generator.integers(8)
    return bytes(changed)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.filterwarnings("ignore")
def test_damage_raises_nothing_but_an_error_that_names_the_file(tmp_path, name):
    write, read = FORMATS[name]
    path = tmp_path / name
    write(path)
    read(path)
    content, generator = path.read_bytes(), np.random.default_rng(7)
    said = []
    for _ in range(TRIALS):
        path.write_bytes(damaged(content, generator))
        try:
            read(path)
        except DataError as error:
            said.append(str(error))
    assert all(str(path) in words and "\n" not in words for words in said)
    assert len(said) > TRIALS / 10  # bits of a text may be flipped to other text


@pytest.mark.parametrize(
    "read", [particles.load_set, lambda path: particles.load_subjects(path, ["s1"])]
)
@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"local": np.zeros((3, 8, 3))}, "world|local"),
        ({"local": np.zeros((9, 8, 2))}, "local"),
        ({"world": np.zeros((9, 7, 3))}, "world"),
        ({"transforms": np.zeros((9, 3, 4))}, "transforms"),
        ({"splits": np.array(["train"] * 3)}, "splits"),
        ({"world": np.full((9, 8, 3), np.nan)}, "world holds what is no finite number"),
        ({"local": np.full((9, 8, 3), "a")}, "local"),
        ({"subjects": np.array(["s1"] * 9)}, "occurs twice"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(tmp_path, arrays, words, read):
    particle_set(tmp_path / "a.npz")
    held = particles.load_arrays(tmp_path / "a.npz")
    particles.save_arrays(held | arrays, tmp_path / "a.npz")
    with pytest.raises(DataError, match=rf"a\.npz.*({words})"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", ["(3, 8, 3)", "(-9, 8, 3)", "(9, 8, 9)", "(9000000000, 8, 3)"])
def test_a_header_that_contradicts_what_follows_is_refused(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        archive.writestr("local.npy", start + bytes(9 * 8 * 3 * 8))
    with pytest.raises(DataError, match=r"a\.npz: cannot be read .*(its header says|negative)"):
        particles.load_arrays(tmp_path / "a.npz")


def test_an_array_alone_is_no_archive(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="delete the file and run its stage again"):
        particles.load_arrays(tmp_path / "a.npz")


def test_what_the_system_says_of_a_file_passes(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        particles.load_arrays(tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError), named(tmp_path, "damaged", "repair it"):
        (tmp_path / "gone").read_bytes()


@pytest.mark.parametrize("text", ["", "  \n", "null", "[1]", "3", '"a"', "{", "[" * 10**5])
def test_a_document_that_holds_no_names_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json.*delete it and run its stage again"):
        documents.read_json(tmp_path / "a.json")


@pytest.mark.parametrize("value", ["{}", '{"subject": null}'])
def test_a_name_without_a_value_is_refused(tmp_path, value):
    (tmp_path / "a.json").write_text(value)
    with pytest.raises(DataError, match="says nothing of subject"):
        documents.read_json(tmp_path / "a.json", "subject")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_may_have_a_mark_of_its_encoding(tmp_path, encoding):
    (tmp_path / "a.json").write_text(json.dumps({"subject": "é"}, ensure_ascii=False), encoding)
    assert documents.read_json(tmp_path / "a.json", "subject") == {"subject": "é"}
