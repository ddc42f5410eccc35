"""DICOM SEG beside its CT: read back by pydicom, highdicom and our own reader."""

import sys

import highdicom
import numpy as np
import pydicom
import pytest

from massm.io.dicom import on_grid_of, read_segmentation, read_series, write_segmentation
from massm.io.errors import DataError
from massm.io.label_maps import Segment
from tests.io.dicom.files import smooth, stack, write
from tests.io.dicom.test_multiframe import enhanced

SEGMENTS = [
    Segment(2, "Liver", (0.9, 0.6, 0.0)),
    Segment(3, "Nothing", (0.0, 0.0, 1.0)),
    Segment(7, "Spleen", (0.3, 0.7, 0.9)),
]


def labels_of(series):
    """A liver and a spleen of some voxels on the series' grid."""
    volume = read_series(series).volume
    array = np.zeros(volume.array.shape, np.uint8)
    array[1:4, 2:5, 1:3] = 2
    array[3:5, 2:4, 3:6] = 7
    return volume.with_array(array)


@pytest.fixture
def series(tmp_path):
    """Slices written from the head down, in files whose names say nothing."""
    slices = stack(smooth(6), 3.0 * np.arange(6), AccessionNumber="A-77", PatientID="p9")
    return write(tmp_path / "ct", slices[::-1], ["b", "a", "f", "c", "e", "d"])


def written(series, path, labels=None, segments=SEGMENTS):
    write_segmentation(labels or labels_of(series), segments, series, path, version="1.2.3")
    return path


def refer_to_its_slices(seg, series):
    """Each frame names the file of the slice on which it lies."""
    places = {
        str(ct.SOPInstanceUID): [float(x) for x in ct.ImagePositionPatient]
        for ct in map(pydicom.dcmread, series.iterdir())
    }
    for frame in seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        position = [float(x) for x in frame.PlanePositionSequence[0].ImagePositionPatient]
        np.testing.assert_allclose(position, places[source.ReferencedSOPInstanceUID], atol=1e-6)
    return True


def test_it_is_of_the_same_patient_study_and_frame_and_refers_to_the_slices(series, tmp_path):
    seg = pydicom.dcmread(written(series, tmp_path / "seg.dcm"))
    ct = pydicom.dcmread(series / "a")
    shared = ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "AccessionNumber")
    assert [seg[tag].value for tag in shared] == [ct[tag].value for tag in shared]
    assert seg.Modality == "SEG"
    assert seg.SeriesInstanceUID != ct.SeriesInstanceUID
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == ct.SeriesInstanceUID
    assert refer_to_its_slices(seg, series)
    assert seg.SoftwareVersions == "1.2.3"


def test_highdicom_finds_the_segments_by_name_with_their_voxels(series, tmp_path):
    labels = labels_of(series)
    seg = highdicom.seg.segread(written(series, tmp_path / "seg.dcm", labels))
    assert seg.number_of_segments == 2
    for name, value in (("Liver", 2), ("Spleen", 7)):
        (number,) = seg.get_segment_numbers(segment_label=name)
        volume = seg.get_volume(segment_numbers=[number])
        assert (volume.array > 0).sum() == (labels.array == value).sum()
        inside = np.argwhere(volume.array[..., 0] > 0)
        points = volume.map_indices_to_reference(inside.astype(float))
        expected = labels.index_to_point(np.argwhere(labels.array == value)[:, ::-1].astype(float))
        np.testing.assert_allclose(
            points[np.lexsort(points.T)], expected[np.lexsort(expected.T)], atol=1e-2
        )


def test_our_reader_finds_the_same_voxels(series, tmp_path):
    labels = labels_of(series)
    path = written(series, tmp_path / "seg.dcm", labels)
    image = read_series(series).volume
    for number, value in ((1, 2), (2, 7)):
        mask = on_grid_of(read_segmentation(path, number).volume, image, 0.01)
        np.testing.assert_array_equal(mask.array, labels.array == value)


def test_a_ct_in_one_file_has_a_segmentation_too(tmp_path):
    values = smooth(5)
    dataset = enhanced(values[::-1], 3.0 * np.arange(5)[::-1])  # frames from the head down
    (tmp_path / "ct").mkdir()
    dataset.save_as(tmp_path / "ct/a.dcm", enforce_file_format=True)
    labels = labels_of(tmp_path / "ct")
    path = written(tmp_path / "ct", tmp_path / "seg.dcm", labels)
    image = read_series(tmp_path / "ct").volume
    mask = on_grid_of(read_segmentation(path, 2).volume, image, 0.01)
    np.testing.assert_array_equal(mask.array, labels.array == 7)


def test_identifiers_come_from_the_content(series, tmp_path):
    one, same = (pydicom.dcmread(written(series, tmp_path / name)) for name in ("1.dcm", "2.dcm"))
    assert one.SOPInstanceUID == same.SOPInstanceUID
    labels = labels_of(series)
    labels.array[0, 0, 0] = 2
    other = pydicom.dcmread(written(series, tmp_path / "3.dcm", labels))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID


def test_a_resampled_series_is_refused_with_the_reason(tmp_path):
    uneven = write(tmp_path / "uneven", stack(smooth(6), [0, 3, 6, 8, 11, 14.0]))
    with pytest.raises(DataError, match=r"uneven: .* were resampled \(.*\); use the label map"):
        written(uneven, tmp_path / "seg.dcm")
    tilted = stack(smooth(6), 3.0 * np.arange(6))
    for number, each in enumerate(tilted):
        each.ImagePositionPatient[1] += 0.7 * number
    with pytest.raises(DataError, match="gantry tilted"):
        written(write(tmp_path / "tilted", tilted), tmp_path / "seg.dcm")
    assert not (tmp_path / "seg.dcm").exists()


def test_labels_of_another_grid_and_no_labels_are_refused(series, tmp_path):
    labels = labels_of(series)
    labels.origin[0] += 0.5
    with pytest.raises(DataError, match=r"not that of the series .*, 0.5 mm apart"):
        written(series, tmp_path / "seg.dcm", labels)
    with pytest.raises(DataError, match="no voxel is labelled"):
        written(series, tmp_path / "seg.dcm", segments=SEGMENTS[1:2])


def test_without_highdicom_the_error_says_what_to_install(series, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(DataError, match="install it, or massm with its extra dicom"):
        written(series, tmp_path / "seg.dcm")
