"""CT series in one file: Enhanced CT."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import EnhancedCTImageStorage, RLELossless

from massm.io.dicom import is_dicom, read_series
from massm.io.errors import DataError
from tests.io.dicom.files import slice_of, smooth


def item(**tags):
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced(values, heights, slopes=None, **tags):
    """Make one object of all frames; frames in the order given."""
    dataset = slice_of(
        values.reshape(-1, values.shape[2]),
        (0, 0, 0),
        SOPClassUID=EnhancedCTImageStorage,
        Rows=values.shape[1],
        NumberOfFrames=len(values),
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
        SliceThickness=None,
        RescaleSlope=None,
        RescaleIntercept=None,
        RescaleType=None,
        **tags,
    )
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[item(PixelSpacing=[0.75, 0.5], SliceThickness=3)],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[-10, 20, 100 + float(height)])],
            PixelValueTransformationSequence=[
                item(
                    RescaleSlope=1 if slopes is None else slopes[k],
                    RescaleIntercept=-24,
                    RescaleType="HU",
                )
            ],
            FrameContentSequence=[item(FrameAcquisitionNumber=1, StackID="1")],
        )
        for k, height in enumerate(heights)
    ]
    return dataset


@pytest.mark.parametrize("is_compressed", [False, True])
def test_frames_are_read_by_their_places(tmp_path, is_compressed):
    values = smooth(5)
    order = [3, 0, 4, 1, 2]
    dataset = enhanced(values[order], np.array(order) * 3.0, slopes=[1, 1, 2, 1, 1])
    if is_compressed:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    expected = values.astype(int) * np.array([1, 1, 1, 1, 2])[:, None, None] - 24
    for path in (tmp_path, tmp_path / "ct"):
        assert is_dicom(path)
        found = read_series(path)
        np.testing.assert_array_equal(found.volume.array, expected)
        np.testing.assert_array_equal(found.volume.spacing, [0.5, 0.75, 3])
        np.testing.assert_array_equal(found.volume.origin, [-10, 20, 100])
        assert found.notes == ()


def test_a_missing_frame_is_named(tmp_path):
    dataset = enhanced(smooth(5), [0, 3, 6, 12, 15])
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    with pytest.raises(DataError, match="6 mm between ct frame 3 and ct frame 4"):
        read_series(tmp_path)


def test_phases_in_one_object_are_refused(tmp_path):
    dataset = enhanced(np.concatenate([smooth(4), smooth(4) + 90]), [0, 3, 6, 9] * 2)
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].TemporalPositionIndex = 1 + k // 4
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    with pytest.raises(DataError, match="told apart by TemporalPositionIndex 1 .4 slices., 2"):
        read_series(tmp_path)


def test_frames_without_places_are_refused(tmp_path):
    dataset = enhanced(smooth(5), np.arange(5) * 3.0)
    del dataset.PerFrameFunctionalGroupsSequence
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    with pytest.raises(DataError, match="5 frames in one object .Enhanced CT.* without a place"):
        read_series(tmp_path)


def test_frames_and_their_description_have_to_agree(tmp_path):
    dataset = enhanced(smooth(5), np.arange(5) * 3.0)
    del dataset.PerFrameFunctionalGroupsSequence[4]
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    with pytest.raises(DataError, match="says 5 frames and describes 4"):
        read_series(tmp_path)


def test_a_truncated_object_is_refused(tmp_path):
    dataset = enhanced(smooth(5), np.arange(5) * 3.0)
    dataset.save_as(tmp_path / "ct", enforce_file_format=True)
    content = (tmp_path / "ct").read_bytes()
    (tmp_path / "ct").write_bytes(content[:-100])
    with pytest.raises(DataError, match="ct: truncated"):
        read_series(tmp_path / "ct")
