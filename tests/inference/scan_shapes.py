"""Shapes of a scan that no network made: ellipsoids on an oblique, anisotropic grid."""

from types import SimpleNamespace

import numpy as np

from massm.geometry.boxes import Box, box_of
from massm.geometry.volume import Volume
from massm.inference.bundle import Bundle
from massm.inference.describe import measure_cut
from massm.inference.shapes import AnatomyShape, ScanGrid, ScanShapes, Standing
from tests.toy_cohort import hull, sphere_points

LIVER, SPLEEN, MISSING = "Liver", "LeftSpleen", "Kidney"
LIVER_RADII = np.array([14.0, 11.0, 17.0])
SPLEEN_RADII = np.array([9.0, 8.0, 10.0])


def turned(degrees_z=25.0, degrees_x=15.0):
    """A rotation about two axes."""
    z, x = np.deg2rad([degrees_z, degrees_x])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1.0]])
    about_x = np.array([[1.0, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    return about_z @ about_x


def oblique_scan(size=(70, 56, 30)):
    """A CT of noise with three spacings, turned about two axes, far from the origin."""
    values = np.random.default_rng(0).normal(0, 50, size[::-1])
    return Volume(
        values.astype(np.int16),
        np.array([0.9, 1.3, 2.4]),
        np.array([-130.5, 45.25, -612.75]),
        turned(),
    )


def middle_of(volume):
    return volume.index_to_point((np.array(volume.size) - 1) / 2)


def ellipsoid(center, radii, points=1500):
    return hull(sphere_points(points) * radii + center)


def shape_of(name, label, mesh, grid, standing=None):
    """An anatomy that was found: every tenth vertex is a particle."""
    local = mesh.vertices[::10]
    return AnatomyShape(
        anatomy=name,
        label=label,
        present=True,
        score=0.93,
        threshold=0.5,
        box=Box(*box_of(local)),
        local=local,
        world={"cvae": local - local.mean(0), "procrustes": local - local.mean(0) + 1},
        surface=mesh,
        volume_ml=mesh.volume_ml,
        area_mm2=mesh.area,
        cut=measure_cut(mesh, local, grid),
        standing=standing,
    )


def absent(name, label):
    return AnatomyShape(name, label, False, 0.12, 0.5, None, None, {}, *[None] * 5)


def standing(**changes):
    """An anatomy amid the population."""
    usual = {
        "head": "cvae",
        "scores": np.array([0.5, -1.25]),
        "score_percentiles": np.array([70.0, 11.0]),
        "mahalanobis": 1.35,
        "mahalanobis_percentile": 41.0,
        "volume_percentile": 55.0,
        "area_percentile": 60.0,
        "subjects": 40,
    }
    return Standing(**(usual | changes))


def scan_shapes(volume, apart_mm=60.0, name="ct7"):
    """A liver in the middle of the scan, a spleen beside it, and a kidney that was not found."""
    grid = ScanGrid.of(volume)
    center = middle_of(volume)
    liver = ellipsoid(center, LIVER_RADII)
    spleen = ellipsoid(center + volume.direction[:, 0] * apart_mm, SPLEEN_RADII)
    anatomies = {
        LIVER: shape_of(LIVER, 1, liver, grid, standing()),
        MISSING: absent(MISSING, 2),
        SPLEEN: shape_of(SPLEEN, 3, spleen, grid, standing()),
    }
    return ScanShapes(name, grid, anatomies)


def bundle_with(**parts):
    """A model folder of which only what outputs ask is there."""
    bundle = object.__new__(Bundle)
    usual = {
        "description": SimpleNamespace(
            anatomies=(LIVER, MISSING, SPLEEN),
            model=SimpleNamespace(scored_world="cvae"),
        ),
        "commit": "c0ffee" * 6,
        "versions": {"torch": "2.0"},
        "files": {"model.safetensors": "ab" * 32},
        "intervals": None,
        "trust": None,
    }
    for part, value in (usual | parts).items():
        object.__setattr__(bundle, part, value)
    return bundle
