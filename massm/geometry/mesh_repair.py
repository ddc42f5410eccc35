"""Repair a given surface where what is meant is certain, and count what was done.

The survey judges a mesh by what comes out here, and grooming goes on from it.
"""

from dataclasses import dataclass
from functools import cached_property

import igl
import numpy as np
from jaxtyping import Bool
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from massm.geometry.mesh import Mesh
from massm.geometry.topology import (
    boundary_edge_count,
    compacted,
    component_labels,
    edge_component_labels,
    fanned,
    hole_borders,
    nonmanifold_edge_count,
    oriented,
    undirected_edges,
    width,
)

_NEAR = 1e-5  # share of the extent within which corners are one
_NEAR_SIDE = 0.05  # but never more than this share of a common side
_ROUNDING = 4 * float(np.finfo(np.float32).eps)  # of positions, as most formats store them
_MEASURED = 50  # pieces, the largest in area, that are looked at one by one
_INSIDE = 0.95  # share of a piece's vertices that lie in another one if it is a cavity there
_FLAT = 1e-6  # volume per area^1.5 of what encloses nothing; 0.094 for a sphere


@dataclass(frozen=True)
class SurfacePiece:
    """One connected part of a surface.

    Attributes:
        mesh: Its triangles, turned the same way, outward if that can be; small holes closed.
        turned: Number of triangles that had to be turned.
        closed_mm: Widths of the holes that were closed, mm.
        open_mm: Widths of those that are left, mm.
    """

    mesh: Mesh
    turned: int = 0
    closed_mm: tuple[float, ...] = ()
    open_mm: tuple[float, ...] = ()

    @cached_property
    def volume_ml(self) -> float:
        """Volume of the piece with all its holes closed by fans, ml."""
        whole = fanned(self.mesh, hole_borders(self.mesh)) if self.open_mm else self.mesh
        return abs(whole.volume_ml)


@dataclass(frozen=True)
class Repaired:
    """A surface after repair.

    Attributes:
        main: The piece with the largest volume.
        others: Pieces beside it, largest first; debris or anatomies of their own.
        cavities: Pieces inside another one: the walls of its cavities, which thereby are filled.
        debris: Number of pieces too small to be looked at.
        joined: Corners that were taken for another one near by.
        doubled: Triangles that were there twice.
        collapsed: Triangles of which two corners became one.
    """

    main: SurfacePiece
    others: tuple[SurfacePiece, ...]
    cavities: tuple[SurfacePiece, ...]
    debris: int
    joined: int
    doubled: int
    collapsed: int

    @property
    def fault(self) -> str:
        """Say why the main piece is no closed surface; empty if it is one."""
        mesh = self.main.mesh
        shared = nonmanifold_edge_count(mesh)
        if shared:
            return (
                f"the mesh is not a manifold: {shared} edges belong to three triangles or more; "
                "repair it"
            )
        open_edges = boundary_edge_count(mesh)
        if open_edges:
            widest = f", its widest hole measures {max(self.main.open_mm):.3g} mm"
            return (
                f"the mesh is open: {open_edges} edges belong to one triangle only"
                f"{widest if self.main.open_mm else ''}; close it"
            )
        if not mesh.is_closed:
            return "the triangles of the mesh cannot be turned the same way; repair it"
        if mesh.volume < _FLAT * mesh.area**1.5:
            return f"the mesh encloses no volume: {mesh.volume:.3g} mm^3 in {mesh.area:.3g} mm^2"
        return ""

    def large_pieces(self, fraction: float) -> list[SurfacePiece]:
        """List the main piece and those beside it that are larger than a fraction of it.

        By volume, and where one is open also by area.
        """
        large = [piece for piece in self.others if _share(piece, self.main) > fraction]
        return [self.main, *large]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was repaired, but for holes."""
        beside = len(self.others) + self.debris
        found = {
            "near-equal corners joined": self.joined,
            "doubled triangles dropped": self.doubled,
            "triangles without area dropped": self.collapsed,
            "triangles turned": self.main.turned,
            "pieces beside the largest dropped": beside,
        }
        notes = [f"{what}: {count}" for what, count in found.items() if count]
        if self.cavities:
            volume_ml = sum(piece.volume_ml for piece in self.cavities)
            notes.append(f"cavities filled: {len(self.cavities)}, {volume_ml:.3g} ml")
        return tuple(notes)

    @property
    def holes(self) -> str:
        """Say how many holes were closed and how wide they are; empty if there were none."""
        widths = self.main.closed_mm
        return f"{len(widths)} (widest {max(widths):.3g} mm)" if widths else ""


def repaired(mesh: Mesh, hole_mm: float) -> Repaired:
    """Repair a surface: corners joined, doubled triangles dropped, faces outward, holes closed.

    A closed surface in one piece comes back as it is.

    Args:
        mesh: Triangles, at least one.
        hole_mm: Widest hole that is closed, mm.
    """
    sewn, joined, collapsed = _sewn(mesh)
    single, doubled = _without_doubles(sewn)
    labels = edge_component_labels(single)
    areas = np.bincount(labels, single.face_areas)
    chosen = np.argsort(-areas, kind="stable")[:_MEASURED]
    pieces = [_piece(single, labels == label, hole_mm) for label in chosen]
    pieces.sort(key=lambda piece: -piece.volume_ml)
    main, others, cavities = pieces[0], list[SurfacePiece](), list[SurfacePiece]()
    for piece in pieces[1:]:
        inside = any(_lies_in(piece.mesh, outer.mesh) for outer in (main, *others))
        (cavities if inside else others).append(piece)
    debris = len(areas) - len(chosen)
    return Repaired(main, tuple(others), tuple(cavities), debris, joined, doubled, collapsed)


def _piece(mesh: Mesh, own: Bool[np.ndarray, " F"], hole_mm: float) -> SurfacePiece:
    raw = compacted(Mesh(mesh.vertices, mesh.faces[own]))
    if nonmanifold_edge_count(raw):
        return SurfacePiece(raw)
    turned = oriented(raw)
    count = _turned_count(raw, turned)
    borders = hole_borders(turned)
    widths = [width(turned.vertices[loop]) for loop in borders]
    small = [loop for loop, wide in zip(borders, widths, strict=True) if wide <= hole_mm]
    return SurfacePiece(
        oriented(fanned(turned, small)),
        count,
        tuple(wide for wide in widths if wide <= hole_mm),
        tuple(wide for wide in widths if wide > hole_mm),
    )


def _share(piece: SurfacePiece, main: SurfacePiece) -> float:
    shares = [piece.volume_ml / max(main.volume_ml, 1e-12)]
    if piece.open_mm or main.open_mm:
        shares.append(piece.mesh.area / max(main.mesh.area, 1e-12))
    return max(shares)


def _lies_in(inner: Mesh, outer: Mesh) -> bool:
    low, high = outer.vertices.min(0), outer.vertices.max(0)
    within = ((inner.vertices >= low) & (inner.vertices <= high)).all(axis=1)
    if within.mean() < _INSIDE:
        return False
    winding = igl.fast_winding_number(
        np.ascontiguousarray(outer.vertices, float),
        np.ascontiguousarray(outer.faces, np.int64),
        np.ascontiguousarray(inner.vertices, float),
    )
    return bool((np.abs(winding) > 0.5).mean() >= _INSIDE)


def _turned_count(before: Mesh, after: Mesh) -> int:
    """Count the triangles whose corners now go round the other way."""
    first = (after.faces == before.faces[:, :1]).argmax(axis=1)
    second = after.faces[np.arange(len(after.faces)), (first + 1) % 3]
    return int((second != before.faces[:, 1]).sum())


def _sewn(mesh: Mesh) -> tuple[Mesh, int, int]:
    """Join corners that lie very near each other, at borders and between pieces alone.

    Within a closed piece nothing is joined: its small triangles are as they are meant.

    Returns:
        The mesh, the number of corners that were joined to another, and of triangles lost by that.
    """
    is_border = np.zeros(len(mesh.vertices), bool)
    codes, uses = np.unique(undirected_edges(mesh), return_counts=True)
    ends = np.stack(np.divmod(codes[uses == 1], len(mesh.vertices)))
    is_border[ends.ravel()] = True
    piece = np.zeros(len(mesh.vertices), np.int64)
    piece[mesh.faces] = component_labels(mesh)[:, None]
    if not is_border.any() and piece.max() == 0:
        return mesh, 0, 0
    one, two = cKDTree(mesh.vertices).query_pairs(_nearness(mesh), output_type="ndarray").T
    may = is_border[one] | is_border[two] | (piece[one] != piece[two])
    graph = coo_matrix(
        (np.ones(int(may.sum()), bool), (one[may], two[may])), (len(piece), len(piece))
    )
    _, group = connected_components(graph, directed=False)
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    kept = first[number]
    faces = kept[mesh.faces]
    whole = (np.diff(np.sort(faces, axis=1), axis=1) > 0).all(axis=1)
    if not whole.any():
        return mesh, 0, 0
    joined = int((kept != np.arange(len(kept))).sum())
    return Mesh(mesh.vertices, faces[whole]), joined, int((~whole).sum())


def _nearness(mesh: Mesh) -> float:
    """Choose the distance within which corners are one, mm; far debris does not raise it."""
    low, high = np.percentile(mesh.vertices, (2, 98), axis=0)
    extent = float(np.linalg.norm(high - low))
    far = float(np.abs([low, high]).max())
    corners = mesh.vertices[mesh.faces]
    side = float(np.median(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)))
    return min(max(_NEAR * extent, _ROUNDING * far), _NEAR_SIDE * side)


def _without_doubles(mesh: Mesh) -> tuple[Mesh, int]:
    """Keep each triangle once, whichever way it turns."""
    _, first = np.unique(np.sort(mesh.faces, axis=1), axis=0, return_index=True)
    doubled = len(mesh.faces) - len(first)
    if doubled == 0:
        return mesh, 0
    return Mesh(mesh.vertices, mesh.faces[np.sort(first)]), doubled
