"""The page of the audit: the most suspicious masks on slices, and the list to look through."""

import io
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.report.figures.gallery import data_address
from massm.report.figures.plates import slice_plate
from massm.report.figures.slices import anatomy_frame
from massm.report.sections.templates import fill, part

_PIXELS = 320
_MARGIN_MM = 45.0
_DPI = 110
_COLOR = "#e5a00d"  # of predictions
_DASHES = "#ff5fa2"  # of masks: white would be lost on bone


@dataclass(frozen=True)
class Suspect:
    """A mask to draw.

    Attributes:
        row: Its row of ``audit/masks.csv``.
        image: CT, HU; None in a cohort without.
        surface: Of the mask, LPS mm.
        predicted: What a model predicts in its place; None if there is nothing of the kind.
    """

    row: Mapping[Hashable, object]
    image: Volume | None
    surface: Mesh
    predicted: Mesh | None


def build_page(
    table: pd.DataFrame,
    suspects: Sequence[Suspect],
    look_at: float,
    window_hu: tuple[float, float],
) -> str:
    """Draw the suspects, and list the share of masks that a person should look at.

    Must be called with :data:`massm.report.figures.style.STYLE` in force.

    Args:
        table: ``audit/masks.csv``.
        suspects: The first of it.
        look_at: That share.
        window_hu: Shown as black and as white.
    """
    ranked = table[table["rank"].notna()]
    listed = ranked.head(math.ceil(look_at * len(ranked)))
    drawn = [(one.row, _picture(one, window_hu)) for one in suspects]
    return fill(
        "audit_page",
        style=part("page.css"),
        count=len(ranked),
        share=look_at,
        drawn=drawn,
        listed=listed.to_dict("records"),
        others=table[table["rank"].isna()].to_dict("records"),
    )


def _picture(suspect: Suspect, window_hu: tuple[float, float]) -> str:
    """Draw a mask (dashed) and its prediction on slices; empty without an image."""
    if suspect.image is None:
        return ""
    name = str(suspect.row["anatomy"])
    predicted = {} if suspect.predicted is None else {name: suspect.predicted}
    figure = slice_plate(
        suspect.image,
        {name: suspect.surface},
        predicted,
        frame=anatomy_frame(suspect.surface.vertices, _PIXELS, _MARGIN_MM),
        colors={name: _COLOR},
        window_hu=window_hu,
        dashes=_DASHES,
    )
    return data_address(_webp(figure), "image/webp")


def _webp(figure: Figure) -> bytes:
    pixels, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(pixels, format="png", dpi=_DPI)
    with Image.open(pixels) as image:
        image.convert("RGB").save(packed, "WEBP", method=4, quality=86)
    return packed.getvalue()
