"""Scans as they are given: files, DICOM folders, archives, tables."""

import hashlib
import tempfile
import zipfile

import numpy as np
import pytest
from pydicom.uid import (
    RTDoseStorage,
    RTStructureSetStorage,
    SegmentationStorage,
    SpatialRegistrationStorage,
)

from massm.inference.sources import open_scan, read_scan_table, scan_name, source_of_volume
from massm.io import images
from massm.io.errors import DataError
from tests.inference.scan_shapes import oblique_scan
from tests.io.dicom.files import slice_of, smooth, stack, write


@pytest.fixture
def nifti(tmp_path):
    path = tmp_path / "scan.v2.nii.gz"
    images.write_image(oblique_scan(), path)
    return path


@pytest.fixture
def series(tmp_path):
    return write(tmp_path / "series", stack(smooth(5), 3.0 * np.arange(5)))


def pack(path, *files):
    with zipfile.ZipFile(path, "w") as archive:
        for inner, file in files:
            archive.write(file, inner)
    return path


def test_an_image_file_is_a_scan_named_by_its_file(nifti):
    with open_scan(nifti) as source:
        assert (source.name, source.kind, source.given) == ("scan.v2", "image", "scan.v2.nii.gz")
        np.testing.assert_array_equal(source.volume.array, oblique_scan().array)
        assert source.sha256() == hashlib.sha256(nifti.read_bytes()).hexdigest()


def test_a_dicom_folder_is_a_scan_whose_hash_is_that_of_its_list_of_files(series):
    with open_scan(series, "other") as source:
        assert (source.name, source.kind) == ("other", "dicom")
        assert source.volume.size == (6, 8, 5)
        lines = "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
            for file in sorted(series.iterdir())
        )
        assert source.sha256() == hashlib.sha256(lines.encode()).hexdigest()


def test_the_hash_of_a_header_with_voxels_apart_is_of_both(tmp_path):
    header, voxels = tmp_path / "ct.mhd", tmp_path / "ct.raw"
    header.write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 4 5 6\nElementSpacing = 1 1 2\n"
        "ElementType = MET_SHORT\nElementDataFile = ct.raw\n"
    )
    voxels.write_bytes(bytes(2 * 4 * 5 * 6))
    with open_scan(header) as source:
        before = source.sha256()
        voxels.write_bytes(b"\1" + bytes(2 * 4 * 5 * 6 - 1))
        assert source.sha256() != before


def test_an_archive_of_dicom_is_the_series_in_it_and_leaves_nothing(series, tmp_path):
    files = [(f"PAT/CT 1/{file.name}", file) for file in series.iterdir()]
    path = pack(tmp_path / "case 7.zip", *files, ("PAT/read me.txt", __file__))
    with open_scan(path) as source:
        assert (source.name, source.kind, source.given) == ("case 7", "dicom", "case 7.zip")
        with open_scan(series) as plain:
            np.testing.assert_array_equal(source.volume.array, plain.volume.array)
        unpacked = source.path
        assert unpacked.is_dir()
    assert not unpacked.exists()


def test_an_archive_of_an_image_is_that_image(nifti, tmp_path):
    path = pack(tmp_path / "a.zip", ("ct.nii.gz", nifti))
    with open_scan(path) as source:
        assert (source.name, source.kind) == ("a", "image")
        np.testing.assert_allclose(source.volume.affine, oblique_scan().affine, atol=1e-4)
        assert source.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_wrong_in_an_archive_is_named_by_its_place_in_it(tmp_path):
    damaged = tmp_path / "ct.nii"
    damaged.write_bytes(bytes(400))
    path = pack(tmp_path / "a.zip", ("visit/ct.nii", damaged))
    with pytest.raises(DataError) as error, open_scan(path):
        pass
    assert str(error.value).startswith(f"{path}: visit/ct.nii")
    assert tempfile.gettempdir() not in str(error.value).replace(str(path), "")


def test_an_archive_of_several_scans_or_of_none_is_refused(nifti, series, tmp_path):
    files = [(f"s/{file.name}", file) for file in series.iterdir()]
    path = pack(tmp_path / "two.zip", ("ct.nii.gz", nifti), *files)
    with pytest.raises(DataError, match=r"found 2 \(ct.nii.gz, s\)"), open_scan(path):
        pass
    empty = pack(tmp_path / "none.zip", ("a.txt", __file__))
    with pytest.raises(DataError, match=r"found 0 \(none\) among 1 files"), open_scan(empty):
        pass


def test_what_stands_beside_the_slices_of_an_archive_is_no_scan(series, tmp_path):
    plane = smooth(1)[0]
    others = {
        "rt": {"Modality": "RTSTRUCT", "SOPClassUID": RTStructureSetStorage, "Rows": None},
        "seg": {"Modality": "SEG", "SOPClassUID": SegmentationStorage},
        "reg": {"Modality": "REG", "SOPClassUID": SpatialRegistrationStorage, "Rows": None},
        "dose": {"Modality": "RTDOSE", "SOPClassUID": RTDoseStorage},
        "scout": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    }
    files = []
    for name, tags in others.items():
        folder = write(tmp_path / name, [slice_of(plane, (0, 0, 0), **tags)])
        files += [(f"{name}/{file.name}", file) for file in folder.iterdir()]
    slices = [(f"ct/{file.name}", file) for file in series.iterdir()]
    with open_scan(pack(tmp_path / "a.zip", *slices, *files)) as source:
        assert source.volume.size == (6, 8, 5)
    without = pack(tmp_path / "b.zip", *files)
    message = r"found 0 \(none\) .*, and DICOM that is no scan \(dose, reg, rt, scout, seg\); pack"
    with pytest.raises(DataError, match=message), open_scan(without):
        pass
    two = pack(
        tmp_path / "c.zip", *slices, *files, *[(f"x/{k}.dcm", f) for k, (_, f) in enumerate(slices)]
    )
    with pytest.raises(DataError, match=r"found 2 \(ct, x\)"), open_scan(two):
        pass


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing.nii: no such file"):  # noqa: SIM117
        with open_scan(tmp_path / "nothing.nii"):
            pass


def test_values_from_memory_are_hashed_with_their_place():
    volume = oblique_scan()
    source = source_of_volume(volume, "mine")
    assert (source.kind, source.path, source.given) == ("array", None, None)
    moved = oblique_scan((70, 56, 30))
    moved.origin[0] += 1
    assert source.sha256() == source_of_volume(oblique_scan(), "other").sha256()
    assert source.sha256() != source_of_volume(moved, "mine").sha256()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/ct.nii.gz", "ct"),
        ("a/ct.NRRD", "ct"),
        ("a.b.mha", "a.b"),
        ("x.zip", "x"),
        ("IM0001", "IM0001"),
        ("1.2.840.5.dcm", "1.2.840.5"),
        (".nrrd", ".nrrd"),
    ],
)
def test_a_scan_is_named_by_its_file_without_ending(tmp_path, path, name):
    assert scan_name(tmp_path / path) == name


def test_a_folder_keeps_its_whole_name(tmp_path):
    (tmp_path / "visit.2.zip").mkdir()
    assert scan_name(tmp_path / "visit.2.zip") == "visit.2.zip"


def table(folder, text):
    (folder / "list.csv").write_text(text)
    for name in ("a.nii", "b.nii"):
        (folder / name).touch()
    return folder / "list.csv"


def test_a_table_lists_scans_relative_to_its_folder(tmp_path):
    path = table(tmp_path, "Subject;Image;age\ns 1;a.nii;70\n;b.nii;\n")
    assert read_scan_table(path) == [("s 1", tmp_path / "a.nii"), ("b", tmp_path / "b.nii")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected one called image, found a, b"),
        ("image\n", "lists no scans"),
        ("image,name\n,x\n", "line 2: the scan's path is empty"),
        ("image\na.nii\nA.nii\n", "line 3: there is no .*; there is a.nii, upper and lower"),
        ("image,name\na.nii,x/y\n", "line 2: 'x/y' cannot name a folder"),
        ("image,name\na.nii,..\n", "line 2: '..' cannot name a folder"),
        ("image,name\na.nii,x\nb.nii,x\n", "line 3: the scan of line 2 is called x, too"),
    ],
)
def test_a_table_that_cannot_be_used_says_where_and_why(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_scan_table(table(tmp_path, text))
