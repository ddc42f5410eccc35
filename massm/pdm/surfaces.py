"""The surfaces that particles live on: closest points, normals, areas, for all shapes at once."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.sampling import sample_uniform
from massm.geometry.topology import boundary_edge_count

log = logging.getLogger(__name__)


class OnSurface(NamedTuple):
    """Points on their surfaces, and what the surfaces look like there.

    Attributes:
        points: Positions, mm.
        normals: Unit normals, interpolated between the vertices.
        distance: How far the query points were, mm.
    """

    points: Float[Tensor, "N M 3"]
    normals: Float[Tensor, "N M 3"]
    distance: Float[Tensor, "N M"]


class SurfaceSet:
    """Closed triangle surfaces with exact closest points.

    Queries run on the CPU (libigl's trees) whatever the device of the particles: what moves
    between the two is a few numbers for each particle.
    """

    def __init__(self, meshes: Sequence[Mesh], names: Sequence[str]) -> None:
        """Build one tree for each surface.

        Raises:
            ValueError: If a surface is open, empty or turned inside out; names the subject.
        """
        for mesh, name in zip(meshes, names, strict=True):
            check_surface(mesh, name)
        self.meshes = list(meshes)
        self.names = list(names)
        self._indices = [SurfaceIndex(mesh) for mesh in meshes]
        self.areas = np.array([mesh.area for mesh in meshes])

    def __len__(self) -> int:
        """Count the surfaces."""
        return len(self.meshes)

    def take(self, rows: Sequence[int]) -> "SurfaceSet":
        """Take some of the surfaces, without building their trees again."""
        part = object.__new__(SurfaceSet)
        part.meshes = [self.meshes[i] for i in rows]
        part.names = [self.names[i] for i in rows]
        part._indices = [self._indices[i] for i in rows]
        part.areas = self.areas[list(rows)]
        return part

    def spacing(self, count: int) -> Float[Tensor, " N"]:
        """Side of the square that each of ``count`` particles has to itself, mm."""
        return torch.from_numpy(np.sqrt(self.areas / count))

    def project(
        self, points: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"] | None = None
    ) -> OnSurface:
        """Find the closest place of each surface.

        With ``normals`` a place on the wrong side of a thin wall (its normal points the other
        way) is refused where another can be found: the query is repeated from points shifted
        outward along the expected normal, by a half and by a whole particle spacing.

        Args:
            points: Query points, mm.
            normals: Expected unit normals.
        """
        there = OnSurface(points, points if normals is None else normals, points[..., 0])
        everything = torch.ones(points.shape[:2], dtype=torch.bool)
        return self.project_some(there, everything, oriented=normals is not None)

    def project_some(
        self, there: OnSurface, chosen: Bool[Tensor, "N M"], *, oriented: bool = True
    ) -> OnSurface:
        """Find the closest places of the chosen points; the others keep what they have.

        Args:
            there: Query points with expected normals.
            chosen: Which points are queried.
            oriented: Refuse the wrong side of a thin wall, as :meth:`project` does.
        """
        points, normals, distance = (part.detach().cpu().double().numpy().copy() for part in there)
        for row, mask in enumerate(chosen.cpu().numpy()):
            which = np.flatnonzero(mask)
            if len(which) == 0:
                continue
            query = points[row, which]
            found, turned = self._closest(row, query)
            if oriented:
                spacing = np.sqrt(self.areas[row] / points.shape[1])
                self._refuse_wrong_side(row, spacing, query, normals[row, which], found, turned)
            points[row, which], normals[row, which] = found, turned
            distance[row, which] = np.linalg.norm(query - found, axis=-1)
        return OnSurface(
            *(torch.from_numpy(part).to(there.points) for part in (points, normals, distance))
        )

    def _closest(
        self, row: int, query: Float[np.ndarray, "n 3"]
    ) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
        closest = self._indices[row].closest(query)
        return closest.point, normals_at(self.meshes[row], closest.face, closest.point)

    def _refuse_wrong_side(
        self,
        row: int,
        spacing: float,
        query: Float[np.ndarray, "n 3"],
        expected: Float[np.ndarray, "n 3"],
        found: Float[np.ndarray, "n 3"],
        turned: Float[np.ndarray, "n 3"],
    ) -> None:
        wrong = np.flatnonzero((turned * expected).sum(1) < 0)
        for shift in (0.5, 1.0):
            if len(wrong) == 0:
                return
            place, normal = self._closest(row, query[wrong] + shift * spacing * expected[wrong])
            right = (normal * expected[wrong]).sum(1) > 0
            near = np.linalg.norm(place - query[wrong], axis=1) < 2 * spacing
            better = right & near
            found[wrong[better]], turned[wrong[better]] = place[better], normal[better]
            wrong = wrong[~better]

    def sample(
        self, count: int, seed: int
    ) -> tuple[Float[np.ndarray, "N S 3"], Float[np.ndarray, "N S 3"]]:
        """Draw points uniformly from each surface, with normals.

        The generator starts anew for each surface: the result for one does not depend on which
        others there are, or on their order.
        """
        points = np.empty((len(self), count, 3))
        normals = np.empty_like(points)
        for row, mesh in enumerate(self.meshes):
            points[row], face = sample_uniform(mesh, count, np.random.default_rng(seed))
            normals[row] = normals_at(mesh, face, points[row])
        return points, normals


def check_surface(mesh: Mesh, name: str) -> None:
    """Refuse what particles cannot be spread over.

    Raises:
        ValueError: If the mesh is empty, not finite, open or turned inside out.
    """
    if len(mesh.faces) == 0 or not np.isfinite(mesh.vertices).all():
        raise ValueError(f"{name}: the surface is empty or not finite; groom it again")
    border = boundary_edge_count(mesh)
    if border:
        raise ValueError(
            f"{name}: the surface is open ({border} border edges), expected a closed one; "
            "groom it first"
        )
    if mesh.volume <= 0:
        raise ValueError(f"{name}: the surface is turned inside out; flip its faces")


def normals_at(
    mesh: Mesh, face: np.ndarray, points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Interpolate vertex normals at points of given faces."""
    corners = mesh.faces[face]
    weights = barycentric(mesh.vertices[corners], points)
    normal = np.einsum("nc,nca->na", weights, mesh.vertex_normals[corners])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    return np.where(length > 1e-9, normal / np.maximum(length, 1e-9), mesh.face_normals[face])


def barycentric(
    corners: Float[np.ndarray, "n 3 3"], points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Write points of triangles as weights of the corners, clipped to the triangle."""
    origin = corners[:, 0]
    u, v, w = corners[:, 1] - origin, corners[:, 2] - origin, points - origin
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    determinant = np.maximum(uu * vv - uv * uv, 1e-30)
    b = np.clip((vv * wu - uv * wv) / determinant, 0, 1)
    c = np.clip((uu * wv - uv * wu) / determinant, 0, 1 - b)
    return np.stack([1 - b - c, b, c], 1)


def usable_surfaces(
    surfaces: Sequence[Mesh], names: Sequence[str]
) -> tuple[list[int], dict[str, str]]:
    """Find the rows of closed surfaces; name the others with what is wrong, and log it."""
    usable, failed = [], {}
    for row, (mesh, name) in enumerate(zip(surfaces, names, strict=True)):
        try:
            check_surface(mesh, name)
        except ValueError as error:
            failed[name] = str(error)
            log.warning("left out: %s", error)
        else:
            usable.append(row)
    return usable, failed
