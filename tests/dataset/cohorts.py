"""Small cohorts on disk, sound ones and broken ones."""

from pathlib import Path

import itk
import numpy as np

from massm.config.dataset import DatasetConfig
from massm.geometry.volume import Volume
from massm.io.images import write_image

ANATOMIES = ["spleen", "liver"]
SHAPE = (10, 12, 14)
SPACING = np.array([3.0, 3.0, 5.0])
ORIGIN = np.array([-20.0, 10.0, -300.0])


def dataset_config(root, **changes):
    """Section ``dataset`` with the values of config.yaml, but for few subjects."""
    values = {
        "root": root,
        "layout": "totalsegmentator",
        "seed": 1,
        "fractions": {"train": 0.6, "validation": 0.2, "test": 0.2},
        "min_train": 1,
        "min_voxels": 5,
        "min_extent_mm": 2.0,
        "max_extent_mm": 2000.0,
        "piece_fraction": 0.2,
        "allow_cut": False,
        "outlier_z": 6.0,
        "grid_tolerance_voxel": 0.1,
        "shear_voxel": 0.1,
        "void_fraction": 0.1,
        "air_hu": -300.0,
    }
    return DatasetConfig.model_validate(values | changes)


def ct(seed=0):
    """An image of noise around air and tissue."""
    array = np.random.default_rng(seed).normal(-400, 300, SHAPE).astype(np.float32)
    return Volume(array, SPACING, ORIGIN)


def blob(low=(3, 3, 3), high=(7, 8, 9)):
    """A mask that fills a box, z, y, x."""
    array = np.zeros(SHAPE, dtype=bool)
    array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return Volume(array, SPACING, ORIGIN)


def write_subject(root: Path, name: str, masks=None, image=None):
    """Write a subject in TotalSegmentator's layout: both anatomies sound unless told otherwise."""
    masks = {anatomy: blob() for anatomy in ANATOMIES} | (masks or {})
    write_image(image or ct(), root / name / "ct.nii.gz")
    for anatomy, mask in masks.items():
        if mask is not None:
            write_image(mask, root / name / "segmentations" / f"{anatomy}.nii.gz")


def truncate(path: Path):
    """Cut a file in half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def write_dicom_series(folder: Path, volume: Volume):
    """Write a volume as one DICOM series, a file a slice."""
    folder.mkdir(parents=True)
    values = volume.array.astype(np.int16)
    spacing = [float(value) for value in volume.spacing]
    for k in range(len(values)):
        place = [float(x) for x in volume.index_to_point(np.array([0.0, 0.0, k]))]
        image = itk.image_from_array(values[k : k + 1])
        image.SetSpacing(spacing)
        image.SetOrigin(place)
        tags = image.GetMetaDataDictionary()
        tags["0008|0060"] = "CT"
        tags["0020|000d"] = "1.2.826.0.1.3680043.8.498.1.1"
        tags["0020|000e"] = "1.2.826.0.1.3680043.8.498.1.2"
        tags["0020|0013"] = str(k + 1)
        tags["0020|0032"] = "\\".join(str(x) for x in place)
        tags["0020|0037"] = "1\\0\\0\\0\\1\\0"
        tags["0028|0030"] = f"{spacing[1]}\\{spacing[0]}"
        tags["0018|0050"] = str(spacing[2])
        gdcm = itk.GDCMImageIO.New()
        gdcm.KeepOriginalUIDOn()
        writer = itk.ImageFileWriter[type(image)].New(image, FileName=str(folder / f"{k:03d}.dcm"))
        writer.SetImageIO(gdcm)
        writer.Update()
