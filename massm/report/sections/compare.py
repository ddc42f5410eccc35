"""Models side by side: one anatomy of one subject, surfaces and outlines."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from massm.evaluate.rows import LOCAL, WORLD
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import images, meshes
from massm.io.particles import load_set
from massm.reconstruct.parts import surface_name
from massm.report.figures.gallery import Picture
from massm.report.figures.heat_plates import one_case
from massm.report.figures.plates import error_limit
from massm.report.figures.slices import anatomy_frame
from massm.report.figures.viewer import OutlineLook, hundredths, mesh_data, scroll_data
from massm.report.naming import Method, anatomy_label
from massm.report.palette import method_looks
from massm.report.run.rivals import best_method, methods_of, rivals_of
from massm.report.run.surfaces import Surfaces
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill
from massm.report.shapes.cases import RANKING
from massm.report.shapes.heat import Chosen, HeatMap
from massm.report.shapes.side_by_side import Showcase, SideBySide, choose_showcases, side_by_side

log = logging.getLogger(__name__)

_SLICE_PIXELS = 260
_SLICES = 9
_FRAMES = {LOCAL: "in the image", WORLD: "in the aligned frame"}


@dataclass(frozen=True)
class _Entry:
    """One case of an anatomy with all that is drawn of it."""

    anatomy: str
    showcase: Showcase
    measured: SideBySide
    distances: Mapping[Method, float | None]
    ct: dict[str, Any] | None


def render(material: Material) -> Fragment | None:
    """Make the section; None where nobody rivals the reference model in the image."""
    shown = material.shown
    values = shown.values[shown.values["measure"] == RANKING]
    local = values[values["head"] == LOCAL]
    ours, methods = (shown.model, LOCAL), methods_of(values, shown.names)
    rivals = rivals_of(methods_of(local, shown.names), shown.names)
    wanted = [
        (name, showcase)
        for name in material.run.anatomies
        for showcase in choose_showcases(local, name, shown.model, [model for model, _ in rivals])
    ]
    if not wanted:
        return None
    entries = _entries(material, wanted, methods)
    best = best_method(local, rivals)
    picked = [_key(method) for method in (ours, best) if method is not None]
    data = {
        "frames": _FRAMES,
        "methods": _described(material, methods),
        "picked": picked,
        "anatomies": {
            name: _anatomy_data(name, own, shown.names.model(shown.model))
            for name in material.run.anatomies
            if (own := [entry for entry in entries if entry.anatomy == name])
        },
    }
    pictures = [_picture(material, entry) for entry in entries if entry.showcase.rank == "typical"]
    html = fill("sections/compare", model=shown.names.model(shown.model), pictures=pictures)
    return Fragment(html, {"compare": {"all": data}})


def _entries(
    material: Material, wanted: Sequence[tuple[str, Showcase]], methods: Sequence[Method]
) -> list[_Entry]:
    """Measure all cases, in their order; each subject's CT is read once."""
    made = {}
    by_subject = sorted(wanted, key=lambda case: case[1].subject)
    for subject, cases in groupby(by_subject, key=lambda case: case[1].subject):
        image = Surfaces(material.run, material.shown.model).image(subject)
        volume = images.read_image(image) if image else None
        for name, showcase in cases:
            made[name, showcase.rank] = _entry(material, name, showcase, methods, volume)
    return [made[name, showcase.rank] for name, showcase in wanted]


def _entry(
    material: Material,
    anatomy: str,
    showcase: Showcase,
    methods: Sequence[Method],
    volume: Volume | None,
) -> _Entry:
    subject, run = showcase.subject, material.run
    true = meshes.read(Surfaces(run, material.shown.model).measured(subject, anatomy))
    distances = _distances(material, subject, anatomy, methods)
    predicted = {
        method: meshes.read(_file(run.results, method, subject, anatomy))
        for method in methods
        if distances[method] is not None
    }
    transforms = _transforms(run.results, subject, anatomy, list(predicted))
    measured = side_by_side(true, predicted, transforms, material.config.mesh_faces)
    outlined = {method: mesh for method, mesh in predicted.items() if method[1] == LOCAL}
    ct = None if volume is None else _ct(material, volume, anatomy, true, outlined)
    return _Entry(anatomy, showcase, measured, distances, ct)


def _distances(
    material: Material, subject: str, anatomy: str, methods: Sequence[Method]
) -> dict[Method, float | None]:
    """Look the mean distance of each method up; None where it missed the anatomy."""
    values = material.shown.values
    own = values[
        (values["measure"] == RANKING)
        & (values["subject"] == subject)
        & (values["anatomy"] == anatomy)
    ]
    keys = zip(own["model"].astype(str), own["head"].astype(str), strict=True)
    found = dict(zip(keys, own["value"].to_numpy(float), strict=True))
    return {method: float(found[method]) if method in found else None for method in methods}


def _file(results: Path, method: Method, subject: str, anatomy: str) -> Path:
    model, head = method
    return results / "reconstruct" / model / subject / surface_name(anatomy, head)


def _transforms(
    results: Path, subject: str, anatomy: str, methods: Sequence[Method]
) -> dict[Method, Float[np.ndarray, "4 4"]]:
    """Find the way from the image to the world frame for the methods whose frame that is."""
    world = [method for method in methods if method[1] != LOCAL]
    if not world:
        return {}
    population = load_set(results / "correspond" / f"{anatomy}.npz")
    return dict.fromkeys(world, population.transforms[population.row(subject)])


def _ct(
    material: Material,
    volume: Volume,
    anatomy: str,
    true: Mesh,
    predicted: Mapping[Method, Mesh],
) -> dict[str, Any]:
    names = material.shown.names
    labels, looks = names.methods(predicted), method_looks(list(predicted), names)
    return scroll_data(
        volume,
        {anatomy: true},
        {_key(method): mesh for method, mesh in predicted.items()},
        frame=anatomy_frame(true.vertices, _SLICE_PIXELS),
        lines={
            _key(m): OutlineLook(labels[m], look.color, look.dashes) for m, look in looks.items()
        },
        window_hu=material.config.window_hu,
        slices=_SLICES,
    )


def _described(material: Material, methods: Sequence[Method]) -> list[dict[str, str]]:
    """Describe each method, in order; a head is named only beside another of its model's frame."""
    names = material.shown.names
    local = names.methods(method for method in methods if method[1] == LOCAL)
    world = names.methods(method for method in methods if method[1] != LOCAL)
    return [
        {
            "key": _key(method),
            "model": method[0],
            "label": label,
            "frame": frame,
            "color": looks[method].color,
            "dashes": looks[method].dashes,
        }
        for frame, labels in ((LOCAL, local), (WORLD, world))
        for looks in [method_looks(list(labels), names)]
        for method, label in labels.items()
    ]


def _key(method: Method) -> str:
    return "|".join(method)


def _anatomy_data(anatomy: str, entries: Sequence[_Entry], model: str) -> dict[str, Any]:
    errors = [error for entry in entries for error in entry.measured.errors.values()]
    return {
        "label": anatomy_label(anatomy),
        "limit": error_limit(errors),
        "cases": [_case_data(entry, model) for entry in entries],
    }


def _case_data(entry: _Entry, model: str) -> dict[str, Any]:
    showcase = entry.showcase
    word = "nearer" if showcase.lead_mm >= 0 else "farther"
    return {
        "rank": showcase.rank,
        "subject": showcase.subject,
        "words": f"{anatomy_label(entry.anatomy)} of subject {showcase.subject}: {model} is"
        f" {abs(showcase.lead_mm):.2f} mm {word} than the best rival, in the image.",
        "true": mesh_data(entry.measured.true),
        "errors": {_key(m): hundredths(error) for m, error in entry.measured.errors.items()},
        "distances": {
            _key(m): None if mm is None else round(mm, 2) for m, mm in entry.distances.items()
        },
        "ct": entry.ct,
    }


def _picture(material: Material, entry: _Entry) -> Picture:
    """Draw the surfaces of the image frame for the printed page."""
    subject, anatomy = entry.showcase.subject, entry.anatomy
    maps: dict[Method, HeatMap | None] = {}
    for method, mm in entry.distances.items():
        if method[1] == LOCAL:
            error = entry.measured.errors.get(method)
            chosen = None if mm is None else Chosen(method, subject, anatomy, mm)
            maps[method] = (
                None
                if error is None or chosen is None
                else HeatMap(chosen, entry.measured.true, error)
            )
    label = anatomy_label(anatomy)
    return material.gallery.add(
        one_case(maps, material.shown.names.methods(maps), f"{label} of subject {subject}"),
        f"compare_{anatomy}",
        f"{label} of {subject}: the segmentation's surface colored by its distance to each model's",
        "pixels",
    )


SECTION = PageSection("compare", "Models side by side", "Side by side", render)
