"""A phantom small enough for tests."""

from massm.config.phantom import PhantomConfig


def phantom_config(root="phantom", **changes):
    """Section ``phantom`` with coarse voxels and few subjects."""
    values = {
        "root": str(root),
        "subjects": 6,
        "seed": 7,
        "spacing_mm": [7.0, 8.0],
        "slice_mm": [7.0, 8.0],
        "surface_points": 500,
        "shape_spread": 1.0,
        "rotation_degrees": 4.0,
        "translation_mm": 8.0,
        "scale_spread": 0.05,
        "noise_hu": 12.0,
        "blur_mm": 1.0,
        "phases": {"native": 0.2, "arterial": 0.3, "venous": 0.5},
        "cut_fraction": 0.5,
        "absent": {"spleen": 0.2, "lung_upper_lobe_right": 0.2},
    }
    return PhantomConfig.model_validate(values | changes)
