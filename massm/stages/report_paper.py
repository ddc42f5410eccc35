"""Draw the paper's box plots from the tables of evaluate alone."""

import logging
from pathlib import Path

import matplotlib as mpl

from massm.report.figures.gallery import save_figure
from massm.report.figures.paper import FIGURES
from massm.report.figures.style import STYLE
from massm.report.naming import Names
from massm.report.run.shown import choose_split
from massm.report.run.sources import read_together
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    names: Names, *, anatomies: list[str], dpi: int, measured: list[Path], figures: Path
) -> None:
    """Read the long tables of all models; write each figure as SVG, PDF and PNG.

    Args:
        names: What models are called, and their order.
        anatomies: In the order of the figures.
        dpi: Resolution of the PNG files, dots per inch.
        measured: ``evaluate/{model}/{local,world}.csv``.
        figures: Folder to write.
    """
    values = read_together(measured)
    split = choose_split(values)
    values = values[values["split"] == split]
    with mpl.rc_context(STYLE):
        for name, draw in FIGURES.items():
            save_figure(draw(values, anatomies, names), figures, name, ("svg", "pdf", "png"), dpi)
            log.info("%s: %s split", figures / name, split)


if __name__ == "__main__":
    stage_main(run)
