"""What a NRRD or MetaImage header means; itk is the judge of places."""

import bz2
import gzip

import itk
import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.images import read_header, read_image, read_segmentation, write_image

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
NRRD = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 3 2",
    "space directions": "(2,0,0) (0,3,0) (0,0,4)",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-60,-50,-300)",
}
META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-60 -50 -300",
    "ElementSpacing": "2 3 4",
    "DimSize": "4 3 2",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}


def write_nrrd(path, content=None, **changes):
    fields = {k: v for k, v in (NRRD | changes).items() if v is not None}
    text = "NRRD0005\n" + "".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n"
    path.write_bytes(text.encode() + (VALUES.tobytes() if content is None else content))
    return path


def write_meta(path, content=None, **changes):
    fields = {k: v for k, v in (META | changes).items() if v is not None}
    lines = [f"{name} = {value}\n" for name, value in fields.items()]
    text = "".join(sorted(lines, key=lambda line: line.startswith("ElementDataFile")))
    path.write_bytes(text.encode() + (VALUES.tobytes() if content is None else content))
    return path


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_an_oblique_image_lies_where_itk_finds_it(tmp_path, volume, suffix):
    path = tmp_path / f"ct.{suffix}"
    write_image(volume, path)
    other, header = itk.imread(str(path)), read_header(path)
    np.testing.assert_allclose(header.origin, np.array(other.GetOrigin()))
    np.testing.assert_allclose(header.direction, itk.array_from_matrix(other.GetDirection()))
    np.testing.assert_allclose(header.spacing, np.array(other.GetSpacing()))
    assert header.notes == ()


@pytest.mark.parametrize(
    "space", ["left-posterior-superior", "RAS", "left-anterior-superior", "right-anterior-superior"]
)
def test_spaces_are_turned_to_lps_as_itk_does(tmp_path, space):
    path = write_nrrd(tmp_path / "ct.nrrd", space=space)
    image = itk.imread(str(path))
    index = [3, 2, 1]
    found = read_image(path).index_to_point(np.array(index, float))
    np.testing.assert_allclose(found, image.TransformIndexToPhysicalPoint(index), atol=1e-5)


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii", "bzip2"])
def test_every_encoding_of_nrrd_is_read(tmp_path, endian, encoding):
    raw = VALUES.astype(("<" if endian == "little" else ">") + "i2").tobytes()
    text = " ".join(map(str, VALUES.ravel())).encode()
    content = {"raw": raw, "gzip": gzip.compress(raw), "ascii": text, "bzip2": bz2.compress(raw)}
    path = write_nrrd(tmp_path / "x", content[encoding], endian=endian, encoding=encoding)
    np.testing.assert_array_equal(read_image(path).array, VALUES)


def test_a_list_of_files_is_called_one(tmp_path):
    path = write_nrrd(tmp_path / "ct.nhdr", b"", **{"data file": "LIST\nv0.raw\nv1.raw"})
    with pytest.raises(DataError, match="values are in a list of files"):
        read_header(path)


def test_values_beside_the_header_are_read_and_missed(tmp_path):
    (tmp_path / "v.raw").write_bytes(b"123" + VALUES.tobytes())
    fields = {"data file": "v.raw", "byte skip": "3"}
    for path in (
        write_nrrd(tmp_path / "ct.nhdr", b"", **fields),
        write_nrrd(tmp_path / "last.nhdr", b"", **(fields | {"byte skip": "-1"})),
        write_meta(tmp_path / "ct.mhd", b"", HeaderSize=3, ElementDataFile="v.raw"),
        write_meta(tmp_path / "last.mhd", b"", HeaderSize=-1, ElementDataFile="v.raw"),
    ):
        (tmp_path / "v.raw").write_bytes(b"123" + VALUES.tobytes())
        np.testing.assert_array_equal(read_image(path).array, VALUES)
        (tmp_path / "v.raw").write_bytes(VALUES.tobytes()[:-8])
        with pytest.raises(DataError, match=r"v\.raw: truncated"):
            read_image(path)
        (tmp_path / "v.raw").unlink()
        with pytest.raises(DataError, match=r"should be in .*v\.raw, which cannot be read"):
            read_image(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space directions": None, "space": None, "space origin": None}, "size of its voxels"),
        ({"space directions": None, "spacings": "2 3 nan"}, "size of its voxels"),
        ({"space directions": "(2,0,0) (0,3,0) (0,0,0)"}, "an axis has no length"),
        ({"space directions": "(2,0,0) (0,3,0) (0,3,0)"}, "in one plane"),
        ({"endian": None}, "endian '', expected little or big"),
        ({"type": "block"}, "values of type 'block'"),
        ({"encoding": "zip"}, "encoding 'zip' is not read here"),
        ({"sizes": "4 3"}, "dimension 3 but sizes"),
        ({"sizes": "4 3 x"}, "sizes 'x'"),
        ({"data file": "LIST"}, "list of files"),
        ({"sizes": "4 3 99999999999"}, "truncated, holds"),
    ],
)
def test_a_nrrd_header_that_says_too_little_is_refused(tmp_path, changes, words):
    path = write_nrrd(tmp_path / "ct.nrrd", **changes)
    with pytest.raises(DataError, match=rf"ct\.nrrd: .*{words}"):
        read_image(path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("list", "2 layers"),
        ("RGB-color", "2 components"),
        ("time", "2 times"),
        ("vector", "2 comp"),
    ],
)
def test_several_values_a_voxel_are_named_by_the_kind_of_axis(tmp_path, kind, words):
    path = write_nrrd(
        tmp_path / "a.seg.nrrd",
        VALUES.tobytes() * 2,
        **{
            "dimension": "4",
            "sizes": "2 4 3 2",
            "space directions": "none (2,0,0) (0,3,0) (0,0,4)",
            "kinds": f"{kind} domain domain domain",
        },
    )
    with pytest.raises(DataError, match=rf"a\.seg\.nrrd: .*{words}"):
        read_header(path)


def test_names_of_segments_stand_beside_the_labels_found(tmp_path):
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1], labels[2] = 1, 7
    fields = {"type": "uchar", "sizes": "6 5 4", "endian": None}
    path = write_nrrd(tmp_path / "a.seg.nrrd", b"", **fields)
    keys = b"Segment0_LabelValue:=1\nSegment0_Name:=liver\nSegment1_LabelValue:=7\n\n"
    path.write_bytes(path.read_bytes()[:-1] + keys + labels.tobytes())
    with pytest.raises(
        DataError, match=r"holds the labels 1 \(liver\), 7, .* give the anatomy's label"
    ):
        read_segmentation(path)
    assert read_segmentation(path, 7).inside.array.sum() == 30


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ElementSpacing": None}, "size of its voxels"),
        ({"ElementSpacing": "2 3 0"}, "size of its voxels"),
        ({"ElementSpacing": "2 3"}, "size of its voxels"),
        ({"ElementNumberOfChannels": "3"}, "3 components"),
        ({"NDims": "4", "DimSize": "4 3 2 5"}, "5 times"),
        ({"BinaryDataByteOrderMSB": "Galse"}, "expected True or False"),
        ({"ElementType": "MET_SHARP"}, "ElementType 'MET_SHARP'"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 0"}, "rows of length 1"),
        ({"DimSize": "4 3 99999999"}, "truncated, holds"),
        ({"DimSize": "4 3 -2"}, "expected a 3D image"),
        ({"ElementDataFile": "LIST"}, "list of files"),
        ({"CompressedDataSize": "12"}, "no CompressedData"),
    ],
)
def test_a_metaimage_header_that_says_too_little_is_refused(tmp_path, changes, words):
    path = write_meta(tmp_path / "ct.mha", **changes)
    with pytest.raises(DataError, match=rf"ct\.mha: .*{words}"):
        read_image(path)


def test_a_metaimage_may_call_its_spacing_element_size(tmp_path):
    header = read_header(write_meta(tmp_path / "a.mha", ElementSpacing=None, ElementSize="2 3 4"))
    np.testing.assert_allclose(header.spacing, [2, 3, 4])
    assert header.spacing_from == "ElementSize"
