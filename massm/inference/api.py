"""Models from Python: what ``massm.load`` returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from massm.geometry.mesh import Mesh
from massm.inference import pretrained
from massm.inference.bundle import Bundle, load_bundle
from massm.inference.describe import describe_scan
from massm.inference.memory import Triple, is_surface, mesh_of, segmentation_of, volume_of
from massm.inference.shapes import ScanShapes
from massm.inference.sources import open_scan
from massm.io.errors import DataError, SeveralLabelsError
from massm.io.intervals import Intervals
from massm.io.trust import TrustTables
from massm.machine.devices import Device, refuse_missing

if TYPE_CHECKING:
    from massm.inference.fit import Fit


@dataclass(frozen=True)
class LoadedModel:
    """A trained model.

    Points are LPS millimeters of the scan unless said otherwise, arrays of images have the axes z,
    y, x, and points are x, y, z.

    Attributes:
        bundle: All that its folder holds.
    """

    bundle: Bundle

    @property
    def anatomies(self) -> tuple[str, ...]:
        """The anatomies that it finds."""
        return self.bundle.description.anatomies

    @property
    def card(self) -> str:
        """What it was trained on, how good it is, and what it is not for: Markdown."""
        return self.bundle.card

    @property
    def intervals(self) -> Intervals | None:
        """How far off its particles may be, with which coverage; None: that is not known."""
        return self.bundle.intervals

    @property
    def trust(self) -> TrustTables | None:
        """What is usual of its predictions; None: that is not known, and scans get no light."""
        return self.bundle.trust

    def predict(
        self,
        scan: Any,
        *,
        name: str | None = None,
        spacing: Triple | None = None,
        origin: Triple | None = None,
        direction: Any = None,
        device: Device = "cpu",
    ) -> ScanShapes:
        """Find the anatomies of a CT and their shapes.

        Args:
            scan: Hounsfield units, any orientation, spacing and field of view: a path (NIfTI,
                NRRD, MHA, DICOM folder or file, zip of one of these), a NumPy array (z, y, x), an
                image of itk or SimpleITK, a vtkImageData (its frame is taken as LPS), or an image
                of nibabel.
            name: What it is called; by default its file's name, or ``scan``.
            spacing: Voxel size along x, y, z, mm. An array needs it; others have their own.
            origin: LPS mm of the center of voxel (0, 0, 0) of an array; (0, 0, 0) by default.
            direction: 3 x 3, its columns the directions of the x, y, z index axes of an array in
                LPS; the identity by default.
            device: What the network runs on.

        Raises:
            DataError: If the scan cannot be used: what was found, what was expected, what to do.
            ValueError: If there is no GPU.
        """
        refuse_missing(device)
        if not isinstance(scan, str | PathLike):
            volume = volume_of(scan, spacing=spacing, origin=origin, direction=direction)
            return describe_scan(volume, self.bundle, device, name or "scan")
        place = {"spacing": spacing, "origin": origin, "direction": direction}
        _refuse_beside(f"{scan}: a file has its own", place)
        with open_scan(Path(scan), name) as source:
            return describe_scan(source.volume, self.bundle, device, source.name)

    def fit(
        self,
        shape: Any,
        anatomy: str,
        *,
        label: int | None = None,
        spacing: Triple | None = None,
        origin: Triple | None = None,
        direction: Any = None,
    ) -> "Fit":
        """Fit a segmentation into the shape model of an anatomy.

        Args:
            shape: A path (mask, label map, signed distance, or mesh), a surface (vtkPolyData, pair
                of vertices (V, 3) and faces (F, 3), object with both such as trimesh's), or one of
                these images in memory, as ``scan`` of :meth:`predict`. Surfaces are LPS mm.
            anatomy: Which anatomy it is.
            label: The anatomy's value in a label map of several; no other shape has one.
            spacing: Of an image that is an array, as in :meth:`predict`; no other shape needs it.
            origin: The same.
            direction: The same.

        Raises:
            DataError: If it cannot be used or is no such anatomy, if the model does not know the
                anatomy, or if what is given beside the shape is not for a shape of its kind.
        """
        from massm.inference.fit import fit_shape

        self._refuse_unknown(anatomy)
        place = {"spacing": spacing, "origin": origin, "direction": direction}
        name = Path(shape).name if isinstance(shape, str | PathLike) else "shape"
        try:
            surface = self._surface(shape, label, place)
        except SeveralLabelsError as error:
            raise error.asking("give the anatomy's label (label=)") from error
        return fit_shape(surface, self.bundle, anatomy, name)

    def _surface(self, shape: Any, label: int | None, place: Mapping[str, Any]) -> Mesh:
        """Make a clean surface of what :meth:`fit` was given."""
        from massm.inference.fit import groomed, surface_of

        if isinstance(shape, str | PathLike):
            _refuse_beside(f"{shape}: a file has its own", place)
            return surface_of(Path(shape), self.bundle, label)
        if is_surface(shape):
            _refuse_beside("a surface has no", {**place, "label": label})
            return groomed(mesh_of(shape), self.bundle, "the surface")
        return groomed(segmentation_of(volume_of(shape, **place), label), self.bundle, "the image")

    def _refuse_unknown(self, anatomy: str) -> None:
        if anatomy not in self.anatomies:
            raise DataError(f"the model knows no {anatomy}; it knows {', '.join(self.anatomies)}")


def load(model: str | PathLike[str] | None) -> LoadedModel:
    """Load a model by its folder, or by its name if it came with the package.

    Args:
        model: As for :func:`massm.inference.pretrained.folder_of`.

    Raises:
        DataError: If there is no such model or it cannot be used, with the reason.
    """
    return LoadedModel(load_bundle(pretrained.folder_of(model)))


def _refuse_beside(why: str, given: Mapping[str, Any]) -> None:
    """Refuse what is given beside a scan or a shape that has no use for it."""
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise DataError(f"{why} {', '.join(names)}; leave that out")
