"""CT series read by the places of their slices."""

import contextlib

import itk
import numpy as np
import pytest
from pydicom import Dataset, dcmwrite
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    RTStructureSetStorage,
)

from massm.io.dicom import describe_series, read_series
from massm.io.errors import DataError
from tests.io.dicom.files import SERIES, slice_of, smooth, stack, write

SCREEN = "1.2.840.10008.5.1.4.1.1.7"


def itk_series(folder):
    names = itk.GDCMSeriesFileNames.New()
    names.SetDirectory(str(folder))
    return itk.imread([str(name) for name in names.GetInputFileNames()], itk.F)


def test_an_ordinary_series_is_read_as_by_itk(tmp_path, rng):
    values = rng.integers(0, 4000, (5, 8, 6)).astype(np.uint16)
    turn = [0.8, 0.6, 0, 0, 0, -1]
    normal = np.cross(turn[:3], turn[3:])
    slices = [
        slice_of(
            plane,
            np.array([-10.25, 20, 100]) + 2.5 * k * normal,
            ImageOrientationPatient=turn,
            RescaleIntercept=-1024,
            InstanceNumber=9 - k,
        )
        for k, plane in enumerate(values)
    ]
    folder = write(tmp_path, slices, ["d.dcm", "a.dcm", "e.dcm", "b.dcm", "c.dcm"])

    found = read_series(folder)
    expected = itk_series(folder)

    np.testing.assert_array_equal(found.volume.array, itk.array_from_image(expected))
    np.testing.assert_array_equal(found.volume.array, values.astype(int) - 1024)
    np.testing.assert_allclose(found.volume.spacing, list(expected.GetSpacing()), atol=1e-9)
    np.testing.assert_allclose(found.volume.origin, list(expected.GetOrigin()), atol=1e-9)
    np.testing.assert_allclose(
        found.volume.direction, itk.array_from_matrix(expected.GetDirection()), atol=1e-9
    )
    assert found.volume.array.dtype == np.int16
    assert found.notes == ()


def test_headers_alone_describe_the_same_grid(tmp_path):
    folder = write(tmp_path, stack(smooth(4), [0, 3, 6, 9]))
    volume, (grid, _) = read_series(folder).volume, describe_series(folder)
    assert grid.size == volume.size == (6, 8, 4)
    np.testing.assert_array_equal(grid.spacing, [0.5, 0.75, 3])
    np.testing.assert_array_equal(grid.origin, volume.origin)
    np.testing.assert_array_equal(grid.direction, np.eye(3))


def test_places_decide_not_names_nor_numbers(tmp_path):
    values = smooth(4)
    heights = [3, 9, 0, 6]
    slices = stack(
        values[[1, 3, 0, 2]], heights, lambda k: {"InstanceNumber": k + 1, "AcquisitionNumber": k}
    )
    np.testing.assert_array_equal(read_series(write(tmp_path, slices)).volume.array, values)


def test_details_written_otherwise_make_no_second_series(tmp_path):
    def each(k):
        return {
            "SliceThickness": ("5", "5.0")[k % 2],
            "SeriesDescription": f"part {k}",
            "AcquisitionTime": f"1200{k:02d}",
            "KVP": 100 + k,
        }

    found = read_series(write(tmp_path, stack(smooth(4), [0, 5, 10, 15], each)))
    np.testing.assert_array_equal(found.volume.array, smooth(4))
    assert found.notes == ()


def test_several_series_are_refused_with_what_they_are(tmp_path):
    write(tmp_path, stack(smooth(4), [0, 3, 6, 9], SeriesDescription="soft"))
    other = stack(smooth(3), [0, 3, 6], SeriesInstanceUID=SERIES + ".9", SeriesNumber=7)
    write(tmp_path, other, ["x", "y", "z"])
    with pytest.raises(DataError) as caught:
        read_series(tmp_path)
    said = str(caught.value)
    assert f"{tmp_path}: expected one DICOM series, found 2" in said
    assert "series 2 'soft' (4 slices" in said
    assert "series 7 (3 slices" in said


def test_missing_slices_are_refused_with_distances_and_files(tmp_path):
    folder = write(tmp_path, stack(smooth(8), [0, 3, 6, 12, 15, 24, 27, 30]))
    for read in (read_series, describe_series):
        with pytest.raises(DataError) as caught:
            read(folder)
        said = str(caught.value)
        assert "3 slices are missing: 8 found, 3 mm apart" in said
        assert "6 mm between 002.dcm and 003.dcm" in said
        assert "9 mm between 004.dcm and 005.dcm" in said


@pytest.mark.parametrize("gone", [1, 2, 15, 28, 29])
def test_one_missing_slice_is_found_anywhere(tmp_path, gone):
    heights = np.delete(np.arange(31) * 0.625, gone)
    with pytest.raises(DataError, match="1 slice is missing"):
        describe_series(write(tmp_path, stack(smooth(30, 2, 2), heights)))


def test_places_rounded_in_the_file_are_even_and_said(tmp_path):
    heights = np.round(np.arange(41) * 0.625, 1)
    found = read_series(write(tmp_path, stack(smooth(41, 2, 2), heights)))
    np.testing.assert_array_equal(found.volume.array, smooth(41, 2, 2))
    assert found.volume.spacing[2] == pytest.approx(0.625)
    assert "from 0.6 to 0.7 mm, read as 0.625 mm" in found.notes[0]


def test_uneven_slices_are_resampled_linearly(tmp_path):
    heights = np.array([0.0, 3, 6, 9, 13, 17, 21])

    def plane(height):
        return np.full((4, 4), 10 * height - 100).astype(np.int16)

    found = read_series(write(tmp_path, stack([plane(h) for h in heights], heights)))
    volume = found.volume
    assert volume.size == (4, 4, 8)
    assert volume.spacing[2] == pytest.approx(3)
    np.testing.assert_allclose(volume.array[:, 1, 2], 10 * np.arange(8) * 3.0 - 100, atol=1e-3)
    assert "from 3 to 4 mm, resampled linearly to 3 mm" in found.notes[0]


def test_the_last_slice_stays_where_it_is_if_distances_do_not_divide(tmp_path):
    heights = np.array([0.0, 3, 6, 10.4])
    planes = [np.full((2, 2), 10 * h).astype(np.int16) for h in heights]
    volume = read_series(write(tmp_path, stack(planes, heights))).volume
    assert volume.spacing[2] * (volume.size[2] - 1) == pytest.approx(10.4)
    np.testing.assert_allclose(
        volume.array[:, 0, 0], 10 * volume.spacing[2] * np.arange(volume.size[2]), atol=1e-3
    )


def test_too_uneven_slices_are_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        read_series(write(tmp_path, stack(smooth(6), [0, 3, 6, 9, 16, 23])))
    said = str(caught.value)
    assert "slices lie unevenly: 3 to 7 mm apart" in said
    assert "7 mm between 003.dcm and 004.dcm" in said


def test_slices_that_repeat_others_are_dropped_and_said(tmp_path):
    slices = stack(smooth(4), [0, 3, 6, 9]) + stack(smooth(4)[1:3], [3, 6])
    found = read_series(write(tmp_path, slices))
    np.testing.assert_array_equal(found.volume.array, smooth(4))
    assert found.notes == ("left out: 2 that repeat other slices pixel by pixel",)


def test_two_phases_at_the_same_places_are_refused_with_what_parts_them(tmp_path):
    heights = [0, 3, 6, 9]
    one = stack(smooth(4), heights, AcquisitionNumber=4, ContrastBolusAgent=None)
    two = stack(smooth(4) + 50, heights, AcquisitionNumber=5, ContrastBolusAgent="iodine")
    with pytest.raises(DataError) as caught:
        read_series(write(tmp_path, one + two))
    said = str(caught.value)
    assert "8 slices lie at 4 places, 4 places hold several" in said
    assert "AcquisitionNumber 4 (4 slices), 5 (4 slices)" in said
    assert "ContrastBolusAgent" in said


@pytest.mark.parametrize("beside", [0.5, 1.0, 1.5])
def test_two_phases_at_places_between_are_refused(tmp_path, beside):
    heights = np.arange(8) * 3.0
    one = stack(smooth(8), heights, AcquisitionNumber=1)
    two = stack(smooth(8) + 400, heights + beside, AcquisitionNumber=2)
    with pytest.raises(DataError, match=r"2 acquisitions .*AcquisitionNumber"):
        read_series(write(tmp_path, one + two))


def test_two_phases_that_nothing_tells_apart_are_no_grid(tmp_path):
    heights = np.sort(np.concatenate([np.arange(8) * 3.0, np.arange(8) * 3.0 + 1]))
    with pytest.raises(DataError, match="slices lie unevenly: 1 to 2 mm apart"):
        read_series(write(tmp_path, stack(smooth(16), heights)))


def test_slices_taken_in_two_passes_are_one_image(tmp_path):
    values, heights = smooth(8), np.arange(8) * 3.0
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    slices = stack(values[order], heights[order], lambda k: {"AcquisitionNumber": 1 + k // 4})
    found = read_series(write(tmp_path, slices))
    np.testing.assert_array_equal(found.volume.array, values)
    assert (
        "2 acquisitions interleaved by place: AcquisitionNumber 1 (4 slices), 2" in found.notes[0]
    )


def test_localizers_of_the_series_are_left_out_and_said(tmp_path):
    slices = stack(smooth(6), np.arange(6) * 3.0)
    coronal = slice_of(
        smooth(1, 12, 12)[0],
        (0, 0, 0),
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        PixelSpacing=[2, 2],
    )
    named = slice_of(smooth(1)[0], (-10, 20, 101), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    placeless = slice_of(
        smooth(1)[0],
        (0, 0, 0),
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImagePositionPatient=None,
    )
    write(tmp_path, [*slices, coronal, named, placeless])
    found = read_series(tmp_path)
    np.testing.assert_array_equal(found.volume.array, smooth(6))
    said = " ".join(found.notes)
    assert "localizers, 2 CT (007.dcm, 008.dcm)" in said
    assert "left out of the stack: 006.dcm: 6 x 8 against 12 x 12 pixels" in said


def test_a_folder_of_localizers_is_refused(tmp_path):
    write(tmp_path, stack(smooth(2), [0, 3], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    with pytest.raises(DataError, match="localizers alone"):
        read_series(tmp_path)


def test_a_slice_of_another_matrix_far_from_the_stack_is_left_out(tmp_path):
    other = stack(smooth(1, 4, 4), [60])
    found = read_series(write(tmp_path, stack(smooth(6), np.arange(6) * 3.0) + other))
    assert found.volume.size == (6, 8, 6)
    assert "006.dcm" in found.notes[0]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"PixelSpacing": [0.8, 0.5]}, "pixels of 0.5 x 0.75 against 0.5 x 0.8 mm"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.9998477, 0.0174524]}, "turned by 1 degrees"),
        ({"Rows": 6}, "6 x 8 against 6 x 6 pixels"),
    ],
)
@pytest.mark.parametrize("which", [2, 5])
def test_a_slice_of_the_stack_that_differs_is_refused_by_name(tmp_path, odd, said, which):
    slices = stack(smooth(6), np.arange(6) * 3.0, lambda k: odd if k == which else {})
    with pytest.raises(DataError) as caught:
        read_series(write(tmp_path, slices))
    assert said in str(caught.value)
    assert f"00{which}.dcm" in str(caught.value)


def test_two_stacks_in_one_series_are_refused(tmp_path):
    coronal = [
        slice_of(plane, (0, 3 * k, 0), ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
        for k, plane in enumerate(smooth(5))
    ]
    with pytest.raises(DataError, match="6 .* and 5 .* turned by 90 degrees"):
        read_series(write(tmp_path, stack(smooth(6), np.arange(6) * 3.0) + coronal))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"ImagePositionPatient": None}, "no ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, "no ImageOrientationPatient"),
        ({"PixelSpacing": None, "ImagerPixelSpacing": [1, 1]}, "no PixelSpacing"),
        ({"PixelSpacing": [0, 0.5]}, "PixelSpacing is 0 x 0.5 mm"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "not perpendicular"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "expected two unit vectors"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME1, expected MONOCHROME2"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "3 components"),
        ({"RescaleSlope": 0}, "RescaleSlope is 0"),
        ({"RescaleIntercept": None}, "have no RescaleSlope or RescaleIntercept"),
    ],
)
def test_a_slice_without_geometry_or_of_another_kind_is_refused_by_name(tmp_path, tags, said):
    slices = stack(smooth(4), [0, 3, 6, 9], lambda k: tags if k == 2 else {})
    with pytest.raises(DataError) as caught:
        read_series(write(tmp_path, slices))
    assert said in str(caught.value)
    assert "002.dcm" in str(caught.value)


def test_one_slice_is_no_volume(tmp_path):
    write(tmp_path, stack(smooth(1), [0]))
    for path in (tmp_path, tmp_path / "000.dcm"):
        with pytest.raises(DataError, match="one slice .000.dcm. is no volume"):
            read_series(path)


def test_scales_may_differ_from_slice_to_slice(tmp_path):
    def each(k):
        return {"RescaleSlope": 1 + k, "RescaleIntercept": -100 * k}

    found = read_series(write(tmp_path, stack(smooth(4), [0, 3, 6, 9], each)))
    expected = [(1 + k) * plane.astype(int) - 100 * k for k, plane in enumerate(smooth(4))]
    np.testing.assert_array_equal(found.volume.array, expected)


def test_a_scale_that_is_not_whole_gives_real_numbers(tmp_path):
    slices = stack(smooth(3), [0, 3, 6], RescaleSlope="0.5", RescaleIntercept="-0.25")
    array = read_series(write(tmp_path, slices)).volume.array
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, 0.5 * smooth(3) - 0.25)


def test_values_beyond_16_bit_are_kept(tmp_path):
    values = np.stack([np.full((2, 2), v) for v in (100, 60000, 200)]).astype(np.uint16)
    array = read_series(write(tmp_path, stack(values, [0, 3, 6], RescaleIntercept=-1024))).volume
    np.testing.assert_array_equal(array.array, values.astype(int) - 1024)


def test_unused_bits_are_not_values(tmp_path):
    values = np.abs(smooth(3)).astype(np.uint16)
    dirty = values | 0xF000  # an overlay in the upper bits
    slices = stack(dirty, [0, 3, 6], BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_series(write(tmp_path, slices)).volume.array, values)


def test_the_sign_is_the_uppermost_stored_bit(tmp_path):
    values = smooth(3)
    slices = stack(
        values.astype(np.uint16) & 0x0FFF,
        [0, 3, 6],
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=1,
    )
    np.testing.assert_array_equal(read_series(write(tmp_path, slices)).volume.array, values)


def test_padding_is_air_if_no_scanner_measures_it(tmp_path):
    values = smooth(3)
    values[:, 0] = -2000
    slices = stack(values, [0, 3, 6], PixelPaddingValue=-2000, RescaleIntercept=-1024)
    array = read_series(write(tmp_path, slices)).volume.array
    assert (array[:, 0] == -1024).all()
    np.testing.assert_array_equal(array[:, 1:], values[:, 1:].astype(int) - 1024)


def test_padding_of_0_in_hounsfield_units_stays_water(tmp_path):
    values = smooth(3)
    values[:, 0] = 0
    slices = stack(values, [0, 3, 6], PixelPaddingValue=0)
    np.testing.assert_array_equal(read_series(write(tmp_path, slices)).volume.array, values)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_slices_are_read(tmp_path, syntax):
    slices = stack(smooth(3) + 1000, [0, 3, 6], RescaleIntercept=-1000)
    for each in slices:
        each.PixelRepresentation = 0
        each.compress(syntax, generate_instance_uid=False)
    np.testing.assert_array_equal(read_series(write(tmp_path, slices)).volume.array, smooth(3))


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_slices_compressed_by_gdcm_are_read(tmp_path, kind):
    for k, plane in enumerate(smooth(3) + 1024):
        image = itk.image_from_array(np.ascontiguousarray(plane[None]))
        image.SetSpacing([0.5, 0.75, 3.0])
        image.SetOrigin([0.0, 0.0, 3.0 * k])
        tags = image.GetMetaDataDictionary()
        tags["0008|0060"] = "CT"
        tags["0020|000d"] = SERIES + ".1"
        tags["0020|000e"] = SERIES + ".2"
        tags["0020|0032"] = f"0\\0\\{3 * k}"
        tags["0020|0037"] = "1\\0\\0\\0\\1\\0"
        tags["0028|1052"] = "-1024"
        tags["0028|1053"] = "1"
        gdcm = itk.GDCMImageIO.New()
        gdcm.KeepOriginalUIDOn()
        gdcm.UseCompressionOn()
        gdcm.SetCompressionType(getattr(itk.GDCMImageIOEnums, f"Compression_{kind}"))
        writer = itk.ImageFileWriter[type(image)].New(image, FileName=str(tmp_path / f"{k}.dcm"))
        writer.SetImageIO(gdcm)
        writer.UseCompressionOn()
        writer.Update()
    array = read_series(tmp_path).volume.array
    np.testing.assert_array_equal(array, itk.array_from_image(itk_series(tmp_path)))
    assert len(np.unique(array[:, 0, 0])) == 3


def test_a_syntax_that_nothing_decodes_is_refused_by_name(tmp_path):
    slices = stack(smooth(3), [0, 3, 6])
    for each in slices:
        each.compress(RLELossless, generate_instance_uid=False)
        each.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    with pytest.raises(
        DataError, match=r"000\.dcm: compressed as High-Throughput JPEG 2000.*decompress"
    ):
        read_series(write(tmp_path, slices))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_orders_of_bytes_are_read(tmp_path, syntax):
    slices = stack(smooth(3), [0, 3, 6])
    for k, each in enumerate(slices):
        each.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            each.PixelData = np.frombuffer(each.PixelData, "<i2").astype(">i2").tobytes()
        bare = Dataset({element.tag: element for element in each})
        bare.file_meta = each.file_meta
        dcmwrite(
            tmp_path / f"{k}.dcm",
            bare,
            implicit_vr=syntax.is_implicit_VR,
            little_endian=syntax.is_little_endian,
            enforce_file_format=True,
        )
    np.testing.assert_array_equal(read_series(tmp_path).volume.array, smooth(3))


@pytest.mark.parametrize("implicit", [True, False])
def test_files_without_a_preamble_are_read(tmp_path, implicit):
    for k, each in enumerate(stack(smooth(3), [0, 3, 6])):
        bare = each.copy()
        dcmwrite(
            tmp_path / f"IM{k}",
            Dataset({element.tag: element for element in bare}),
            implicit_vr=implicit,
            little_endian=True,
        )
    np.testing.assert_array_equal(read_series(tmp_path).volume.array, smooth(3))


def test_objects_that_are_no_ct_are_left_out_and_said(tmp_path):
    write(tmp_path, stack(smooth(4), [0, 3, 6, 9]))
    contours = slice_of(
        smooth(1)[0],
        (0, 0, 0),
        Modality="RTSTRUCT",
        SOPClassUID=RTStructureSetStorage,
        SeriesInstanceUID=SERIES + ".5",
    )
    del contours.Rows, contours.Columns, contours.PixelData
    magnetic = slice_of(smooth(1)[0], (0, 0, 0), Modality="MR", SeriesInstanceUID=SERIES + ".6")
    screen = slice_of(
        smooth(1)[0],
        (0, 0, 0),
        SOPClassUID=SCREEN,
        ImagePositionPatient=None,
        SeriesInstanceUID=SERIES + ".8",
    )
    write(tmp_path, [contours, magnetic, screen], ["rs.dcm", "mr.dcm", "report.dcm"])
    found = read_series(tmp_path)
    np.testing.assert_array_equal(found.volume.array, smooth(4))
    said = " ".join(found.notes)
    assert "1 RTSTRUCT (rs.dcm)" in said
    assert "1 MR (mr.dcm)" in said
    assert "report.dcm" in said


def test_a_folder_of_another_modality_is_refused(tmp_path):
    write(tmp_path, stack(smooth(3), [0, 3, 6], Modality="MR"))
    with pytest.raises(DataError, match="expected CT slices.*found 3 MR"):
        read_series(tmp_path)


def test_files_that_do_not_say_their_unit_or_kind_are_noted(tmp_path):
    slices = stack(
        smooth(3),
        [0, 3, 6],
        Modality="OT",
        RescaleSlope=None,
        RescaleIntercept=None,
        RescaleType="ED",
    )
    found = read_series(write(tmp_path, slices))
    said = " ".join(found.notes)
    assert "do not say that they are CT" in said
    assert "no RescaleSlope and RescaleIntercept" in said
    assert "values are ED" in said


def test_a_truncated_slice_is_refused_by_name(tmp_path):
    folder = write(tmp_path, stack(smooth(4), [0, 3, 6, 9]))
    content = (folder / "002.dcm").read_bytes()
    for length in range(0, len(content), 23):
        (folder / "002.dcm").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"002\.dcm"):
            read_series(folder)


def test_flipped_bits_and_cut_ends_raise_nothing_but_our_error(tmp_path, rng):
    folder = write(tmp_path, stack(smooth(3, 3, 3), [0, 3, 6]))
    content = (folder / "001.dcm").read_bytes()
    for k in range(120):
        damaged = bytearray(content)
        if k % 2:
            damaged = damaged[: rng.integers(len(content))]
        else:
            damaged[rng.integers(128, len(content))] ^= 1 << int(rng.integers(8))
        (folder / "001.dcm").write_bytes(bytes(damaged))
        with contextlib.suppress(DataError):
            assert read_series(folder).volume.array.ndim == 3
