"""What counts as a change of a file, and what does not."""

import os
import subprocess
import sys

import pytest

from massm.io.fingerprint import digest, fingerprint


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(b"1234")
    return path


def test_a_file_that_is_left_alone_has_the_same_fingerprint(file):
    assert fingerprint([file], "label") == fingerprint([file, file], "label")
    assert fingerprint([file], "label") != fingerprint([file], "other label")


@pytest.mark.parametrize("change", ["content", "newer", "older", "removed"])
def test_every_change_of_a_file_is_seen(file, change):
    before = fingerprint([file])
    times = file.stat()
    if change == "content":
        file.write_bytes(b"12345")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif change == "removed":
        file.unlink()
    else:
        later = {"newer": 1, "older": -(10**12)}[change]
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + later))
    assert fingerprint([file]) != before


def test_a_file_that_appears_is_seen(tmp_path):
    before = fingerprint([tmp_path / "late.mha"])
    (tmp_path / "late.mha").touch()
    assert fingerprint([tmp_path / "late.mha"]) != before


def test_each_file_of_a_folder_counts(tmp_path):
    series = tmp_path / "ct" / "inner"
    series.mkdir(parents=True)
    (series / "1.dcm").write_bytes(b"1")
    states = [fingerprint([tmp_path / "ct"])]
    (series / "2.dcm").write_bytes(b"2")
    states.append(fingerprint([tmp_path / "ct"]))
    (series / "1.dcm").unlink()
    states.append(fingerprint([tmp_path / "ct"]))
    assert len(set(states)) == 3


@pytest.mark.parametrize(
    ("name", "header", "voxels"),
    [
        ("a.mhd", "ObjectType = Image\nElementDataFile = a.raw\n", "a.raw"),
        ("a.MHD", "elementdatafile=a.zraw", "a.zraw"),
        ("a.mhd", "ElementDataFile = LIST 2\na1.raw\na2.raw\n", "a2.raw"),
        ("a.mhd", "ElementDataFile = a%03d.raw 1 3 1\n", "a002.raw"),
        ("a.nhdr", "NRRD0004\ndata file: a.raw.gz\n", "a.raw.gz"),
        ("a.nhdr", "NRRD0004\ndatafile: ./parts/a.raw\n", "parts/a.raw"),
        ("a.nhdr", "NRRD0004\ndata file: LIST\na1.raw\na2.raw\n", "a2.raw"),
        ("a.hdr", "binary", "a.img"),
        ("a.img", "binary", "a.hdr"),
    ],
)
def test_voxels_in_a_file_of_their_own_count(tmp_path, name, header, voxels):
    (tmp_path / name).write_text(header)
    (tmp_path / voxels).parent.mkdir(exist_ok=True)
    (tmp_path / voxels).write_bytes(b"1")
    before = fingerprint([tmp_path / name])
    (tmp_path / voxels).write_bytes(b"22")
    assert fingerprint([tmp_path / name]) != before


def test_a_digest_is_of_the_content_alone(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
    (tmp_path / "c").write_bytes(b"other")
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_cohorts_are_looked_at_without_loading_what_reads_images():
    code = (
        "import sys, massm.dataset.fingerprint;"
        "print(sorted({'itk', 'torch', 'vtk', 'vtkmodules'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
    )
    assert done.stdout.strip() == "[]"
