"""What the page shows of each shape model: its modes, its particles, and where it is worst."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from massm.config.report import ReportConfig
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.report.figures.correspondence import ShownShape, place_colors, spread_ranks
from massm.report.figures.gallery import Gallery, Picture
from massm.report.figures.shape_plates import misfit_plate, mode_plate, particle_plate
from massm.report.figures.viewer import mode_data
from massm.report.naming import anatomy_label
from massm.report.palette import anatomy_colors
from massm.report.run.sources import RunTables, groomed_surfaces
from massm.report.run.words import DASH
from massm.report.shapes.decimation import decimated
from massm.report.shapes.misfit import LEAST_SHAPES, Misfit, PaintedShape, find_misfit
from massm.report.shapes.modes import shape_modes
from massm.report.shapes.training import TrainingSurfaces, read_training_shapes

log = logging.getLogger(__name__)

_SUBJECTS = 4  # whose particles are shown
_WORST = 2


@dataclass(frozen=True)
class Rebuilt:
    """How well subjects are rebuilt from the others, in words and numbers.

    Attributes:
        modes: How many modes rebuild them.
        mean: Mean error of all particles, mm.
        median: Of the subjects' mean errors, mm.
        worst: Subjects rebuilt worst, each with its mean error, mm.
        picture: Errors on the mean surface, and on the worst subjects.
    """

    modes: int
    mean: str
    median: str
    worst: tuple[tuple[str, str], ...]
    picture: Picture


@dataclass(frozen=True)
class ShapeView:
    """One anatomy's shape model.

    Attributes:
        name: Of the anatomy.
        label: For people.
        color: Of the anatomy in all figures.
        shapes: Training subjects.
        particles: Of each shape.
        modes_data: For the sliders; None where all shapes are the same.
        modes_picture: The same.
        particles_picture: Particles on subjects; None without any subject.
        rebuilt: None where there are too few shapes.
        numbers: Cells of the table of all models, by column.
        notes: What could not be shown and why.
    """

    name: str
    label: str
    color: str
    shapes: int
    particles: int
    modes_data: dict[str, Any] | None
    modes_picture: Picture | None
    particles_picture: Picture | None
    rebuilt: Rebuilt | None
    numbers: dict[str, str]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Anatomy:
    """What the pictures of one anatomy are made from."""

    name: str
    shapes: TrainingSurfaces
    files: Mapping[str, Path]  # groomed surface by subject
    faces: int  # triangles of a surface that is drawn

    @property
    def label(self) -> str:
        return anatomy_label(self.name)

    def surface(self, row: int) -> Mesh:
        """Read a subject's groomed surface into the population's frame."""
        groomed = meshes.read(self.files[self.shapes.subjects[row]])
        return decimated(groomed.transformed(self.shapes.transforms[row]), self.faces)

    def mean_surface(self) -> Mesh:
        """Make the mean shape's surface."""
        return decimated(self.shapes.surface(self.shapes.mean), self.faces)


def shape_views(run: RunTables, config: ReportConfig, gallery: Gallery) -> list[ShapeView]:
    """Make the views of every anatomy's shape model, from the training split alone."""
    groomed = groomed_surfaces(run)
    colors = anatomy_colors(run.anatomies)
    views = []
    for anatomy in run.anatomies:
        files = {subject: path for (subject, name), path in groomed.items() if name == anatomy}
        shapes = read_training_shapes(run.results, anatomy)
        own = _Anatomy(anatomy, shapes, files, config.mesh_faces)
        curves = run.curves[run.curves["anatomy"] == anatomy]
        views.append(_view(own, colors[anatomy], curves, config, gallery))
        log.info("%s: shape model of %d subjects drawn", anatomy, len(shapes.subjects))
    return views


def _view(
    own: _Anatomy, color: str, curves: pd.DataFrame, config: ReportConfig, gallery: Gallery
) -> ShapeView:
    count, particles = own.shapes.world.shape[:2]
    misfit = find_misfit(own.shapes.world)
    modes_data, modes_picture = _modes(own, config, gallery) if count else (None, None)
    notes = []
    if not count:
        notes.append("No training subject has particles of this anatomy, so there is no model.")
    elif modes_picture is None:
        notes.append("All training shapes are the same, so there are no modes.")
    if count and misfit is None:
        notes.append(
            f"Rebuilding a subject from the others takes at least {LEAST_SHAPES} training shapes; "
            f"here there {'is' if count == 1 else 'are'} {count}."
        )
    return ShapeView(
        *(own.name, own.label, color, count, particles, modes_data, modes_picture),
        particles_picture=_particles(own, gallery) if count else None,
        rebuilt=_rebuilt(own, misfit, gallery) if misfit else None,
        numbers=_numbers(curves, misfit),
        notes=notes,
    )


def _modes(
    own: _Anatomy, config: ReportConfig, gallery: Gallery
) -> tuple[dict[str, Any] | None, Picture | None]:
    shapes = own.shapes
    modes = shape_modes(shapes.world, shapes.warp, modes=config.modes, faces=own.faces)
    if len(modes.displacements) == 0:
        return None, None
    picture = gallery.add(
        mode_plate(modes, config.mode_range_sd),
        f"modes_{own.name}",
        f"{own.label}: surfaces of the first shape modes ({len(modes.displacements)}) at minus "
        f"{config.mode_range_sd:g}, 0 and plus {config.mode_range_sd:g} standard deviations, "
        "colored by signed displacement from the mean",
        "pixels",
    )
    return mode_data(modes, config.mode_range_sd), picture


def _particles(own: _Anatomy, gallery: Gallery) -> Picture:
    shapes = own.shapes
    rows = spread_ranks(shapes.from_mean_mm, _SUBJECTS)
    ends = {rows[0]: ", nearest", rows[-1]: ", farthest"} if len(rows) > 1 else {}
    shown = [ShownShape("mean shape", own.mean_surface(), shapes.mean)]
    for row in rows:
        title = f"{shapes.subjects[row]}{ends.get(row, '')}\n{shapes.from_mean_mm[row]:.1f} mm"
        shown.append(ShownShape(title, own.surface(row), shapes.world[row]))
    names = ", ".join(shapes.subjects[row] for row in rows)
    return gallery.add(
        particle_plate(shown, place_colors(shapes.mean)),
        f"particles_{own.name}",
        f"{own.label}: the mean shape and subjects {names} from the front and the back, with "
        "their particles as disks; a particle has the same color on all of them",
        "pixels",
    )


def _rebuilt(own: _Anatomy, misfit: Misfit, gallery: Gallery) -> Rebuilt:
    shapes, surface = own.shapes, own.mean_surface()
    error = shapes.painted(misfit.by_particle, shapes.mean, surface.vertices)
    mean = f"{misfit.by_particle.mean():.2f}"
    average = PaintedShape(f"all {len(shapes.subjects)} subjects\n{mean} mm", surface, error)
    worst, painted = [], []
    for row in misfit.worst(_WORST):
        name, value = shapes.subjects[row], f"{misfit.by_shape[row]:.2f}"
        surface = own.surface(row)
        error = shapes.painted(misfit.errors[row], shapes.world[row], surface.vertices)
        worst.append((name, value))
        painted.append(PaintedShape(f"{name}\n{value} mm", surface, error))
    picture = gallery.add(
        misfit_plate(average, painted),
        f"misfit_{own.name}",
        f"{own.label}: error of subjects rebuilt by {misfit.modes} modes of all others, averaged "
        "on the mean surface, and on the surfaces of the subjects rebuilt worst, "
        + " and ".join(f"{name} ({value} mm)" for name, value in worst),
        "pixels",
    )
    median = f"{np.median(misfit.by_shape):.2f}"
    return Rebuilt(misfit.modes, mean, median, tuple(worst), picture)


def _numbers(curves: pd.DataFrame, misfit: Misfit | None) -> dict[str, str]:
    """Read off the curves what stands in the table of all models."""
    table = {name: part.set_index("modes")["value"] for name, part in curves.groupby("measure")}
    compact = table.get("compactness", pd.Series(dtype=float))
    enough = compact[compact >= 0.95]
    at = misfit.modes if misfit else 0

    def read(measure: str) -> str:
        curve = table.get(measure)
        return f"{curve[at]:.2f}" if curve is not None and at in curve.index else DASH

    return {
        "modes_95": str(int(enough.index.min())) if len(enough) else DASH,
        "modes": str(at) if misfit else DASH,
        "generalization": read("generalization"),
        "generalization_surface": read("generalization_surface"),
        "specificity": read("specificity"),
    }
