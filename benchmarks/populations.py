"""Synthetic populations with known variation, as meshes for benchmarks/pdm.py.

usage: python benchmarks/populations.py OUT [--shapes 20] [--seed 1]

OUT gets a folder of .vtp for each of: ellipsoid (three radii vary: three modes), boxbump (a bump
slides along a rounded box: one mode), blob (21 spherical harmonics: many modes). All are seen from
their center, so a sphere's vertices, moved along their rays, make every surface.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyvista
from scipy.special import sph_harm_y

from massm.geometry.mesh import Mesh
from massm.io import meshes

Radius = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--shapes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, make in POPULATIONS.items():
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for row, mesh in enumerate(make(arguments.shapes, arguments.seed)):
            meshes.write(mesh, folder / f"{name}_{row:03d}.vtp")
        print(f"{folder}: {arguments.shapes} shapes")


def ellipsoids(count: int, seed: int) -> list[Mesh]:
    radii = np.random.default_rng(seed).uniform((18, 12, 9), (28, 18, 15), (count, 3))
    return [_surface(partial(_ellipsoid_radius, r)) for r in radii]


def _ellipsoid_radius(radii: np.ndarray, ray: np.ndarray) -> np.ndarray:
    return np.asarray(1 / np.linalg.norm(ray / radii, axis=1))


def box_bumps(count: int, seed: int) -> list[Mesh]:
    del seed  # the bump's places are evenly spaced
    return [_surface(_box_with_bump(place)) for place in np.linspace(-13, 13, count)]


def blobs(count: int, seed: int) -> list[Mesh]:
    generator = np.random.default_rng(seed)
    degrees = [(n, m) for n in (2, 3, 4) for m in range(-n, n + 1)]
    spread = np.array([{2: 0.13, 3: 0.08, 4: 0.05}[n] for n, _ in degrees])
    scores = spread * generator.standard_normal((count, len(degrees)))
    return [_surface(_harmonic(degrees, row)) for row in scores]


def _box_with_bump(place: float) -> Radius:
    half, bump = np.array([24.0, 12.0, 10.0]), np.array([place, 0.0, 10.0])

    def inside(points: np.ndarray) -> np.ndarray:
        box = np.linalg.norm(points / half, ord=8, axis=1) - 1
        ball = np.linalg.norm(points - bump, axis=1) / 7 - 1
        return np.asarray(-0.08 * np.logaddexp(-box / 0.08, -ball / 0.08))  # a smooth minimum

    def radius(ray: np.ndarray) -> np.ndarray:
        low, high = np.zeros(len(ray)), np.full(len(ray), 60.0)
        for _ in range(50):
            middle = (low + high) / 2
            there = inside(middle[:, None] * ray) < 0
            low, high = np.where(there, middle, low), np.where(there, high, middle)
        return low

    return radius


def _harmonic(degrees: list[tuple[int, int]], scores: np.ndarray) -> Radius:
    def radius(ray: np.ndarray) -> np.ndarray:
        polar, azimuth = np.arccos(ray[:, 2]), np.arctan2(ray[:, 1], ray[:, 0])
        total = np.ones(len(ray))
        for (n, m), score in zip(degrees, scores, strict=True):
            value = sph_harm_y(n, abs(m), polar, azimuth)
            total += score * np.sqrt(2) * (value.imag if m < 0 else value.real)
        return 18 * total

    return radius


def _surface(radius: Radius) -> Mesh:
    sphere = pyvista.Icosphere(radius=1.0, nsub=5)
    ray = np.asarray(sphere.points, np.float64)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    return Mesh(radius(ray)[:, None] * ray, sphere.faces.reshape(-1, 4)[:, 1:].astype(np.int64))


POPULATIONS = {"ellipsoid": ellipsoids, "boxbump": box_bumps, "blob": blobs}

if __name__ == "__main__":
    main()
