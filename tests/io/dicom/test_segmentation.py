"""Masks as DICOM."""

import highdicom as hd
import numpy as np
import pytest
from highdicom.sr.coding import CodedConcept
from pydicom import dcmread

from massm.io.dicom import on_grid_of, read_segmentation, read_series
from massm.io.errors import DataError
from tests.io.dicom.files import SERIES, slice_of, smooth, stack, write
from tests.io.dicom.test_stack import tilted

ORGAN = CodedConcept("85756007", "SCT", "Tissue")


def segments(*names):
    return [
        hd.seg.SegmentDescription(k, name, ORGAN, ORGAN, hd.seg.SegmentAlgorithmTypeValues.MANUAL)
        for k, name in enumerate(names, 1)
    ]


def write_seg(path, sources, pixels, names, kind="BINARY", **options):
    """Write a SEG object through highdicom: frames without an organ are left out."""
    hd.seg.Segmentation(
        sources,
        pixels,
        segmentation_type=kind,
        segment_descriptions=segments(*names),
        series_instance_uid=SERIES + ".20",
        series_number=20,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
        **options,
    ).save_as(path)
    return path


@pytest.fixture
def labels():
    """Two organs in the middle of a series: 1 in slices 2 to 4, 2 in slices 3 to 5."""
    array = np.zeros((8, 8, 6), np.uint8)
    array[2:5, 1:4, 1:5] = 1
    array[3:6, 5:7, 2:4] = 2
    return array


@pytest.fixture
def series(tmp_path):
    """A CT series of eight slices in a folder, and its objects."""
    slices = stack(smooth(8), np.arange(8) * 3.0)
    write(tmp_path / "ct", slices)
    return tmp_path / "ct", slices


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("label", [1, 2])
def test_a_segment_lies_where_it_was_drawn(tmp_path, series, labels, kind, label):
    folder, slices = series
    path = write_seg(tmp_path / "seg.dcm", slices, labels, ["liver", "spleen"], kind)
    mask = read_segmentation(path, label).volume
    image = read_series(folder).volume
    assert mask.array.dtype == bool
    np.testing.assert_allclose(mask.spacing, image.spacing)
    whole = on_grid_of(mask, image, 0.01)
    np.testing.assert_array_equal(whole.array, labels == label)
    np.testing.assert_array_equal(whole.affine, image.affine)


def test_a_sparse_segmentation_is_placed_as_by_highdicom(tmp_path, series, labels):
    path = write_seg(tmp_path / "seg.dcm", series[1], labels, ["liver", "spleen"])
    mask = read_segmentation(path, 2).volume
    oracle = hd.seg.segread(path).get_volume(segment_numbers=[2], combine_segments=True)
    center = mask.index_to_point(np.argwhere(mask.array)[:, ::-1].mean(0))
    expected = oracle.map_indices_to_reference(np.argwhere(oracle.array).mean(0)[None])
    np.testing.assert_allclose(center, expected[0], atol=1e-6)
    assert mask.size == (6, 8, 4)


def test_an_organ_of_a_single_frame_is_read(tmp_path, series):
    folder, slices = series
    one = np.zeros((8, 8, 6), np.uint8)
    one[4, 2:5, 2:5] = 1
    path = write_seg(tmp_path / "seg.dcm", slices, one, ["node"])
    mask = read_segmentation(path, None).volume
    whole = on_grid_of(mask, read_series(folder).volume, 0.01)
    np.testing.assert_array_equal(whole.array, one == 1)


def test_organs_in_parts_are_placed_with_the_hole_between(tmp_path, series):
    folder, slices = series
    parts = np.zeros((8, 8, 6), np.uint8)
    parts[[1, 2, 6], 2:5, 2:5] = 1
    path = write_seg(tmp_path / "seg.dcm", slices, parts, ["vessel"])
    mask = read_segmentation(path, None).volume
    assert mask.size[2] == 6
    whole = on_grid_of(mask, read_series(folder).volume, 0.01)
    np.testing.assert_array_equal(whole.array, parts == 1)


def test_fractions_are_inside_from_half_on(tmp_path, series):
    folder, slices = series
    shares = np.zeros((8, 8, 6), np.float32)
    shares[2:5, 2:6, 1:5] = [0.2, 0.45, 0.6, 1.0]
    path = write_seg(
        tmp_path / "seg.dcm",
        slices,
        shares,
        ["liver"],
        "FRACTIONAL",
        fractional_type="PROBABILITY",
        max_fractional_value=200,
    )
    mask = read_segmentation(path, None).volume
    whole = on_grid_of(mask, read_series(folder).volume, 0.01)
    np.testing.assert_array_equal(whole.array, shares >= 0.5)


def test_several_segments_need_a_number(tmp_path, series, labels):
    path = write_seg(tmp_path / "seg.dcm", series[1], labels, ["liver", "spleen"])
    with pytest.raises(DataError, match="segments are 1 'liver', 2 'spleen'; give the num"):
        read_segmentation(path, None)
    with pytest.raises(DataError, match="no segment 3; segments are 1 'liver', 2 'spleen'"):
        read_segmentation(path, 3)


def test_a_segmentation_beside_its_ct_is_the_mask_of_the_folder(series, labels):
    folder, slices = series
    write_seg(folder / "seg.dcm", slices, labels, ["liver", "spleen"])
    found = read_segmentation(folder, 1)
    assert found.volume.array.sum() == (labels == 1).sum()
    assert "8 CT (000.dcm" in found.notes[0]
    image = read_series(folder)
    np.testing.assert_array_equal(image.volume.array, smooth(8))
    assert "1 SEG (seg.dcm)" in image.notes[0]
    write_seg(folder / "other.dcm", slices, labels, ["liver", "spleen"])
    with pytest.raises(DataError, match="expected one DICOM SEG, found 2 .other.dcm, seg.dcm."):
        read_segmentation(folder, 1)


def test_a_segmentation_of_a_tilted_series_is_moved_as_its_image(tmp_path):
    slices = tilted(20, count=8)
    drawn = np.zeros((8, 12, 10), np.uint8)
    drawn[2:6, 3:9, 2:8] = 1
    folder = write(tmp_path / "ct", slices)
    path = write_seg(tmp_path / "seg.dcm", slices, drawn, ["liver"])
    found = read_segmentation(path, None)
    image = read_series(folder).volume
    whole = on_grid_of(found.volume, image, 0.01)
    for k in range(8):  # each slice moves by its own way, to half a pixel
        if k in range(2, 6):
            y, x = np.argwhere(whole.array[k]).mean(0)
            point = image.index_to_point(np.array([x, y, k]))
            middle = np.array([4.5, 5.5])
            position = np.array([-10, 20, 100 + 4.0 * k])
            column = np.array([0, np.cos(np.radians(20)), np.sin(np.radians(20))])
            expected = position + middle[0] * 0.5 * np.eye(3)[0] + middle[1] * 0.75 * column
            assert np.linalg.norm(point - expected) <= 0.75 / 2 + 1e-3
        else:
            assert not whole.array[k].any()
    assert "gantry tilted by 20.0 degrees" in found.notes[0]


def test_a_truncated_segmentation_is_refused(tmp_path, series, labels):
    path = write_seg(tmp_path / "seg.dcm", series[1], labels, ["liver", "spleen"])
    content = path.read_bytes()
    for part in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(DataError, match=r"seg\.dcm"):
            read_segmentation(path, 1)


@pytest.mark.parametrize(("high", "intercept"), [(1, 0), (255, 0), (1, -1024)])
def test_a_series_of_two_values_is_a_mask(tmp_path, labels, high, intercept):
    planes = np.where(labels == 1, high, 0).astype(np.uint8)
    folder = write(tmp_path, stack(planes, np.arange(8) * 3.0, RescaleIntercept=intercept))
    np.testing.assert_array_equal(read_segmentation(folder, None).volume.array, labels == 1)


def test_a_series_of_labels_needs_one(tmp_path, labels):
    folder = write(tmp_path, stack(labels, np.arange(8) * 3.0, Modality="OT"))
    with pytest.raises(DataError, match="label map of 2 labels .1, 2.; give the anatomy's la"):
        read_segmentation(folder, None)
    for label in (1, 2, 3):
        mask = read_segmentation(folder, label).volume.array
        np.testing.assert_array_equal(mask, labels == label)


def test_a_label_missed_because_of_a_scale_is_no_absent_organ(tmp_path, labels):
    folder = write(tmp_path, stack(labels, np.arange(8) * 3.0, RescaleIntercept=-1024))
    with pytest.raises(DataError, match="no pixel is 2, they are -1024 to -1022"):
        read_segmentation(folder, 2)


def test_labels_beyond_16_bit_do_not_merge(tmp_path, labels):
    planes = labels.astype(np.uint32) + np.where(labels > 0, 2**24, 0).astype(np.uint32)
    folder = write(tmp_path, stack(planes, np.arange(8) * 3.0))
    for label in (1, 2):
        mask = read_segmentation(folder, 2**24 + label).volume.array
        np.testing.assert_array_equal(mask, labels == label)


def test_an_empty_series_is_an_empty_mask_and_a_full_one_is_refused(tmp_path):
    empty = write(tmp_path / "empty", stack(np.zeros((3, 4, 4), np.uint8), [0, 3, 6]))
    assert not read_segmentation(empty, None).volume.array.any()
    full = write(tmp_path / "full", stack(np.full((3, 4, 4), 7, np.uint8), [0, 3, 6]))
    with pytest.raises(DataError, match="every pixel is 7"):
        read_segmentation(full, None)


def test_an_image_is_no_mask(tmp_path, rng):
    values = rng.integers(-1000, 1000, (3, 20, 20)).astype(np.int16)
    folder = write(tmp_path, stack(values, [0, 3, 6]))
    with pytest.raises(DataError, match="more than 256 values.*an image, expected a mask"):
        read_segmentation(folder, None)


def test_contours_are_refused_with_what_they_are_and_how_to_go_on(tmp_path):
    path = write_contours(tmp_path / "rs.dcm")
    for each in (path, tmp_path):
        with pytest.raises(DataError, match=r"holds contours .RTSTRUCT, Spleen.*3D Slicer"):
            read_segmentation(each, None)
    with pytest.raises(DataError, match="expected CT slices.*found 1 RTSTRUCT"):
        read_series(tmp_path)


def write_contours(path):
    contours = slice_of(
        smooth(1)[0], (0, 0, 0), Modality="RTSTRUCT", SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3"
    )
    del contours.Rows, contours.Columns, contours.PixelData
    roi = type(contours)("", {}, file_meta=None)
    roi.ROIName = "Spleen"
    contours.StructureSetROISequence = [roi]
    contours.save_as(path, enforce_file_format=True)
    assert dcmread(path).StructureSetROISequence[0].ROIName == "Spleen"
    return path
