"""Settings and shapes that the tests of this room share."""

import pytest

from massm.config.groom import AlignmentConfig, SurfaceConfig


@pytest.fixture
def surface_config():
    return SurfaceConfig(
        spacing_mm=1.5,
        antialias_iterations=10,
        handle_mm=9.0,
        smoothing_voxels=7.0,
        faces=2000,
        hole_mm=10.0,
    )


@pytest.fixture
def alignment_config():
    return AlignmentConfig(
        reflect=(),
        reference_candidates=5,
        points=400,
        iterations=80,
        tolerance_mm=0.001,
        trim=0.1,
        max_rotation_deg=30.0,
    )
