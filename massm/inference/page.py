"""``index.html``: a scan's anatomies to look at, in one file that asks no network for anything."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np
from jaxtyping import Float

from massm import __version__
from massm.inference.bundle import Bundle
from massm.inference.colors import anatomy_colors, anatomy_label
from massm.inference.page_data import page_data
from massm.inference.remarks import Remark
from massm.inference.shape_json import Files
from massm.inference.shapes import AnatomyShape, ScanShapes, Standing
from massm.inference.sources import Source
from massm.io.atomic import replacing

_MODES = 6  # that the page shows; shape.json has all
_SCALE_SD = 4.0  # half width of the modes' axis
_UNUSUAL = 5.0  # percent of the training subjects that a measure is called extreme among

Sides = Literal["both", "high"]


@dataclass(frozen=True)
class ShownMeasure:
    """A number of the table.

    Attributes:
        text: The number; empty if it is not known.
        percentile: Among the training subjects, 0 to 100; None if it is not known.
        sides: At which ends it is unusual: a distance is at the high one alone, since what is near
            the mean is no cause for alarm.
    """

    text: str
    percentile: float | None
    sides: Sides = "both"

    @property
    def is_extreme(self) -> bool:
        """Whether it lies among the 5 % that are most unusual, of two ends half at each."""
        if self.percentile is None:
            return False
        if self.sides == "high":
            return self.percentile > 100 - _UNUSUAL
        return not _UNUSUAL / 2 <= self.percentile <= 100 - _UNUSUAL / 2


@dataclass(frozen=True)
class Row:
    """An anatomy of the table."""

    name: str
    label: str
    color: str
    present: bool
    score: str
    volume: ShownMeasure
    area: ShownMeasure
    distance: ShownMeasure
    outside: str
    share: str
    whole: str
    unsure: str
    light: str
    modes: list[dict[str, Any]]


def write_page(
    shapes: ScanShapes,
    source: Source,
    bundle: Bundle,
    remarks: Sequence[Remark],
    files: Files,
    path: Path,
) -> None:
    """Write the page of a scan, whole or not at all.

    Args:
        shapes: What was found.
        source: The scan.
        bundle: The model that found it.
        remarks: What has to be known first.
        files: What lies beside the page.
        path: Where to.
    """
    data = json.dumps(page_data(shapes, source.volume), separators=(",", ":"))
    colors = anatomy_colors(tuple(shapes.anatomies))
    rows = [_row(shape, colors[name]) for name, shape in shapes.anatomies.items()]
    html = (
        _templates()
        .get_template("page.html.j2")
        .render(
            shapes=shapes,
            source=source,
            grid=shapes.grid,
            rows=rows,
            subjects=_from_to(s.standing.subjects for s in shapes.found.values() if s.standing),
            scale=_SCALE_SD,
            reasons=_reasons(shapes),
            remarks=[remark for remark in remarks if remark.kind != "not_found"],
            missing=[row for row in rows if not row.present],
            bundle=bundle,
            level=_promised(bundle, rows),
            version=__version__,
            files=files,
            data=data.replace("<", "\\u003c"),
        )
    )
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _promised(bundle: Bundle, rows: Sequence[Row]) -> str | None:
    """Write the level of what is promised, percent; None where that is nothing of any anatomy."""
    if bundle.intervals is None or not any(row.share or row.whole for row in rows):
        return None
    return f"{100 * bundle.intervals.level:g}"


def _from_to(counts: Iterable[int]) -> str:
    """Say the range of numbers that need not be the same; nothing of none."""
    different = sorted(set(counts))
    return " to ".join(str(count) for count in dict.fromkeys(different[:1] + different[-1:]))


def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _row(shape: AnatomyShape, color: str) -> Row:
    standing = shape.standing
    area_cm2 = None if shape.area_mm2 is None else shape.area_mm2 / 100
    return Row(
        name=shape.anatomy,
        label=anatomy_label(shape.anatomy),
        color=color,
        present=shape.present,
        score=f"{shape.score:.2f}",
        volume=_measure(shape.volume_ml, standing.volume_percentile if standing else None),
        area=_measure(area_cm2, standing.area_percentile if standing else None),
        distance=_measure(
            standing.mahalanobis if standing else None,
            standing.mahalanobis_percentile if standing else None,
            "high",
        ),
        outside=_share(shape),
        share=_mean_radius(shape.band.share_mm if shape.band else None),
        whole=_mean_radius(shape.band.whole_mm if shape.band else None),
        unsure=shape.unsure,
        light=shape.trust.light if shape.trust else "",
        modes=_modes(standing) if standing is not None else [],
    )


def _measure(value: float | None, percentile: float | None, sides: Sides = "both") -> ShownMeasure:
    if value is None:
        return ShownMeasure("", None, sides)
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2
    return ShownMeasure(f"{value:.{decimals}f}", percentile, sides)


def _reasons(shapes: ScanShapes) -> list[tuple[str, str]]:
    """List the lights that are not green with their reasons, the scan's first, each reason once."""
    lights = [shapes.trust, *(shape.trust for shape in shapes.anatomies.values())]
    shown = {trust.reason: trust.light for trust in lights if trust and trust.light != "green"}
    return [(light, reason) for reason, light in shown.items()]


def _share(shape: AnatomyShape) -> str:
    if shape.cut is None:
        return ""
    percent = 100 * shape.cut.surface
    if not shape.cut.is_cut:
        return "0 %"
    return "< 1 %" if percent < 1 else f"{percent:.0f} %"


def _mean_radius(radius: Float[np.ndarray, " M"] | None) -> str:
    return "" if radius is None else f"{radius.mean():.1f}"


def _modes(standing: Standing) -> list[dict[str, Any]]:
    """Place the first modes' scores on an axis from 0 to 100."""
    pairs = zip(standing.scores[:_MODES], standing.score_percentiles[:_MODES], strict=True)
    return [
        {
            "score": f"{round(float(score), 1) + 0.0:+.1f}",  # no minus before zero
            "percentile": f"{percentile:.0f}",
            "place": f"{min(max(50 + 50 * float(score) / _SCALE_SD, 0), 100):.1f}",
        }
        for score, percentile in pairs
    ]
