"""The folder of one scan, opened by readers that are not ours."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import meshio
import nibabel
import numpy as np
import pydicom
import pytest
import pyvista
import SimpleITK as sitk  # noqa: N813
import trimesh

from massm.geometry.mesh import Mesh
from massm.inference.outputs import MESH_FORMATS, OutputOptions, refuse_existing, write_scan
from massm.inference.sources import open_scan, source_of_volume
from massm.io import dicom, images, meshes
from massm.io.errors import DataError
from massm.io.particles import read_text
from tests.inference.scan_shapes import (
    LIVER,
    LIVER_RADII,
    MISSING,
    SPLEEN,
    bundle_with,
    middle_of,
    oblique_scan,
    scan_shapes,
    standing,
)
from tests.io.dicom.files import smooth, stack, write
from tests.io.test_gltf import to_gltf_frame

SCHEMA = Path(__file__).parents[2] / "docs/shape.schema.json"
EVERYTHING = OutputOptions(mesh_formats=MESH_FORMATS)


@pytest.fixture(scope="module")
def volume():
    return oblique_scan()


@pytest.fixture(scope="module")
def shapes(volume):
    return scan_shapes(volume, apart_mm=18.0)


@pytest.fixture(scope="module")
def out(volume, shapes, tmp_path_factory):
    """Everything that can be written of a scan that is no DICOM."""
    folder = tmp_path_factory.mktemp("out") / "ct7"
    source = source_of_volume(volume, "ct7")
    written = write_scan(shapes, source, bundle_with(), folder, EVERYTHING)
    assert written.folder == folder
    assert written.page == folder / "index.html"
    return folder


def files(folder):
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def document(folder):
    return json.loads((folder / "shape.json").read_text())


def test_there_are_files_for_what_was_found_and_none_for_what_was_not(out):
    ours = {f"particles/{n}_local.particles" for n in (LIVER, SPLEEN)}
    ours |= {
        f"particles/{n}{h}_world.particles" for n in (LIVER, SPLEEN) for h in ("", "-procrustes")
    }
    ours |= {f"meshes/{n}{e}" for n in (LIVER, SPLEEN) for e in (".vtp", ".stl", ".ply", ".obj")}
    scan = {"meshes/all-anatomies.glb", "segmentation.nii.gz", "segmentation.seg.nrrd"}
    assert files(out) == ours | scan | {"index.html", "shape.json"}
    said = document(out)
    listed = [
        *said["files"],
        *said["anatomies"][LIVER]["files"],
        *said["anatomies"][SPLEEN]["files"],
    ]
    assert sorted(listed) == sorted(ours | scan | {"index.html"})
    assert said["anatomies"][MISSING]["files"] == []


@pytest.mark.parametrize("ending", [".vtp", ".stl", ".ply", ".obj"])
def test_a_surface_lies_where_it_lay_in_our_reader(out, shapes, ending):
    found = meshes.read_surface(out / f"meshes/{LIVER}{ending}")
    assert found.notes == ()
    given = shapes[LIVER].surface
    assert found.mesh.is_closed
    assert found.mesh.volume_ml == pytest.approx(given.volume_ml, rel=1e-5)
    np.testing.assert_allclose(bounds(found.mesh.vertices), bounds(given.vertices), atol=1e-3)


def bounds(points):
    return np.stack([points.min(0), points.max(0)])


@pytest.mark.parametrize("ending", [".stl", ".ply", ".obj"])
def test_a_surface_lies_where_it_lay_in_trimesh(out, shapes, ending):
    found = trimesh.load(out / f"meshes/{LIVER}{ending}", process=True)
    given = shapes[LIVER].surface
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume / 1000 == pytest.approx(given.volume_ml, rel=1e-4)
    np.testing.assert_allclose(found.bounds, bounds(given.vertices), atol=1e-2)


@pytest.mark.parametrize("ending", [".stl", ".ply", ".obj"])
def test_a_surface_lies_where_it_lay_in_meshio(out, shapes, ending):
    found = meshio.read(out / f"meshes/{LIVER}{ending}")
    given = shapes[LIVER].surface
    assert len(found.get_cells_type("triangle")) == len(given.faces)
    np.testing.assert_allclose(bounds(found.points), bounds(given.vertices), atol=1e-2)


def test_the_surface_lies_where_it_lay_in_vtk(out, shapes):
    found = pyvista.read(out / f"meshes/{SPLEEN}.vtp")
    given = shapes[SPLEEN].surface
    np.testing.assert_allclose(
        np.reshape(found.bounds, (3, 2)).T, bounds(given.vertices), atol=1e-3
    )
    assert found.volume / 1000 == pytest.approx(given.volume_ml, rel=1e-5)


@pytest.mark.parametrize("ending", [".stl", ".ply", ".obj"])
def test_the_file_says_that_its_points_are_lps(out, ending):
    assert b"SPACE=LPS" in (out / f"meshes/{LIVER}{ending}").read_bytes()[:120]


def test_the_scene_has_all_surfaces_with_names_and_colors_in_meters_with_y_up(out, shapes):
    scene = trimesh.load(out / "meshes/all-anatomies.glb")
    assert set(scene.geometry) == {LIVER, SPLEEN}
    colors = set()
    for name, geometry in scene.geometry.items():
        transform, _ = scene.graph.get(name)
        points = trimesh.transform_points(geometry.vertices, transform)
        expected = to_gltf_frame(shapes[name].surface.vertices)
        np.testing.assert_allclose(bounds(points), bounds(expected), atol=1e-5)
        assert np.linalg.det(transform[:3, :3]) > 0  # not mirrored
        assert geometry.is_watertight
        colors.add(tuple(geometry.visual.material.baseColorFactor))
    assert len(colors) == 2


def test_particles_are_shapeworks_text(out, shapes):
    folder = out / "particles"
    local = np.loadtxt(folder / f"{LIVER}_local.particles")
    np.testing.assert_allclose(local, shapes[LIVER].local, atol=1e-5)
    # The head that is scored has ShapeWorks' own name.
    world = read_text(folder / f"{LIVER}_world.particles")
    np.testing.assert_allclose(world, shapes[LIVER].world["cvae"], atol=1e-6)
    other = read_text(folder / f"{LIVER}-procrustes_world.particles")
    np.testing.assert_allclose(other, shapes[LIVER].world["procrustes"], atol=1e-6)


def labelled_box(array, points_of):
    """Ends of the labelled voxels' centers, in millimeters, by somebody else's coordinates."""
    return bounds(np.array([points_of(index) for index in np.argwhere(array)]))


@pytest.mark.parametrize("name", ["segmentation.nii.gz", "segmentation.seg.nrrd"])
def test_the_label_map_lies_on_the_scan_in_simpleitk(out, shapes, volume, name):
    image = sitk.ReadImage(str(out / name))
    assert image.GetSize() == volume.size
    np.testing.assert_allclose(image.GetSpacing(), volume.spacing, atol=1e-5)
    np.testing.assert_allclose(image.GetOrigin(), volume.origin, atol=1e-3)
    np.testing.assert_allclose(
        np.reshape(image.GetDirection(), (3, 3)), volume.direction, atol=1e-5
    )
    middle = middle_of(volume)
    assert image[image.TransformPhysicalPointToIndex(middle.tolist())] == 1
    for axis in range(3):  # just inside and just outside, away from the spleen
        step = np.eye(3)[axis] * LIVER_RADII[axis]
        for sign in (1, -1):
            at = [middle + sign * share * step for share in (0.7, 1.5)]
            inside, outside = (
                image[image.TransformPhysicalPointToIndex(point.tolist())] for point in at
            )
            assert (inside in (1, 3), outside != 1) == (True, True)
    stats = sitk.LabelShapeStatisticsImageFilter()
    stats.Execute(image)
    said = document(out)["anatomies"]
    assert stats.GetLabels() == (1, 3)
    for label, anatomy in ((1, LIVER), (3, SPLEEN)):
        assert stats.GetNumberOfPixels(label) == said[anatomy]["voxels"]


def test_the_nifti_lies_on_the_scan_in_nibabel(out, shapes, volume):
    image = nibabel.load(out / "segmentation.nii.gz")
    assert image.get_data_dtype() == np.uint8
    ras = np.diag([-1, -1, 1, 1]) @ volume.affine
    np.testing.assert_allclose(image.affine, ras, atol=1e-3)
    np.testing.assert_allclose(image.get_sform(), image.get_qform(), atol=1e-3)
    x, y, z = np.linalg.inv(image.affine)[:3] @ [*(middle_of(volume) * [-1, -1, 1]), 1]
    assert np.asarray(image.dataobj)[round(x), round(y), round(z)] == 1


def test_segments_have_slicers_names_and_colors(out):
    image = sitk.ReadImage(str(out / "segmentation.seg.nrrd"))
    said = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    assert (said["Segment0_Name"], said["Segment0_LabelValue"]) == (LIVER, "1")
    assert (said["Segment1_Name"], said["Segment1_LabelValue"]) == (SPLEEN, "3")
    assert said["Segment0_ID"] == LIVER
    assert said["Segment0_Layer"] == "0"
    assert said["Segment0_Extent"] == "0 69 0 55 0 29"
    colors = {said[f"Segment{k}_Color"] for k in (0, 1)}
    assert len(colors) == 2
    assert all(re.fullmatch(r"[01](\.\d+)?( [01](\.\d+)?){2}", color) for color in colors)
    assert said["Segmentation_ContainedRepresentationNames"] == "Binary labelmap|"
    assert images.read_label_map(out / "segmentation.seg.nrrd").header.labels == {
        1: LIVER,
        3: SPLEEN,
    }


def test_shape_json_is_as_its_schema_says(out, shapes, volume):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    said = document(out)
    jsonschema.Draft202012Validator(schema).validate(said)
    liver = said["anatomies"][LIVER]
    assert liver["volume_ml"] == pytest.approx(shapes[LIVER].volume_ml)
    assert liver["area_mm2"] == pytest.approx(shapes[LIVER].area_mm2)
    assert liver["population"]["modes"][1] == {"score": -1.25, "percentile": 11.0}
    assert liver["population"]["mahalanobis_percentile"] == 41.0
    assert liver["outside"] == {
        "is_cut": False,
        "surface_share": 0.0,
        "particle_share": 0.0,
        "expected_share": 0.0,
    }
    np.testing.assert_allclose(liver["box"]["center_mm"], shapes[LIVER].box.center)
    missing = said["anatomies"][MISSING]
    assert (missing["present"], missing["volume_ml"], missing["population"]) == (False, None, None)
    assert said["scan"]["grid"]["size"] == list(volume.size)
    np.testing.assert_allclose(said["scan"]["grid"]["direction"], volume.direction)
    assert said["model"]["sha256"] == bundle_with().files
    overlap = said["label_map"]["overlaps"]
    assert overlap[0]["anatomies"] == [LIVER, SPLEEN]
    assert overlap[0]["voxels"] > 0
    kinds = {(each["kind"], each["anatomy"]) for each in said["remarks"]}
    assert ("not_found", MISSING) in kinds
    assert ("overlap", None) in kinds


def test_the_same_shapes_give_the_same_bytes(out, volume, shapes, tmp_path):
    again = tmp_path / "ct7"
    write_scan(shapes, source_of_volume(volume, "ct7"), bundle_with(), again, EVERYTHING)
    assert files(again) == files(out)
    for name in files(out):
        assert (again / name).read_bytes() == (out / name).read_bytes(), name


def test_by_default_only_what_most_need_is_written(volume, shapes, tmp_path):
    source = source_of_volume(volume, "ct7")
    least = OutputOptions(label_map=False, page=False)
    written = write_scan(shapes, source, bundle_with(), tmp_path / "least", least)
    assert written.page is None
    assert {Path(name).suffix for name in files(tmp_path / "least")} == {
        ".particles",
        ".vtp",
        ".json",
    }
    assert document(tmp_path / "least")["label_map"] is None
    write_scan(shapes, source, bundle_with(), tmp_path / "usual", OutputOptions())
    assert "segmentation.seg.nrrd" in files(tmp_path / "usual")
    assert not [name for name in files(tmp_path / "usual") if name.endswith((".stl", ".glb"))]


def test_results_that_are_there_are_kept_unless_they_are_to_be_replaced(volume, shapes, tmp_path):
    folder = tmp_path / "ct7"
    folder.mkdir()
    (folder / "mine").write_text("kept")
    source, options = source_of_volume(volume, "ct7"), OutputOptions(page=False)
    for refused in (
        lambda: refuse_existing(folder, options),
        lambda: write_scan(shapes, source, bundle_with(), folder, options),
    ):
        with pytest.raises(DataError, match="ct7 is there already; replace it"):
            refused()
    assert files(folder) == {"mine"}
    write_scan(shapes, source, bundle_with(), folder, replace(options, replace=True))
    assert "mine" not in files(folder)
    assert "shape.json" in files(folder)
    assert [each.name for each in tmp_path.iterdir()] == ["ct7"]


def test_a_scan_that_fails_leaves_nothing_and_what_was_there(volume, tmp_path):
    shapes = scan_shapes(volume)
    mesh = shapes[SPLEEN].surface
    shapes.anatomies[SPLEEN] = replace(shapes[SPLEEN], surface=Mesh(mesh.vertices, mesh.faces[1:]))
    folder = tmp_path / "ct7"
    folder.mkdir()
    (folder / "mine").write_text("kept")
    with pytest.raises(DataError, match="ct7: no label map can be made: .* not closed"):
        write_scan(
            shapes,
            source_of_volume(volume, "ct7"),
            bundle_with(),
            folder,
            OutputOptions(replace=True),
        )
    assert files(tmp_path) == {"ct7/mine"}
    with pytest.raises(DataError, match=r"mesh format \.xyz is not known; choose of \.vtp"):
        write_scan(
            shapes,
            source_of_volume(volume, "ct7"),
            bundle_with(),
            tmp_path / "other",
            OutputOptions(mesh_formats=(".xyz",)),
        )


def test_a_scan_without_any_anatomy_has_all_files_too(volume, tmp_path):
    shapes = scan_shapes(volume)
    nothing = replace(shapes[MISSING], anatomy=LIVER, label=1)
    empty = replace(shapes, anatomies={LIVER: nothing})
    source = source_of_volume(volume, "ct7")
    write_scan(empty, source, bundle_with(), tmp_path / "ct7", EVERYTHING)
    assert not sitk.GetArrayFromImage(
        sitk.ReadImage(str(tmp_path / "ct7/segmentation.seg.nrrd"))
    ).any()
    assert len(trimesh.load(tmp_path / "ct7/meshes/all-anatomies.glb").geometry) == 0
    jsonschema.validate(document(tmp_path / "ct7"), json.loads(SCHEMA.read_text()))


def test_a_model_without_particles_statistics_and_boxes_is_written_too(volume, tmp_path):
    shapes = scan_shapes(volume)
    bare = {"local": None, "world": {}, "box": None}
    shapes.anatomies[LIVER] = replace(shapes[LIVER], standing=None, **bare)
    unscored = standing(
        head=None,
        scores=np.zeros(0),
        score_percentiles=np.zeros(0),
        mahalanobis=None,
        mahalanobis_percentile=None,
    )
    shapes.anatomies[SPLEEN] = replace(shapes[SPLEEN], standing=unscored, **bare)
    source = source_of_volume(volume, "ct7")
    write_scan(shapes, source, bundle_with(), tmp_path / "ct7", OutputOptions())
    said = document(tmp_path / "ct7")
    jsonschema.validate(said, json.loads(SCHEMA.read_text()))
    assert said["anatomies"][SPLEEN]["population"]["mahalanobis"] is None
    assert not (tmp_path / "ct7/particles").exists()


@pytest.fixture
def series(tmp_path):
    """A CT series of 30 slices with a place for organs of some centimeters."""
    values = smooth(30, rows=48, columns=64)
    return write(tmp_path / "series", stack(values, 2.5 * np.arange(30)))


def test_dicom_also_gives_dicom_seg_that_belongs_to_it(series, tmp_path):
    with open_scan(series, "ct7") as source:
        shapes = scan_shapes(source.volume, apart_mm=12.0)
        options = OutputOptions(dicom_seg=True, page=False)
        written = write_scan(shapes, source, bundle_with(), tmp_path / "out/ct7", options)
    assert written.notes == ()
    path = tmp_path / "out/ct7/segmentation.dcm"
    assert "segmentation.dcm" in document(path.parent)["files"]
    seg, first = pydicom.dcmread(path), pydicom.dcmread(series / "000.dcm")
    for tag in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName"):
        assert seg[tag].value == first[tag].value
    labels = images.read_label_map(path.parent / "segmentation.nii.gz").array
    for number, name in ((1, LIVER), (2, SPLEEN)):
        segment = dicom.read_segmentation(path, number).volume
        mask = dicom.on_grid_of(segment, source.volume, 0.01)
        np.testing.assert_array_equal(mask.array, labels == shapes[name].label)


def test_where_no_dicom_seg_can_be_written_all_else_is_and_the_reason_is_told(series, tmp_path):
    for number, file in enumerate(sorted(series.iterdir())):  # a tilted gantry
        tilted = pydicom.dcmread(file)
        tilted.ImagePositionPatient[1] = 20 + 0.8 * number
        tilted.save_as(file)
    options = OutputOptions(dicom_seg=True, page=False)
    with open_scan(series, "ct7") as source:
        shapes = scan_shapes(source.volume, apart_mm=12.0)
        written = write_scan(shapes, source, bundle_with(), tmp_path / "tilted", options)
    assert "no DICOM SEG was written: series: frames of" in written.notes[0]
    assert "gantry tilted" in written.notes[0]
    said = document(tmp_path / "tilted")
    assert written.notes[0] + "." in [
        each["text"].removeprefix("Scan: ") for each in said["remarks"]
    ]
    assert (tmp_path / "tilted/segmentation.nii.gz").exists()
    assert not (tmp_path / "tilted/segmentation.dcm").exists()
    memory = source_of_volume(source.volume, "ct7")
    written = write_scan(shapes, memory, bundle_with(), tmp_path / "memory", options)
    assert written.notes == ("no DICOM SEG was written: the scan is no DICOM (array)",)
