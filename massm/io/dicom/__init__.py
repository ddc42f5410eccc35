"""DICOM as what it is: series of slices, multi-frame CT, segmentation objects.

Positions decide where a slice lies and a series is its UID. What can be resampled without making
up values is, and notes say so; else a message tells the numbers found and the slices concerned.
"""

from massm.io.dicom.files import is_dicom
from massm.io.dicom.placement import on_grid_of
from massm.io.dicom.segmentation import read_segmentation
from massm.io.dicom.segmentation_writer import refuse_without_writer, write_segmentation
from massm.io.dicom.series import SeriesGrid, describe_series, holds_slices, read_series
from massm.io.dicom.stack import SliceGrid
from massm.io.dicom.volumes import DicomImage

__all__ = [
    "DicomImage",
    "SeriesGrid",
    "SliceGrid",
    "describe_series",
    "holds_slices",
    "is_dicom",
    "on_grid_of",
    "read_segmentation",
    "read_series",
    "refuse_without_writer",
    "write_segmentation",
]
