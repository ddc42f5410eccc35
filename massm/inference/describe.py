"""Measure what a model found in a scan: size, field of view, place in the training population."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.band import band_of
from massm.inference.bundle import Bundle
from massm.inference.scan import predict_scan
from massm.inference.shapes import AnatomyShape, Cut, ScanGrid, ScanShapes, Standing
from massm.inference.statistics import mahalanobis_of, standard_scores
from massm.inference.trust.light import judged
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction

RED = "its light is red"
"""Why nothing is promised of an anatomy that is not like those of the calibration subjects."""


def describe_scan(
    volume: Volume, bundle: Bundle, device: str = "cpu", name: str = "scan"
) -> ScanShapes:
    """Find the anatomies of a CT, their shapes, and what can be said of them.

    Args:
        volume: CT, HU, any orientation.
        bundle: The model.
        device: Torch's name of what the network runs on.
        name: What the scan is called.

    Raises:
        DataError: If particles make no surface, naming scan and anatomy.
    """
    prediction, surfaces = predict_scan(volume, bundle, device, name)
    shapes = describe(prediction, surfaces, ScanGrid.of(volume), bundle, name)
    return promising_nothing_of_red(judged(shapes, volume, bundle.trust))


def promising_nothing_of_red(shapes: ScanShapes) -> ScanShapes:
    """Withhold the radii of what is red: they hold for anatomies like those that chose them."""
    return replace(
        shapes,
        anatomies={
            name: replace(shape, band=None, unsure=RED)
            if shape.band is not None and shape.trust is not None and shape.trust.light == "red"
            else shape
            for name, shape in shapes.anatomies.items()
        },
    )


def describe(
    prediction: SubjectPrediction,
    surfaces: Mapping[str, Mesh],
    grid: ScanGrid,
    bundle: Bundle,
    name: str,
) -> ScanShapes:
    """Measure a prediction.

    Args:
        prediction: Of one scan.
        surfaces: Of the anatomies that were found, LPS mm.
        grid: The scan's.
        bundle: The model that predicted.
        name: What the scan is called.
    """
    anatomies = {}
    for label, anatomy in enumerate(prediction.anatomies, start=1):
        local, world = prediction.local_of(anatomy), prediction.world_of(anatomy)
        surface = surfaces.get(anatomy)
        cut = None if surface is None else measure_cut(surface, local, grid)
        band, unsure = (None, "") if local is None else band_of(bundle, anatomy, cut)
        anatomies[anatomy] = AnatomyShape(
            anatomy=anatomy,
            label=label,
            present=prediction.is_present(anatomy),
            score=prediction.score_of(anatomy),
            threshold=bundle.description.thresholds[anatomy],
            box=prediction.box(anatomy),
            local=local,
            world=world,
            surface=surface,
            volume_ml=None if surface is None else surface.volume_ml,
            area_mm2=None if surface is None else surface.area,
            cut=cut,
            standing=None if surface is None else _standing(surface, world, bundle, anatomy),
            agreement=prediction.agreement_of(anatomy),
            band=band,
            unsure=unsure,
        )
    return ScanShapes(name, grid, anatomies)


def measure_cut(surface: Mesh, particles: Float[np.ndarray, "M 3"] | None, grid: ScanGrid) -> Cut:
    """Measure which share of a surface's area, and of its particles, lies outside of a scan.

    A triangle that crosses one face of the grid counts by its part beyond it.

    Args:
        surface: LPS mm.
        particles: LPS mm; the surface's vertices stand in for a model without.
        grid: The scan's.
    """
    beyond = grid.outside_mm(surface.vertices)[surface.faces]
    points = surface.vertices if particles is None else particles
    return Cut(
        surface=min(1.0, float(_share_above(beyond) @ surface.face_areas / surface.area)),
        particles=float((grid.outside_mm(points) > 0).mean()),
    )


def scored_head(bundle: Bundle, heads: Collection[str]) -> str | None:
    """Choose the world head whose particles are scored: the one the model was trained with.

    Args:
        bundle: The model.
        heads: Those that it gives.

    Returns:
        The only head; of several, the one that its configuration names (``scored_world``); None
        without any.

    Raises:
        DataError: If there are several and the configuration names none of them.
    """
    if len(heads) <= 1:
        return next(iter(heads), None)
    named = bundle.description.model.scored_world
    if named is None or named not in heads:
        raise DataError(
            f"the model gives particles of the world heads {', '.join(heads)}, and its "
            f"configuration names {named} (world.head): train it with this version of massm"
        )
    return named


def _standing(
    surface: Mesh, world: Mapping[str, Float[np.ndarray, "M 3"]], bundle: Bundle, anatomy: str
) -> Standing | None:
    statistics = bundle.statistics.get(anatomy)
    if statistics is None:
        return None
    head = scored_head(bundle, world)
    scores = np.full(statistics.modes, np.nan)
    if head is not None:
        scores = standard_scores(bundle.shapes[anatomy].model, world[head], statistics.modes)
    found = statistics.percentiles(
        volume_ml=surface.volume_ml, area_mm2=surface.area, scores=scores
    )
    is_scored = head is not None
    return Standing(
        head=head,
        scores=scores if is_scored else np.zeros(0),
        score_percentiles=found.scores if is_scored else np.zeros(0),
        mahalanobis=mahalanobis_of(scores) if is_scored else None,
        mahalanobis_percentile=found.mahalanobis if is_scored else None,
        volume_percentile=found.volume,
        area_percentile=found.area,
        subjects=statistics.subjects,
    )


def _share_above(values: Float[np.ndarray, "F 3"]) -> Float[np.ndarray, " F"]:
    """Find the share of each triangle's area where a function, linear on it, is above zero.

    The zero line cuts off the corner that lies alone on its side; the area of that corner goes
    with the two shares of the edges that meet there.
    """
    low, middle, high = np.sort(values, axis=1).T
    with np.errstate(divide="ignore", invalid="ignore"):
        corner_above = high * high / ((high - low) * (high - middle))
        corner_below = low * low / ((low - high) * (low - middle))
    share = np.where(middle > 0, 1 - corner_below, corner_above)
    return np.asarray(np.where(low >= 0, high > 0, np.where(high <= 0, 0.0, share)), float)
