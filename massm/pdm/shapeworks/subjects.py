"""What the program is given of each subject: its mesh, and particles where it starts from some."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.particles import write_text
from massm.io.shapeworks import DOMAIN, transform_text


def write_groomed(mesh: Mesh, name: str, folder: Path) -> str:
    """Write the mesh of a subject; returns its file, relative to the folder."""
    path = folder / "groomed" / f"{name}.vtp"
    meshes.write(mesh, path)
    return path.relative_to(folder).as_posix()


def write_landmarks(points: Float[np.ndarray, "M 3"], name: str, folder: Path) -> str:
    """Write particles that a subject starts from; returns their file, relative to the folder."""
    path = folder / "landmarks" / f"{name}.particles"
    write_text(points, path)
    return path.relative_to(folder).as_posix()


def groomed_row(mesh: Mesh, name: str, folder: Path) -> dict[str, str]:
    """Write the mesh of a subject and give its row in a project."""
    file = write_groomed(mesh, name, folder)
    return {
        "name": name,
        f"shape_{DOMAIN}": file,
        f"groomed_{DOMAIN}": file,
        f"alignment_{DOMAIN}": transform_text(np.eye(4)),
    }
