"""Headers of NIfTI files, versions 1 and 2, in one file or as a pair of .hdr and .img.

Cox et al., "A (sort of) new image data format standard: NIfTI-1", HBM 2004, and NIfTI-2. Fields are
unpacked by nibabel; what they mean together is decided here, since its own reading replaces a
missing voxel size by 1 mm.
"""

import math
from pathlib import Path

import nibabel
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from massm.io.errors import DataError
from massm.io.image_header import Encoding, Header, Stored, check_spatial, make_header
from massm.io.image_values import encoding_of

KIND = "NIfTI"
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}
_TYPES |= {1024: "i8", 1280: "u8"}
_OTHER_TYPES = {1: "bits", 1536: "real numbers of 16 bytes", 1792: "complex numbers"}
_OTHER_TYPES |= {32: "complex numbers", 2048: "complex numbers"}
_COMPONENTS = {128: "3 components (RGB colors)", 2304: "4 components (RGBA colors)"}
_UNITS = {1: ("meters", 1000.0), 3: ("micrometers", 0.001)}
_MOST_APART_VOXEL = 0.1  # sform and qform farther apart disagree
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

Fields = nibabel.Nifti1Header | nibabel.Nifti2Header


def is_nifti(start: bytes) -> bool:
    """Tell a NIfTI header, or one of its forerunner Analyze, by its first bytes."""
    return _header_bytes(start) is not None


def read_nifti(path: Path, start: bytes, encoding: Encoding) -> Header:
    """Describe a NIfTI file.

    Args:
        path: The file.
        start: Its first bytes, unpacked; 544 at least if there are so many.
        encoding: How the file is packed.

    Raises:
        DataError: If it cannot be used; says why.
    """
    fields = _unpack(path, start)
    shape, others = _shape(path, fields)
    check_spatial(path, KIND, shape, others)
    size = (shape[0], shape[1], shape[2])
    notes: list[str] = []
    stored = _stored(path, fields, encoding, notes)
    affine, source = _affine(path, fields, size, notes)
    return make_header(path, KIND, size, affine, stored, spacing_from=source, notes=notes)


def header_beside(path: Path) -> Path | None:
    """Find the .hdr of a pair of which the .img was named; None if there is none."""
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith(".img"):
        return None
    wanted = (f"{name.removesuffix('.img')}.hdr", f"{name.removesuffix('.img')}.hdr.gz")
    return next((one for one in sorted(path.parent.iterdir()) if one.name.lower() in wanted), None)


def _header_bytes(start: bytes) -> tuple[int, str] | None:
    for order in "<>":
        kind = np.dtype(order + "i4")
        if len(start) >= 348 and int(np.frombuffer(start[:4], kind)[0]) in (348, 540):
            return int(np.frombuffer(start[:4], kind)[0]), order
    return None


def _unpack(path: Path, start: bytes) -> Fields:
    found = _header_bytes(start)
    if found is None or len(start) < found[0]:
        raise DataError(f"{path}: truncated, ends within its NIfTI header; copy the file again")
    length, order = found
    kind = nibabel.Nifti1Header if length == 348 else nibabel.Nifti2Header
    fields = kind(start[:length], endianness=order, check=False)  # type: ignore[no-untyped-call]
    magic = bytes(fields["magic"].tobytes())[:3]
    if magic not in (b"n+1", b"n+2", b"ni1", b"ni2"):
        raise DataError(
            f"{path}: no NIfTI file (magic {magic!r}); one of its forerunner Analyze does not say "
            "which side is left: convert it to NIfTI"
        )
    return fields


def _shape(path: Path, fields: Fields) -> tuple[list[int], list[str]]:
    """Return the axes of space, and in words what else the file has several of."""
    count = int(fields["dim"][0])
    axes = [int(n) for n in fields["dim"][1 : 1 + max(count, 0)]]
    if not 1 <= count <= 7 or min(axes) < 1:
        raise DataError(f"{path}: damaged header, dim {fields['dim'].tolist()}; copy it again")
    code = int(fields["datatype"])
    others = [_COMPONENTS[code]] if code in _COMPONENTS else []
    for place, what in ((3, "times (4D)"), (4, "components"), (5, "layers"), (6, "layers")):
        if len(axes) > place and axes[place] > 1:
            others.append(f"{axes[place]} {what}")
    return axes[:3], others


def _stored(path: Path, fields: Fields, encoding: Encoding, notes: list[str]) -> Stored:
    code = int(fields["datatype"])
    if code not in _TYPES:
        what = _OTHER_TYPES.get(code, f"values of the unknown type {code}")
        raise DataError(f"{path}: holds {what}; save it with integers or real numbers")
    dtype = np.dtype(fields.endianness + _TYPES[code])
    bits = int(fields["bitpix"])
    if bits not in (0, 8 * dtype.itemsize):
        notes.append(f"header says {bits} bits a value, its type {dtype.name} has other; type used")
    offset = float(fields["vox_offset"])
    is_single = bytes(fields["magic"].tobytes())[:2] == b"n+"
    least = (352 if fields.sizeof_hdr == 348 else 544) if is_single else 0
    if offset == 0:
        offset = least
    if not math.isfinite(offset) or offset < least or offset != int(offset):
        raise DataError(f"{path}: damaged header, vox_offset {offset:g}; copy the file again")
    slope, intercept = _scaling(path, fields, notes)
    file, packing = (path, encoding) if is_single else _values_beside(path)
    if packing == "raw":
        return Stored(file, dtype, packing, int(offset), 0, slope, intercept)
    return Stored(file, dtype, packing, 0, int(offset), slope, intercept)


def _scaling(path: Path, fields: Fields, notes: list[str]) -> tuple[float, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope):  # the stored numbers are the values; 0 by the standard
        if math.isnan(slope):
            notes.append("scl_slope is NaN, as where none was set: no scaling")
        if intercept != 0 and not math.isnan(intercept):
            notes.append(f"scl_slope {slope:g} means no scaling; scl_inter {intercept:g} left out")
        return 1.0, 0.0
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise DataError(
            f"{path}: scl_slope {slope:g} and scl_inter {intercept:g} scale no value; write 1 and "
            "0, or what turns the stored numbers into Hounsfield units"
        )
    return slope, intercept


def _values_beside(path: Path) -> tuple[Path, Encoding]:
    """Find the .img of a pair, also packed, whatever the case of its suffix."""
    name = path.name.lower().removesuffix(".gz").rpartition(".")[0]
    for other in sorted(path.parent.iterdir()):
        if other.name.lower() in (f"{name}.img", f"{name}.img.gz"):
            return other, encoding_of(other)
    raise DataError(f"{path}: its values should be in {name}.img beside it, which is not there")


def _affine(
    path: Path, fields: Fields, size: tuple[int, int, int], notes: list[str]
) -> tuple[Float[np.ndarray, "4 4"], str]:
    """Decide where the voxels lie, in LPS millimeters, and say by what."""
    unit, scale = _UNITS.get(int(fields["xyzt_units"]) & 7, ("", 1.0))
    steps = np.abs(fields["pixdim"][1:4].astype(float))
    says_size = bool(np.isfinite(steps).all() and (steps > 0).all())
    sform = _sform(fields, notes)
    qform = _qform(fields, steps, notes) if says_size else None
    if not says_size and sform is None:
        found = " x ".join(f"{value:g}" for value in fields["pixdim"][1:4])
        raise DataError(
            f"{path}: does not say the size of its voxels (pixdim {found}, no sform of use); write "
            "the scan again with its spacing"
        )
    if (fields["pixdim"][1:4] < 0).any():
        notes.append("negative pixdim: its amount is the voxel size")
    affine, source = _chosen(fields, sform, qform, size, notes)
    if affine is None:
        affine, source = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.diag([*steps, 1.0]), "pixdim"
        notes.append(
            "neither sform nor qform: pixdim is the voxel size, the axes are taken to run to the "
            "left, back and head, from 0"
        )
    elif source == "sform":
        _note_sizes(np.linalg.norm(affine[:3, :3], axis=0), steps, says_size, notes)
    affine = affine.copy()
    affine[:3] *= scale
    if unit:
        notes.append(f"header in {unit}: brought to millimeters")
    return _TO_LPS @ affine, source


def _sform(fields: Fields, notes: list[str]) -> Float[np.ndarray, "4 4"] | None:
    if int(fields["sform_code"]) <= 0:
        return None
    rows = [fields[f"srow_{axis}"].astype(float) for axis in "xyz"]
    affine = np.array([*rows, [0, 0, 0, 1.0]])
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        notes.append("sform spans no volume and is not used")
        return None
    return affine


def _qform(fields: Fields, steps: np.ndarray, notes: list[str]) -> Float[np.ndarray, "4 4"] | None:
    if int(fields["qform_code"]) <= 0:
        return None
    b, c, d = (float(fields[f"quatern_{name}"]) for name in "bcd")
    square = b * b + c * c + d * d
    place = np.array([float(fields[f"qoffset_{axis}"]) for axis in "xyz"])
    if not math.isfinite(square) or square > 1.0001 or not np.isfinite(place).all():
        notes.append("qform is no rotation and is not used")
        return None
    turn = Rotation.from_quat([b, c, d, math.sqrt(max(0.0, 1 - square))]).as_matrix()
    mirror = -1.0 if float(fields["pixdim"][0]) < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = turn * steps * [1, 1, mirror]
    affine[:3, 3] = place
    return affine


def _chosen(
    fields: Fields,
    sform: np.ndarray | None,
    qform: np.ndarray | None,
    size: tuple[int, int, int],
    notes: list[str],
) -> tuple[np.ndarray | None, str]:
    """Take the sform, unless the qform alone claims the scanner's frame (code 1)."""
    if sform is None or qform is None:
        return (qform, "qform") if sform is None else (sform, "sform")
    codes = int(fields["sform_code"]), int(fields["qform_code"])
    last = np.array(size) - 1.0
    ends = np.array(
        [[i, j, k, 1] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])]
    )
    apart = float(np.linalg.norm(ends @ (sform - qform).T, axis=1).max())
    step = float(np.linalg.norm(sform[:3, :3], axis=0).min())
    if apart <= _MOST_APART_VOXEL * step:
        return sform, "sform"
    takes_qform = codes[1] == 1 != codes[0]
    source = "qform" if takes_qform else "sform"
    why = "alone" if takes_qform or codes[0] == 1 != codes[1] else "as well"
    reason = f"its code 1 {why} means the scanner's frame"
    if 1 not in codes:
        reason = "neither claims the scanner's frame"
    notes.append(
        f"sform and qform disagree by up to {apart:.3g} mm (codes {codes[0]} and {codes[1]}): "
        f"{source} used, {reason}"
    )
    return (qform, "qform") if takes_qform else (sform, "sform")


def _note_sizes(sizes: np.ndarray, steps: np.ndarray, says_size: bool, notes: list[str]) -> None:
    words = " x ".join(f"{value:.4g}" for value in sizes)
    if not says_size:
        notes.append(f"pixdim says no voxel size: that of the sform used, {words} mm")
    elif not np.allclose(sizes, steps, rtol=1e-3):
        found = " x ".join(f"{value:.4g}" for value in steps)
        notes.append(f"voxels of {found} mm by pixdim, of {words} mm by sform: sform used")
