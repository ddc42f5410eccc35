"""Check an organ that comes as a surface instead of a mask."""

from pathlib import Path

import numpy as np

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedOrgan, Organ
from massm.geometry.volume import Volume
from massm.io import meshes

MESH_SUFFIXES = (".vtp", ".ply", ".stl", ".vtk", ".obj")


def is_mesh(path: Path) -> bool:
    """Tell whether a path names a surface."""
    return path.suffix.lower() in MESH_SUFFIXES


def check_surface(config: SurveyConfig, organ: Organ, image: Volume | None) -> CheckedOrgan:
    """Read a surface and say whether it can be used.

    Raises:
        DataError: If the file cannot be read.
    """
    assert organ.mask is not None
    mesh = meshes.read(organ.mask)
    if len(mesh.faces) == 0:
        return CheckedOrgan(organ, "absent", "surface is empty", 0.0)
    volume_ml = abs(mesh.volume_ml)
    fault = ""
    if not np.isfinite(mesh.vertices).all():
        return CheckedOrgan(organ, "excluded", "surface has vertices that are no number")
    if not mesh.is_closed:
        fault = "surface is not closed; fill its holes"
    elif image is not None:
        fault = place_fault(mesh.vertices, image, config)
    return CheckedOrgan(organ, "excluded" if fault else "used", fault, volume_ml)


def place_fault(vertices: np.ndarray, image: Volume, config: SurveyConfig) -> str:
    """Say why a surface does not lie in its image; empty if it does."""
    index = image.point_to_index(vertices)
    last = np.array(image.size) - 1
    beyond = max(float((-index).max()), float((index - last).max()))
    if beyond > 1:
        return (
            f"surface reaches {beyond:.3g} voxels out of the CT; both must be in the scanner's "
            "LPS millimeters"
        )
    if beyond > -0.5 and not config.allow_cut:
        return "cut by the field of view: surface touches the image's border"
    return ""
