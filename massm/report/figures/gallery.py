"""Figures as files beside the page and as pictures inside it."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from massm.io.atomic import replacing

Suffix = Literal["svg", "pdf", "png"]
_UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
_WEBP = {"method": 4, "quality": 86}


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Attributes:
        name: Of its files.
        source: A ``data:`` address.
        alternative: What it shows, for who cannot see it.
        width: Natural width, pixels of a screen.
    """

    name: str
    source: str
    alternative: str
    width: int


class Gallery:
    """Saves each figure as SVG and PNG and hands out its picture for the page."""

    def __init__(self, folder: Path, dpi: int) -> None:
        """Choose where figures go.

        Args:
            folder: Made if missing.
            dpi: Resolution of pixels.
        """
        self._folder, self._dpi = folder, dpi

    def add(
        self, figure: Figure, name: str, alternative: str, kind: Literal["lines", "pixels"]
    ) -> Picture:
        """Save a figure.

        Args:
            figure: Is not needed after this.
            name: Of its files.
            alternative: What it shows.
            kind: Lines go into the page as SVG, figures full of pixels compressed.
        """
        save_figure(figure, self._folder, name, ("svg", "png"), self._dpi)
        width = int(figure.get_figwidth() * 96)
        if kind == "lines":
            data = (self._folder / f"{name}.svg").read_bytes()
            return Picture(name, data_address(data, "image/svg+xml"), alternative, width)
        buffer = io.BytesIO()
        with Image.open(self._folder / f"{name}.png") as image:
            image.convert("RGB").save(buffer, "WEBP", **_WEBP)
        return Picture(name, data_address(buffer.getvalue(), "image/webp"), alternative, width)


def save_figure(
    figure: Figure, folder: Path, name: str, suffixes: Sequence[Suffix], dpi: int
) -> None:
    """Write a figure in some formats: the same figure gives the same bytes.

    Args:
        figure: Is laid out, and not again.
        folder: Where to; made if missing.
        name: Of the files.
        suffixes: Of the files.
        dpi: Resolution of pixels, dots per inch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once; it need not be again for each file
    for suffix in suffixes:
        salted = matplotlib.rc_context({"svg.hashsalt": "massm"})  # else ids are random
        with salted, replacing(folder / f"{name}.{suffix}") as path:
            figure.savefig(path, format=suffix, dpi=dpi, metadata=_UNDATED.get(suffix))


def data_address(data: bytes, kind: str) -> str:
    """Write bytes as an address that a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def gray_picture(pixels: "Image.Image") -> str:
    """Write a gray picture as a ``data:`` address."""
    buffer = io.BytesIO()
    pixels.save(buffer, "WEBP", quality=78, method=4)
    return data_address(buffer.getvalue(), "image/webp")
