"""Small DICOM files as scanners and converters write them."""

from pathlib import Path

import numpy as np
from pydicom import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SERIES = "1.2.826.0.1.3680043.8.498.77"
AXIAL = (1.0, 0, 0, 0, 1, 0)


def slice_of(values, position, **tags):
    """Make one CT slice of 16 bit, signed, in Hounsfield units; tags of None are taken out."""
    values = np.asarray(values)
    dataset = FileDataset("", Dataset(), file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    defaults = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "Modality": "CT",
        "StudyInstanceUID": SERIES + ".1",
        "SeriesInstanceUID": SERIES + ".2",
        "FrameOfReferenceUID": SERIES + ".3",
        "PatientID": "x",
        "PatientName": "x",
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "",
        "StudyTime": "",
        "StudyID": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "SeriesNumber": 2,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "ImagePositionPatient": [float(x) for x in position],
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [0.75, 0.5],
        "SliceThickness": 3,
        "Rows": values.shape[0],
        "Columns": values.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": values.dtype.itemsize * 8,
        "BitsStored": values.dtype.itemsize * 8,
        "HighBit": values.dtype.itemsize * 8 - 1,
        "PixelRepresentation": int(values.dtype.kind == "i"),
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "RescaleType": "HU",
    }
    for keyword, value in {**defaults, **tags}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = np.ascontiguousarray(values).tobytes()
    dataset["PixelData"].VR = "OW" if values.dtype.itemsize > 1 else "OB"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def write(folder: Path, datasets, names=None):
    """Write slices, by default as 000.dcm, 001.dcm, ... in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    names = names or [f"{k:03d}.dcm" for k in range(len(datasets))]
    for dataset, name in zip(datasets, names, strict=True):
        dataset.save_as(folder / name, enforce_file_format=True)
    return folder


def stack(values, heights, each=None, **tags):
    """Make slices at heights above (-10, 20, 100); ``each`` gives more tags of the k-th."""
    return [
        slice_of(plane, (-10, 20, 100 + height), **{**tags, **(each(k) if each else {})})
        for k, (plane, height) in enumerate(zip(values, heights, strict=True))
    ]


def smooth(count, rows=8, columns=6):
    """Values that change little from slice to slice, each slice another."""
    z, y, x = np.meshgrid(np.arange(count), np.arange(rows), np.arange(columns), indexing="ij")
    return (100 * z + 7 * y + 3 * x - 500).astype(np.int16)
