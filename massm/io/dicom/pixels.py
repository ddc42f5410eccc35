"""Stored numbers of one slice, and the values that they stand for."""

import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Num, Shaped
from pydicom import Dataset, FileDataset, FileMetaDataset, dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGLossless, JPEGLosslessSV1

from massm.io.dicom.files import reading
from massm.io.dicom.slices import Slice
from massm.io.errors import DataError

_BY_ITK = (JPEGLossless, JPEGLosslessSV1)  # GDCM reads what pydicom's plugins do not
AIR = -1024  # HU where nothing was measured
_HIGHEST = 32767  # HU that no scanner gives


class Pixels:
    """Reads slices one by one; the last file stays open for the next frame of it."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._dataset = Dataset()

    def stored(self, each: Slice) -> Shaped[np.ndarray, "H W"]:
        """Read a slice's stored numbers.

        Raises:
            DataError: If the file is truncated or damaged, or nothing decodes it.
        """
        with reading(str(each.path)):
            if each.path != self._path:
                self._dataset = dcmread(each.path, force=True)
                self._path = each.path
            array = _decoded(self._dataset, each.frame or 0, each.path)
        columns, rows = each.size
        if array.shape != (rows, columns):
            raise DataError(
                f"{each.path}: expected {columns} x {rows} pixels, found {array.shape}; damaged, "
                "copy the file again"
            )
        return array

    def values(self, each: Slice) -> Num[np.ndarray, "H W"]:
        """Read a slice's values: int32 where slope and intercept are whole, else float32.

        Of CT these are Hounsfield units. Pixels that the file calls padding are :data:`AIR` where
        their value is none that a scanner measures; else (0 in a file of HU) they stay.

        Raises:
            DataError: If the file is truncated or damaged, or nothing decodes it.
        """
        stored = self.stored(each)
        slope = 1.0 if each.scale.slope is None else each.scale.slope
        intercept = 0.0 if each.scale.intercept is None else each.scale.intercept
        if stored.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer():
            values = stored.astype(np.int64) * int(slope) + int(intercept)
            if values.min() >= -(2**31) and values.max() < 2**31:
                values = values.astype(np.int32)
        else:
            values = (stored.astype(float) * slope + intercept).astype(np.float32)
        if each.scale.padding is not None:
            low, high = each.scale.padding
            is_padding = (stored >= low) & (stored <= high)
            values[is_padding & ((values < AIR) | (values > _HIGHEST))] = AIR
        return values


def _decoded(dataset: Dataset, frame: int, path: Path) -> np.ndarray:
    if not any(k in dataset for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise DataError(f"{path}: truncated, holds no pixels; copy the file again")
    syntax = _syntax(dataset)
    if syntax in _BY_ITK:
        return _by_itk(dataset, frame, path)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        raise DataError(
            f"{path}: compressed as {syntax.name}, which no decoder here reads; decompress the "
            "series (dcmdjpeg, gdcmconv --raw) or export it uncompressed"
        )
    if not syntax.is_encapsulated:
        _check_length(dataset, path)
    return decoder.as_array(dataset, index=frame, raw=True)[0]


def _syntax(dataset: Dataset) -> UID:
    """Say how pixels are stored; a file without a header of its own says it by its form."""
    meta = getattr(dataset, "file_meta", None)
    syntax = meta.get("TransferSyntaxUID", None) if meta is not None else None
    if syntax:
        return UID(syntax)
    implicit, little = dataset.original_encoding
    syntax = UID("1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1")
    if not little:
        syntax = UID("1.2.840.10008.1.2.2")
    dataset.file_meta = meta or FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    return syntax


def _check_length(dataset: Dataset, path: Path) -> None:
    """Refuse native pixels that end early, with the numbers."""
    if "PixelData" not in dataset:
        return
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    bits = dataset.Rows * dataset.Columns * frames * dataset.BitsAllocated
    expected, found = (bits + 7) // 8, len(dataset.PixelData)
    if found < expected:
        raise DataError(
            f"{path}: truncated, holds {found} of {expected} bytes of pixels; copy the file again"
        )


def _by_itk(dataset: Dataset, frame: int, path: Path) -> np.ndarray:
    """Decode one frame by GDCM, from a file that holds it alone and no scale."""
    import itk  # takes a second, and few files need it

    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    content = get_frame(dataset.PixelData, frame, number_of_frames=frames)
    single = Dataset()
    for keyword in (
        *("SOPClassUID", "SOPInstanceUID", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated"),
        *("BitsStored", "HighBit", "PixelRepresentation", "PhotometricInterpretation"),
    ):
        setattr(single, keyword, dataset[keyword].value)
    single.PixelData = encapsulate([content])
    single["PixelData"].is_undefined_length = True
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.dcm"
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = _syntax(dataset)
        whole = FileDataset(str(file), single, file_meta=meta, preamble=b"\0" * 128)
        whole.save_as(file, enforce_file_format=True)
        try:
            image = itk.imread(str(file))
        except RuntimeError as error:
            raise DataError(
                f"{path}: its {_syntax(dataset).name} cannot be decoded, damaged? Copy the file "
                "again"
            ) from error
    array: np.ndarray = itk.array_from_image(image)[0]
    return array
