"""Check an anatomy that comes as a surface instead of a mask."""

from math import inf

import numpy as np
from jaxtyping import Float

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedAnatomy, FoundAnatomy
from massm.dataset.units import extent_fault, seems_to_be, small_note
from massm.geometry.mesh import Mesh
from massm.geometry.mesh_repair import Repaired, repaired
from massm.geometry.volume import Volume
from massm.io import meshes


def check_surface(
    config: SurveyConfig, anatomy: FoundAnatomy, image: Volume | None, hole_mm: float | None = None
) -> CheckedAnatomy:
    """Read a surface and say whether it can be used, as grooming would leave it.

    Args:
        config: Section ``dataset``.
        anatomy: With the surface's file.
        image: The CT, if there is one.
        hole_mm: Widest hole that grooming closes, mm; None leaves it to grooming to refuse holes.

    Raises:
        DataError: If the file cannot be read.
    """
    assert anatomy.mask is not None
    found = meshes.read_surface(anatomy.mask)
    whole = repaired(found.mesh, inf if hole_mm is None else hole_mm)
    surface, volume_ml = whole.main.mesh, whole.main.volume_ml
    fault = (
        extent_fault(surface.vertices, config)
        or _piece_fault(whole, config.piece_fraction)
        or whole.fault
        or (_image_fault(surface, volume_ml, image, config) if image is not None else "")
    )
    if fault:
        return CheckedAnatomy(
            anatomy, "excluded", fault, volume_ml, "; ".join(found.notes), "surface"
        )
    notes = [*found.notes, *whole.notes]
    if image is None and small_note(surface.vertices):  # with a CT, its place tells the unit
        notes.append(small_note(surface.vertices))
    if whole.holes:
        notes.append(f"holes {'left to grooming' if hole_mm is None else 'closed'}: {whole.holes}")
    return CheckedAnatomy(anatomy, "used", "", volume_ml, "; ".join(notes), "surface")


def place_fault(vertices: Float[np.ndarray, "V 3"], image: Volume, config: SurveyConfig) -> str:
    """Say why a surface does not lie in its image; empty if it does."""
    beyond = _beyond(vertices, image)
    if beyond > 1:
        return (
            f"surface reaches {beyond:.3g} voxels out of the CT; both must be in the scanner's "
            "LPS millimeters"
        )
    if beyond > -0.5 and not config.allow_cut:
        return "cut by the field of view: surface touches the image's border"
    return ""


def _beyond(vertices: Float[np.ndarray, "V 3"], image: Volume) -> float:
    """Measure how far the farthest vertex lies outside of the voxels' centers, voxels."""
    index = image.point_to_index(vertices)
    last = np.array(image.size) - 1
    return max(float((-index).max()), float((index - last).max()))


def _image_fault(surface: Mesh, volume_ml: float, image: Volume, config: SurveyConfig) -> str:
    """Say why a surface does not suit its CT, and in what frame or unit it would."""
    fault = place_fault(surface.vertices, image, config)
    voxels = volume_ml / image.voxel_ml
    if voxels < config.min_voxels:
        sides = " x ".join(f"{side:.3g}" for side in np.ptp(surface.vertices, axis=0))
        fault = (
            f"surface of {sides} mm holds {voxels:.2g} voxels of the CT, fewer than "
            f"{config.min_voxels}"
        )
    elif _beyond(surface.vertices, image) <= 1:
        return fault

    def suits(vertices: Float[np.ndarray, "V 3"], scale: float) -> bool:
        return _beyond(vertices, image) <= 1 and voxels * scale**3 >= config.min_voxels

    guess = seems_to_be(surface.vertices, suits)
    return f"{fault}; {guess}" if guess else fault


def _piece_fault(whole: Repaired, fraction: float) -> str:
    large = whole.large_pieces(fraction)
    if len(large) == 1:
        return ""
    first, second = (f"{piece.volume_ml:.3g}" for piece in large[:2])
    return (
        f"several large pieces: {len(large)}, the largest two of {first} and {second} ml; give "
        "each anatomy its own file"
    )
