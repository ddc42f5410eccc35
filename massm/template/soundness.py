"""Whether a mesh can serve as a template."""

from massm.geometry.intersections import self_intersections
from massm.geometry.mesh import Mesh
from massm.geometry.topology import (
    boundary_edge_count,
    component_labels,
    nonmanifold_edge_count,
    nonmanifold_vertex_count,
)


def fault_of(mesh: Mesh) -> str:
    """Name what keeps a mesh from being a template; empty if it is sound.

    Every other subject is the template, warped: it has to be closed, a manifold, one piece, turned
    outward, and free of triangles that pass through each other.
    """
    checks = (
        (boundary_edge_count(mesh), "open: {} edges belong to one triangle only"),
        (nonmanifold_edge_count(mesh), "no manifold: {} edges belong to three triangles or more"),
        (nonmanifold_vertex_count(mesh), "no manifold: at {} vertices the surface touches itself"),
    )
    for count, text in checks:
        if count:
            return text.format(count)
    pieces = int(component_labels(mesh).max()) + 1
    if pieces > 1:
        return f"in {pieces} pieces"
    if not mesh.is_closed:
        return "its triangles do not turn the same way"
    if mesh.volume <= 0:
        return "its triangles turn inward"
    crossing = len(self_intersections(mesh))
    return f"self-intersecting: {crossing} pairs of triangles cross" if crossing else ""
