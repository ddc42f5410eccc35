"""Draw the paper's figures: from the tables of evaluate, and of chosen cases the surfaces."""

import logging
from pathlib import Path

import matplotlib as mpl

from massm.report.figures.gallery import save_figure
from massm.report.figures.paper import FIGURES, Measured
from massm.report.figures.style import STYLE
from massm.report.naming import Names
from massm.report.run.reconstructions import Reconstructions
from massm.report.run.shown import choose_split
from massm.report.run.sources import read_together
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    names: Names,
    *,
    anatomies: list[str],
    dpi: int,
    measured: list[Path],
    results: Path,
    figures: Path,
) -> None:
    """Read the long tables of all models; write each figure as SVG, PDF and PNG.

    What a run has nothing of (as figures 3 without a model that gives world particles) is left out,
    and the log says so.

    Args:
        names: What models are called, and their order.
        anatomies: In the order of the figures.
        dpi: Resolution of the PNG files, dots per inch.
        measured: ``evaluate/{model}/{local,world}.csv``.
        results: Results folder that surfaces and true particles are read from.
        figures: Folder to write.
    """
    values = read_together(measured)
    split = choose_split(values)
    shown = Measured(
        values[values["split"] == split], tuple(anatomies), names, Reconstructions(results)
    )
    with mpl.rc_context(STYLE):
        for name, draw in FIGURES.items():
            figure = draw(shown)
            if figure is None:
                log.info("%s: left out, this run has nothing of the kind", name)
                continue
            save_figure(figure, figures, name, ("svg", "pdf", "png"), dpi)
            log.info("%s: %s split", figures / name, split)


if __name__ == "__main__":
    stage_main(run)
