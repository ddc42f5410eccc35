"""The cohort on disk: masks that fit the truth, organs cut and gone, one seed one cohort."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from massm.dataset.phantom.anatomies import ANATOMIES
from massm.dataset.phantom.cohort import make_subject
from massm.dataset.phantom.subjects import plan_cohort
from massm.geometry.mesh import Mesh
from massm.io.documents import read_json
from massm.io.images import read_image, read_segmentation
from massm.io.particles import load_arrays
from massm.io.tables import read_table
from massm.stages.phantom import run
from tests.dataset.phantom.small import phantom_config
from tests.winding import signed_distance


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Six subjects as the stage writes them."""
    root = tmp_path_factory.mktemp("cohort") / "phantom"
    run(phantom_config(root), done=root / "phantom.json", threads=1)
    return root


def plan_of(root, wanted):
    return next(plan for plan in plan_cohort(phantom_config(root)) if wanted(plan))


def truth(root, name, anatomy):
    arrays = load_arrays(root / "truth" / name / f"{anatomy}.npz")
    return Mesh(arrays["points"], arrays["faces"]), arrays


def masks(root, name):
    folder = root / name / "segmentations"
    return {
        anatomy: read_segmentation(folder / f"{anatomy}.nii.gz").inside for anatomy in ANATOMIES
    }


def same_grid(first, second):
    return first.size == second.size and np.allclose(first.affine, second.affine, atol=1e-6)


def test_the_layout_is_complete(root):
    table = read_table(root / "meta.csv")
    assert table["image_id"].tolist() == [f"s000{i}" for i in range(1, 7)]
    assert read_json(root / "phantom.json")["seed"] == 7
    for name in table["image_id"]:
        image = read_image(root / name / "ct.nii.gz")
        assert all(same_grid(mask, image) for mask in masks(root, name).values())
        assert image.array.min() < -900
        assert image.array.max() > 200


def test_masks_fit_the_true_surfaces(root):
    name = plan_of(root, lambda plan: plan.field_of_view == "whole" and not plan.absent).name
    for anatomy, mask in masks(root, name).items():
        mesh, _ = truth(root, name, anatomy)
        assert mesh.is_closed
        near = binary_dilation(mask.array, iterations=2)
        centers = mask.index_to_point(np.argwhere(near)[:, ::-1].astype(float))
        inside = signed_distance(mesh, centers) < 0
        labelled = mask.array[near]
        dice = 2 * (inside & labelled).sum() / (inside.sum() + labelled.sum())
        assert dice > 0.95, anatomy


def test_organs_share_no_voxel(root):
    for name in read_table(root / "meta.csv")["image_id"]:
        count = sum(mask.array.astype(int) for mask in masks(root, name).values())
        assert count.max() == 1


def test_a_removed_organ_has_an_empty_mask_and_no_truth(root):
    plan = plan_of(root, lambda plan: plan.absent)
    for anatomy in plan.absent:
        assert not masks(root, plan.name)[anatomy].array.any()
        assert not (root / "truth" / plan.name / f"{anatomy}.npz").exists()


def test_an_early_end_cuts_organs(root):
    plan = plan_of(root, lambda plan: plan.field_of_view == "abdomen")
    found = masks(root, plan.name)
    assert found["heart_ventricle_left"].array[-1].any()
    assert found["spleen"].array.any()
    assert not found["spleen"].array[-1].any()
    plan = plan_of(root, lambda plan: plan.field_of_view == "upper chest")
    found = masks(root, plan.name)
    assert not found["spleen"].array.any()
    assert found["lung_upper_lobe_right"].array.any()


def test_truth_is_in_correspondence(root):
    """What differs between two subjects is pose and the modes' smooth field, nothing else."""
    first, second = (truth(root, name, "heart_atrium_left") for name in ("s0001", "s0002"))
    np.testing.assert_array_equal(first[0].faces, second[0].faces)
    shapes = []
    for mesh, arrays in (first, second):
        back = np.linalg.inv(arrays["pose"])
        shapes.append(mesh.vertices @ back[:3, :3].T + back[:3, 3])
        assert arrays["coefficients"].shape == arrays["modes"].shape
    moved = shapes[1] - shapes[0]
    edges = first[0].faces[:, :2]
    steps = np.linalg.norm(moved[edges[:, 0]] - moved[edges[:, 1]], axis=1)
    lengths = np.linalg.norm(shapes[0][edges[:, 0]] - shapes[0][edges[:, 1]], axis=1)
    assert np.linalg.norm(moved, axis=1).max() > 2
    assert (steps / lengths).max() < 1


def test_a_subject_depends_on_the_seed_and_its_number_alone(root, atlas, tmp_path):
    config = phantom_config(tmp_path)
    for number in (3, 1):  # another order, another process's atlas
        plan = plan_cohort(config)[number]
        make_subject(atlas, config, plan)
        again = read_image(tmp_path / plan.name / "ct.nii.gz")
        before = read_image(root / plan.name / "ct.nii.gz")
        np.testing.assert_array_equal(again.array, before.array)
        assert same_grid(again, before)
