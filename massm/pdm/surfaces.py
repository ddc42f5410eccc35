"""The surfaces that particles live on: closest points, normals, areas, for all shapes at once."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
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
        shape, particle = chosen.cpu().numpy().nonzero()
        query, expected = points[shape, particle], normals[shape, particle]
        found, turned = self._closest(shape, query)
        if oriented:
            spacing = np.sqrt(self.areas / points.shape[1])[shape]
            self._refuse_wrong_side(shape, spacing, query, expected, found, turned)
        points[shape, particle], normals[shape, particle] = found, turned
        distance[shape, particle] = np.linalg.norm(query - found, axis=-1)
        return OnSurface(
            *(torch.from_numpy(part).to(there.points) for part in (points, normals, distance))
        )

    def _closest(
        self, shape: Int[np.ndarray, " n"], query: Float[np.ndarray, "n 3"]
    ) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
        """Find the closest places and their normals; ``shape`` is in ascending order."""
        found = np.empty_like(query)
        corners, normals = np.empty((len(query), 3, 3)), np.empty((len(query), 3, 3))
        flat = np.empty_like(query)
        rows, first = np.unique(shape, return_index=True)
        for row, begin, end in zip(rows, first, np.append(first, len(shape))[1:], strict=True):
            part = slice(begin, end)
            mesh = self.meshes[row]
            closest = self._indices[row].closest(query[part])
            vertex = mesh.faces[closest.face]
            found[part], corners[part] = closest.point, mesh.vertices[vertex]
            normals[part], flat[part] = mesh.vertex_normals[vertex], mesh.face_normals[closest.face]
        return found, interpolated_normals(corners, normals, flat, found)

    def _refuse_wrong_side(
        self,
        shape: Int[np.ndarray, " n"],
        spacing: Float[np.ndarray, " n"],
        query: Float[np.ndarray, "n 3"],
        expected: Float[np.ndarray, "n 3"],
        found: Float[np.ndarray, "n 3"],
        turned: Float[np.ndarray, "n 3"],
    ) -> None:
        wrong = np.flatnonzero(np.einsum("na,na->n", turned, expected) < 0)
        for shift in (0.5, 1.0):
            if len(wrong) == 0:
                return
            out = shift * spacing[wrong, None] * expected[wrong]
            place, normal = self._closest(shape[wrong], query[wrong] + out)
            right = np.einsum("na,na->n", normal, expected[wrong]) > 0
            near = np.linalg.norm(place - query[wrong], axis=1) < 2 * spacing[wrong]
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
    normals, flat = mesh.vertex_normals[corners], mesh.face_normals[face]
    return interpolated_normals(mesh.vertices[corners], normals, flat, points)


def interpolated_normals(
    corners: Float[np.ndarray, "n 3 3"],
    normals: Float[np.ndarray, "n 3 3"],
    flat: Float[np.ndarray, "n 3"],
    points: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "n 3"]:
    """Interpolate the normals of triangles' corners; where they cancel, take the flat one."""
    normal = np.einsum("nc,nca->na", barycentric(corners, points), normals)
    length = np.sqrt(np.einsum("na,na->n", normal, normal))[:, None]
    return np.where(length > 1e-9, normal / np.maximum(length, 1e-9), flat)


def barycentric(
    corners: Float[np.ndarray, "n 3 3"], points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Write points of triangles as weights of the corners, clipped to the triangle."""
    origin = corners[:, 0]
    u, v, w = corners[:, 1] - origin, corners[:, 2] - origin, points - origin
    uu, uv, vv = (np.einsum("na,na->n", *pair) for pair in ((u, u), (u, v), (v, v)))
    wu, wv = (np.einsum("na,na->n", w, side) for side in (u, v))
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
