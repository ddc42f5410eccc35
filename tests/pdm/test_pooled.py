"""A left and a right organ as one population, from groomed surfaces to surfaces from particles."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from massm.config.groom import AlignmentConfig
from massm.config.reconstruct import ReconstructConfig
from massm.config.template import TemplateConfig
from massm.geometry.alignment import apply_transform
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.cohort import GroomRecord, write_groomed
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, load_set, read_text
from massm.io.tables import read_table
from massm.reconstruct.from_particles import load_warp
from massm.stages import correspond, groom_align, reconstruct_warp, template
from tests.pdm.shapes import sphere

SIDES = ["kidney_left", "kidney_right"]
SPLITS = {"s0": "train", "s1": "train", "s2": "train", "s3": "train", "s4": "test"}
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


def kidney(bend, length):
    """A lump without any symmetry: bent, and thick at one end."""
    x, y, z = sphere(3).vertices.T
    thick = 1 + 0.25 * x
    points = [length * x, 12 * thick * y + bend * x**2 + 3 * x * z, 9 * thick * z + 4 * x * y]
    return Mesh(np.stack(points, 1), sphere(3).faces)


def placed(degrees, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("zyx", degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture(scope="module")
def results(tmp_path_factory, settings):
    """Each subject's right organ is the mirror image of its left, elsewhere and turned."""
    root = tmp_path_factory.mktemp("pooled")
    rng = np.random.default_rng(1)
    rows = []
    for row, (name, split) in enumerate(SPLITS.items()):
        shape = kidney(4 + row, 20 + 1.5 * ((2 * row) % 5))
        poses = {
            "kidney_left": placed(rng.normal(0, 3, 3), [80, -20, 300]),
            "kidney_right": placed(rng.normal(0, 3, 3) + [14, 0, -6], [-70, -25, 280]) @ MIRROR,
        }
        for side, pose in poses.items():
            path = f"groom/surfaces/{name}/{side}.vtp"
            meshes.write(shape.transformed(pose), root / path)
            rows.append(GroomRecord(name, side, split, "groomed", surface=Path(path)))
    write_groomed(rows, root / "groom/index/0000.tsv")
    alignment = AlignmentConfig(
        reflect=("kidney_right",),
        reference_candidates=5,
        points=400,
        iterations=80,
        tolerance_mm=0.001,
        trim=0.1,
        max_rotation_deg=30.0,
    )
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        groom_align.run(
            alignment.of(side),
            anatomy=side,
            contralateral=other,
            index=[root / "groom/index/0000.tsv"],
            results=root,
            alignment=root / f"groom/alignment/{side}.json",
        )
    correspond.run(settings, **arguments(root))
    return root


def arguments(root):
    return {
        "population": "kidney",
        "anatomies": SIDES,
        "index": [root / "groom/index/0000.tsv"],
        "alignments": [root / f"groom/alignment/{side}.json" for side in SIDES],
        "results": root,
        "particles": [root / f"correspond/{side}.npz" for side in SIDES],
        "folders": [root / f"correspond/{side}" for side in SIDES],
    }


def aligned(root, name, side):
    """A subject's organ in the aligned frame."""
    transforms = read_json(root / f"groom/alignment/{side}.json")["transforms"]
    mesh = meshes.read(root / f"groom/surfaces/{name}/{side}.vtp")
    return mesh.transformed(np.array(transforms[name]).reshape(4, 4))


def test_both_sides_are_aligned_to_one_reference_and_start_in_the_same_pose(results):
    left, right = (read_json(results / f"groom/alignment/{side}.json") for side in SIDES)
    for part in ("reference", "reference_anatomy"):
        assert left[part] == right[part]
    assert (left["reflected"], right["reflected"]) == (False, True)
    for name in SPLITS:
        left_surface = SurfaceIndex(aligned(results, name, "kidney_left"))
        right_points = aligned(results, name, "kidney_right").vertices
        assert left_surface.closest(right_points).distance.mean() < 0.6  # turned by 15 degrees: 2


def test_mirror_images_get_the_same_particles(results):
    left, right = (load_set(results / f"correspond/{side}.npz") for side in SIDES)
    assert left.subjects == right.subjects == tuple(SPLITS)
    apart = np.linalg.norm(left.world - right.world, axis=2)
    others = np.linalg.norm(left.world - np.roll(right.world, 1, 0), axis=2)
    spacing = np.sqrt(kidney(4, 20).area / left.world.shape[1])
    assert apart.mean() < 0.05 * spacing
    assert apart.mean() < others.mean() / 4


def test_each_side_has_its_own_files_and_one_model(results):
    for side, reflected in zip(SIDES, (False, True), strict=True):
        found = load_set(results / f"correspond/{side}.npz")
        assert found.splits == tuple(SPLITS.values())
        for row, name in enumerate(SPLITS):
            mesh = meshes.read(results / f"groom/surfaces/{name}/{side}.vtp")
            assert SurfaceIndex(mesh).closest(found.local[row]).distance.max() < 1e-9
            moved = apply_transform(found.transforms[row], found.local[row])
            np.testing.assert_allclose(moved, found.world[row], atol=1e-8)
            assert (np.linalg.det(found.transforms[row]) < 0) == reflected
            text = read_text(results / f"correspond/{side}/particles/{name}_local.particles")
            np.testing.assert_allclose(text, found.local[row], atol=1e-5)
        table = read_table(results / f"correspond/{side}/particles.csv")
        assert table["subject"].tolist() == list(SPLITS)
        assert table["split"].tolist() == list(SPLITS.values())
        assert (results / f"correspond/{side}/{side}.swproj").is_file()
    models = [load_arrays(results / f"correspond/{side}/model.npz") for side in SIDES]
    assert all(np.array_equal(models[0][name], models[1][name]) for name in models[0])
    quality = [read_json(results / f"correspond/{side}/quality.json") for side in SIDES]
    assert [values.pop("anatomy") for values in quality] == SIDES
    assert quality[0] == quality[1]
    assert (quality[0]["subjects"], quality[0]["fixed_subjects"]) == (8, 2)


def test_what_follows_works_on_either_side(results):
    for side in SIDES:
        mesh, record = results / f"template/{side}.vtp", results / f"template/{side}.json"
        particles = results / f"correspond/{side}.npz"
        template.run(
            TemplateConfig(spacing_mm=3.0),
            anatomy=side,
            particles_file=particles,
            results=results,
            mesh=mesh,
            record=record,
        )
        assert SPLITS[read_json(record)["subject"]] == "train"
        warp = results / f"reconstruct/warp/{side}.npz"
        reconstruct_warp.run(
            ReconstructConfig(regularization_mm=0.0),
            anatomy=side,
            template=mesh,
            record=record,
            particles_file=particles,
            warp=warp,
        )
        found = load_set(particles)
        surface = load_warp(warp).surface(found.local[found.row("s4")])
        true = SurfaceIndex(meshes.read(results / f"groom/surfaces/s4/{side}.vtp"))
        assert surface.volume > 0
        assert true.closest(surface.vertices).distance.mean() < 0.7


def test_a_side_without_training_surfaces_is_refused(results, settings, tmp_path):
    empty = tmp_path / "empty.json"
    write_json({"transforms": {}}, empty)
    given = arguments(results) | {
        "alignments": [results / "groom/alignment/kidney_left.json", empty]
    }
    with pytest.raises(DataError, match="kidney_right: no training subject"):
        correspond.run(settings, **given)
