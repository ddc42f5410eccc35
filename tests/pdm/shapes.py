"""Shapes and settings that the tests of this room share."""

from pathlib import Path

import numpy as np

from massm.config.correspond import CorrespondConfig
from massm.config.loading import read_yaml
from massm.geometry.mesh import Mesh

PAPER = Path(__file__).parents[2] / "config.yaml"


def sphere(divisions: int) -> Mesh:
    """Divide an icosahedron's faces by four, again and again, on the unit sphere."""
    phi = (1 + 5**0.5) / 2
    vertices = np.array(
        [(0, a, b) for a in (-1, 1) for b in (-phi, phi)]
        + [(a, b, 0) for a in (-1, 1) for b in (-phi, phi)]
        + [(b, 0, a) for a in (-1, 1) for b in (-phi, phi)],
        float,
    )
    gaps = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    near = np.isclose(gaps, 2)
    count = len(vertices)
    faces = [
        (i, j, k)
        for i in range(count)
        for j in range(i)
        for k in range(j)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    mesh = _outward(vertices, np.array(faces))
    for _ in range(divisions):
        mesh = _divided(mesh)
    return mesh


def ellipsoid(radii: tuple[float, float, float]) -> Mesh:
    """Stretch a fine unit sphere."""
    ball = sphere(4)
    return Mesh(ball.vertices * np.array(radii, float), ball.faces)


def engine_settings(**entropy) -> CorrespondConfig:
    """Settings for small shapes; keywords replace those of the engine."""
    values = {
        "initialization": {
            "method": "template",
            "template_vertices": 120,
            "samples": 200,
            "rounds": 8,
            "coarsest": 1.0,
            "finest": 0.3,
        },
        "iterations": 60,
        "coarse_particles": 256,
        "fine_iterations": 30,
        "level_iterations": 30,
        "fixed_iterations": 40,
        "tolerance": 0.001,
        "correspondence_weight": 24.0,
        "regularization_start": 1.0,
        "regularization_end": 0.001,
        "step": 0.1,
        "momentum": 0.85,
        "adaptivity": 0.0,
        "scale": False,
    }
    return CorrespondConfig.model_validate(
        {
            "backend": "entropy",
            "particles": 40,
            "seed": 3,
            "device": "cpu",
            "threads": 1,
            "populations": {},
            "entropy": values | entropy,
            "shapeworks": read_yaml(PAPER)["correspond"]["shapeworks"],
            "project": read_yaml(PAPER)["correspond"]["project"],
            "joint": read_yaml(PAPER)["correspond"]["joint"],
        }
    )


def _divided(mesh: Mesh) -> Mesh:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    soup = np.concatenate(
        [
            np.stack(corners, 1)
            for corners in (
                (a, (a + b) / 2, (a + c) / 2),
                (b, (b + c) / 2, (a + b) / 2),
                (c, (a + c) / 2, (b + c) / 2),
                ((a + b) / 2, (b + c) / 2, (a + c) / 2),
            )
        ]
    )
    vertices, faces = np.unique(soup.reshape(-1, 3).round(12), axis=0, return_inverse=True)
    return _outward(vertices, faces.reshape(-1, 3))


def _outward(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    vertices = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    corners = vertices[faces]
    turned = np.einsum(
        "fa,fa->f",
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
        corners[:, 0],
    )
    faces = np.where((turned < 0)[:, None], faces[:, ::-1], faces)
    return Mesh(vertices, faces.astype(np.int64))
