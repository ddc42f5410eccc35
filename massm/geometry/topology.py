"""How the triangles of a mesh hang together: pieces, borders, handles."""

from collections.abc import Sequence

import igl
import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from massm.geometry.mesh import Mesh


def compacted(mesh: Mesh) -> Mesh:
    """Drop vertices that no face uses."""
    used, faces = np.unique(mesh.faces, return_inverse=True)
    return Mesh(mesh.vertices[used], faces.reshape(-1, 3).astype(np.int64))


def component_labels(mesh: Mesh) -> Int[np.ndarray, " F"]:
    """Number the connected pieces; faces that share a vertex belong together."""
    count = len(mesh.vertices)
    edges = mesh.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), (count, count))
    _, labels = connected_components(graph, directed=False)
    return np.unique(labels[mesh.faces[:, 0]], return_inverse=True)[1].astype(np.int64)


def edge_component_labels(mesh: Mesh) -> Int[np.ndarray, " F"]:
    """Number the pieces that hang together by edges: those that only touch at a corner are two."""
    codes = undirected_edges(mesh).ravel()
    order = np.argsort(codes, kind="stable")
    same = np.flatnonzero(np.diff(codes[order]) == 0)
    links = (order[same] // 3, order[same + 1] // 3)
    count = len(mesh.faces)
    graph = coo_matrix((np.ones(len(same), bool), links), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def largest_component(mesh: Mesh) -> Mesh:
    """Keep the connected piece with the largest area."""
    labels = component_labels(mesh)
    largest = np.bincount(labels, mesh.face_areas).argmax()
    return compacted(Mesh(mesh.vertices, mesh.faces[labels == largest]))


def boundary_edge_count(mesh: Mesh) -> int:
    """Count the edges that belong to one triangle only."""
    return int((_edge_uses(mesh) == 1).sum())


def nonmanifold_edge_count(mesh: Mesh) -> int:
    """Count the edges that belong to three triangles or more."""
    return int((_edge_uses(mesh) > 2).sum())


def nonmanifold_vertex_count(mesh: Mesh) -> int:
    """Count the vertices where the triangles around do not form one fan.

    Triangles around a vertex are one fan if they hang together by edges at that vertex.
    """
    count = len(mesh.faces)
    corners = np.arange(3 * count).reshape(count, 3)  # one node for each corner of each face
    ends, nodes = [], []
    for side in range(3):
        one, two = mesh.faces[:, side], mesh.faces[:, (side + 1) % 3]
        ends.append(np.stack([one, two], axis=1))
        nodes.append(np.stack([corners[:, side], corners[:, (side + 1) % 3]], axis=1))
    edge, node = np.concatenate(ends), np.concatenate(nodes)
    swap = edge[:, 0] > edge[:, 1]
    edge[swap], node[swap] = edge[swap, ::-1], node[swap, ::-1]
    number = edge[:, 0] * len(mesh.vertices) + edge[:, 1]
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(np.diff(number[order]) == 0)
    first, second = node[order[same]], node[order[same + 1]]
    links = (first.ravel(), second.ravel())
    graph = coo_matrix((np.ones(len(links[0]), bool), links), (3 * count, 3 * count))
    fans, labels = connected_components(graph, directed=False)
    vertex_of_fan = np.full(fans, -1)
    vertex_of_fan[labels] = mesh.faces.ravel()
    return int((np.bincount(vertex_of_fan) > 1).sum())


def oriented(mesh: Mesh) -> Mesh:
    """Turn the triangles of each piece the same way, outward if the piece is closed."""
    faces, _ = igl.bfs_orient(np.ascontiguousarray(mesh.faces, np.int64))
    turned = Mesh(mesh.vertices, np.asarray(faces).astype(np.int64))
    return turned if turned.volume >= 0 else Mesh(turned.vertices, turned.faces[:, ::-1].copy())


def fanned(mesh: Mesh, borders: Sequence[Int[np.ndarray, " _"]]) -> Mesh:
    """Close holes by fans of triangles around their centers."""
    vertices, faces = [mesh.vertices], [mesh.faces]
    count = len(mesh.vertices)
    for loop in borders:
        vertices.append(mesh.vertices[loop].mean(0, keepdims=True))
        faces.append(np.stack([np.roll(loop, -1), loop, np.full(len(loop), count)], axis=1))
        count += 1
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


def hole_borders(mesh: Mesh) -> list[Int[np.ndarray, " _"]]:
    """Walk along the sides that belong to one triangle, each hole in one round.

    Holes that share a vertex are parted there: whenever a walk comes to a vertex for the second
    time, what lies between is the border of one hole.

    Args:
        mesh: Triangles that turn the same way.
    """
    start, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    there = start * len(mesh.vertices) + end
    back = end * len(mesh.vertices) + start
    free = ~np.isin(there, back)
    following: dict[int, list[int]] = {}
    for a, b in sorted(zip(start[free].tolist(), end[free].tolist(), strict=True)):
        following.setdefault(a, []).append(b)
    loops = []
    while following:
        path = [next(reversed(following))]
        place = {path[0]: 0}
        while path[-1] in following:
            following_here = following[path[-1]]
            vertex = following_here.pop()
            if not following_here:
                del following[path[-1]]
            if vertex not in place:
                place[vertex] = len(path)
                path.append(vertex)
                continue
            loop = path[place[vertex] :]
            del path[place[vertex] + 1 :]
            for passed in loop[1:]:
                del place[passed]
            if len(loop) > 2:
                loops.append(np.array(loop))
    return loops


def width(border: Float[np.ndarray, "n 3"]) -> float:
    """Measure how wide a hole is: twice the mean distance of its border from the middle, mm.

    For a round hole its diameter, however jagged its border is.
    """
    return 2 * float(np.linalg.norm(border - border.mean(0), axis=1).mean())


def genus(mesh: Mesh) -> int:
    """Count the handles of one closed connected surface: 0 for a sphere, 1 for a torus.

    From the Euler characteristic: V - E + F = 2 - 2 genus.
    """
    return (2 - mesh.euler_characteristic) // 2


def undirected_edges(mesh: Mesh) -> Int[np.ndarray, "F 3"]:
    """Give each side of each triangle one number that both its triangles share.

    The number is ``smaller * V + larger`` of the two vertices: plain numbers sort many times
    faster than rows.
    """
    start, end = mesh.faces, np.roll(mesh.faces, -1, axis=1)
    return np.asarray(np.minimum(start, end) * len(mesh.vertices) + np.maximum(start, end))


def _edge_uses(mesh: Mesh) -> Int[np.ndarray, " E"]:
    return np.unique(undirected_edges(mesh), return_counts=True)[1]
