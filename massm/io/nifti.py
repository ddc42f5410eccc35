"""What itk does not tell of a NIfTI file: values that are no number.

Its NIfTI reader puts 0 in place of NaN and infinity and says nothing, so a damaged CT would come
out with holes of water. The values are looked at in the file itself.
"""

import gzip
import struct
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from massm.io.errors import DataError

SUFFIXES = (".nii", ".nii.gz")
_FLOATS = {16: "f4", 64: "f8"}  # data type codes of the standard; whole numbers have no NaN
_CHUNK_BYTES = 1 << 22


def count_not_finite(path: Path) -> int:
    """Count the voxels of a NIfTI file that are NaN or infinite; 0 for other formats.

    Cox et al., "A (sort of) new image data format standard: NIfTI-1", HBM 2004, and NIfTI-2.

    Raises:
        DataError: If the file ends early or is no NIfTI file.
    """
    path = Path(path)
    if not path.name.lower().endswith(SUFFIXES):
        return 0
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            return sum(_not_finite(chunk) for chunk in _float_chunks(file, path))
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise DataError(f"{path}: truncated or damaged ({error}); copy the file again") from error


def _not_finite(values: np.ndarray) -> int:
    return values.size - int(np.isfinite(values).sum())


def _float_chunks(file: BufferedIOBase, path: Path) -> Iterator[np.ndarray]:
    header = file.read(540)
    order = next((o for o in "<>" if struct.unpack_from(o + "i", header)[0] in (348, 540)), None)
    if order is None:
        raise DataError(f"{path}: no NIfTI header")
    if struct.unpack_from(order + "i", header)[0] == 348:
        (code,) = struct.unpack_from(order + "h", header, 70)
        (start,) = struct.unpack_from(order + "f", header, 108)
    else:
        (code,) = struct.unpack_from(order + "h", header, 12)
        (start,) = struct.unpack_from(order + "q", header, 168)
    if code not in _FLOATS:
        return
    kind = np.dtype(order + _FLOATS[code])
    file.seek(int(start))
    while content := file.read(_CHUNK_BYTES):
        yield np.frombuffer(content[: len(content) // kind.itemsize * kind.itemsize], kind)
