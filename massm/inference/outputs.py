"""The folder of one scan: everything that ``massm predict`` writes, whole or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from massm import __version__
from massm.inference.bundle import Bundle
from massm.inference.colors import anatomy_colors, unit_rgb
from massm.inference.describe import scored_head
from massm.inference.label_map import LabelMap, label_map
from massm.inference.remarks import remarks_on
from massm.inference.shape_json import Files, shape_document
from massm.inference.shapes import AnatomyShape, ScanShapes
from massm.inference.sources import Source
from massm.io import dicom, documents, gltf, mesh_writers, meshes
from massm.io.atomic import replacing_folder
from massm.io.errors import DataError
from massm.io.label_maps import Segment, write_nifti, write_seg_nrrd
from massm.io.particles import text_file, write_text

MESH_FORMATS = (".vtp", ".stl", ".ply", ".obj", ".glb")
SHAPES, PAGE = "shape.json", "index.html"

_NIFTI, _NRRD, _SEG = "segmentation.nii.gz", "segmentation.seg.nrrd", "segmentation.dcm"
_SCENE = "meshes/all-anatomies.glb"


@dataclass(frozen=True)
class OutputOptions:
    """What is written beside particles, ``.vtp`` surfaces and ``shape.json``.

    Attributes:
        mesh_formats: Further endings of :data:`MESH_FORMATS`; ``.glb`` is one scene of all.
        label_map: ``segmentation.nii.gz`` and ``segmentation.seg.nrrd``, on the scan's grid.
        page: ``index.html``.
        dicom_seg: ``segmentation.dcm``, for a scan that is DICOM.
        replace: Put the results in the place of those that are there; else refuse.
    """

    mesh_formats: tuple[str, ...] = ()
    label_map: bool = True
    page: bool = True
    dicom_seg: bool = False
    replace: bool = False


@dataclass(frozen=True)
class Written:
    """What became of a scan.

    Attributes:
        folder: Where its results are.
        page: Its page; None if none was asked for.
        notes: What the user should know, as that DICOM SEG could not be written, and why.
    """

    folder: Path
    page: Path | None
    notes: tuple[str, ...]


def write_scan(
    shapes: ScanShapes, source: Source, bundle: Bundle, folder: Path, options: OutputOptions
) -> Written:
    """Write the results of one scan, whole or not at all.

    Args:
        shapes: From :func:`massm.inference.describe.describe_scan`.
        source: The scan, as :func:`massm.inference.sources.open_scan` holds it open.
        bundle: The model that made them.
        folder: ``OUT/NAME``.
        options: What to write.

    Raises:
        DataError: If the folder is there already and is not to be replaced, for an unknown mesh
            format, or if a surface is not closed.
        OSError: If it cannot be written, or has come to be there meanwhile.
    """
    refuse_existing(folder, options)
    unknown = sorted(set(options.mesh_formats) - set(MESH_FORMATS))
    if unknown:
        known = ", ".join(MESH_FORMATS)
        raise DataError(f"mesh format {', '.join(unknown)} is not known; choose of {known}")
    with replacing_folder(folder, replace=options.replace) as beside:
        notes = _Results(shapes, source, bundle, beside, options).write()
    return Written(folder, folder / PAGE if options.page else None, tuple(notes))


def refuse_existing(folder: Path, options: OutputOptions) -> None:
    """Refuse to write where results are already, before the time for a prediction is spent.

    Raises:
        DataError: If they are there and not to be replaced.
    """
    if folder.exists() and not options.replace:
        raise DataError(
            f"{folder} is there already; replace it (--overwrite) or choose another folder"
        )


class _Results:
    """The files of one scan, and their names by anatomy."""

    def __init__(
        self,
        shapes: ScanShapes,
        source: Source,
        bundle: Bundle,
        folder: Path,
        options: OutputOptions,
    ) -> None:
        self._shapes, self._source, self._bundle = shapes, source, bundle
        self._folder, self._options = folder, options
        self._colors = anatomy_colors(tuple(shapes.anatomies))
        self._files = Files([], {})

    def write(self) -> list[str]:
        """Write all; return what the user should know."""
        for shape in self._shapes.found.values():
            self._files.anatomies[shape.anatomy] = [*self._particles(shape), *self._meshes(shape)]
        if ".glb" in self._options.mesh_formats:
            self._scene()
        labels, notes = self._labels()
        remarks = remarks_on(self._shapes, labels, (*self._source.notes, *notes))
        if self._options.page:
            from massm.inference.page import write_page  # jinja2

            write_page(
                self._shapes,
                self._source,
                self._bundle,
                remarks,
                self._files,
                self._folder / PAGE,
            )
            self._files.scan.append(PAGE)
        document = shape_document(
            self._shapes, self._source, self._bundle, labels, remarks, self._files
        )
        documents.write_json(document, self._folder / SHAPES)
        return notes

    def _particles(self, shape: AnatomyShape) -> Iterator[str]:
        folder = self._folder / "particles"
        if shape.local is not None:
            yield self._text(shape.local, text_file(folder, shape.anatomy, "local"))
        for head, world in shape.world.items():
            # The head that is scored keeps ShapeWorks' own name.
            is_scored = head == scored_head(self._bundle, shape.world)
            name = shape.anatomy if is_scored else f"{shape.anatomy}-{head}"
            yield self._text(world, text_file(folder, name, "world"))

    def _text(self, points: np.ndarray, path: Path) -> str:
        write_text(points, path)
        return self._relative(path)

    def _meshes(self, shape: AnatomyShape) -> Iterator[str]:
        if shape.surface is None:
            return
        others = [ending for ending in self._options.mesh_formats if ending not in (".vtp", ".glb")]
        for ending in (".vtp", *others):
            path = self._folder / "meshes" / f"{shape.anatomy}{ending}"
            if ending == ".vtp":
                meshes.write(shape.surface, path, _radii(shape))
            else:
                mesh_writers.write_for_others(shape.surface, path)
            yield self._relative(path)

    def _scene(self) -> None:
        scene = {
            name: gltf.ColoredMesh(mesh, unit_rgb(self._colors[name]))
            for name, mesh in self._shapes.surfaces.items()
        }
        gltf.write_glb(scene, self._folder / _SCENE)
        self._files.scan.append(_SCENE)

    def _labels(self) -> tuple[LabelMap | None, list[str]]:
        options = self._options
        if not (options.label_map or options.dicom_seg):
            return None, []
        try:
            labels = label_map(self._shapes)
        except ValueError as error:
            raise DataError(f"{self._shapes.name}: no label map can be made: {error}") from error
        segments = [
            Segment(shape.label, name, unit_rgb(self._colors[name]))
            for name, shape in self._shapes.found.items()
        ]
        if options.label_map:
            write_nifti(labels.volume, self._folder / _NIFTI)
            write_seg_nrrd(labels.volume, segments, self._folder / _NRRD)
            self._files.scan.extend((_NIFTI, _NRRD))
        return labels, self._dicom_seg(labels, segments) if options.dicom_seg else []

    def _dicom_seg(self, labels: LabelMap, segments: list[Segment]) -> list[str]:
        """Write DICOM SEG; where that cannot be, say why, and keep all else."""
        if self._source.kind != "dicom" or self._source.path is None:
            return [f"no DICOM SEG was written: the scan is no DICOM ({self._source.kind})"]
        path = self._folder / _SEG
        try:
            dicom.write_segmentation(
                labels.volume, segments, self._source.path, path, version=__version__
            )
        except DataError as error:
            # A scan out of an archive lies in a folder that nobody knows.
            said = str(error).replace(str(self._source.path), str(self._source.given))
            return [f"no DICOM SEG was written: {said}"]
        self._files.scan.append(_SEG)
        return []

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _radii(shape: AnatomyShape) -> dict[str, np.ndarray]:
    """Name the radii at the vertices of a surface, as far as they are promised."""
    if shape.band is None:
        return {}
    radii = {
        "radius_share_mm": shape.band.share_at_vertices_mm,
        "radius_whole_mm": shape.band.whole_at_vertices_mm,
    }
    return {name: values for name, values in radii.items() if values is not None}
