"""Make the report: figures, the table of results, and one HTML page."""

import json
import logging
from datetime import datetime
from pathlib import Path

import matplotlib as mpl

from massm.config.loading import Config
from massm.config.models.pca_oracle import PcaOracleConfig
from massm.io.atomic import replacing
from massm.io.tables import write_table
from massm.report.figures.gallery import Gallery
from massm.report.figures.style import STYLE
from massm.report.naming import Names
from massm.report.page import build_page
from massm.report.run.claims import tell_claims
from massm.report.run.headline import headline_table, log_text
from massm.report.run.model_costs import model_costs
from massm.report.run.shown import choose_shown
from massm.report.run.sources import read_run
from massm.report.sections.section import Material
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: Config,
    *,
    results: Path,
    groomed: list[Path],
    training: list[Path],
    measured: list[Path],
    page: Path,
    table: Path,
    figures: Path,
    coverage: Path | None = None,
) -> None:
    """Read what the other stages wrote; write the page, its figures and the table of results.

    Args:
        config: The whole configuration: it is shown on the page.
        results: Results folder that all else is read from.
        groomed: ``groom/index/*.tsv`` of this run; older ones may lie beside them.
        training: ``train/{model}/curves.csv``.
        measured: ``evaluate/{model}/{local,world,detection}.csv``.
        page: HTML file to write.
        table: CSV of the results to write.
        figures: Folder for the figures.
        coverage: ``evaluate/coverage.csv``; without, the page says nothing of how sure models are.
    """
    tables = read_run(
        results,
        config.anatomies,
        groomed=groomed,
        training=training,
        measured=measured,
        joint=config.correspond.joint,
        coverage=coverage,
    )
    names = Names.of(config.entries, config.evaluate.reference_model, config.variants)
    shown = choose_shown(tables, config.evaluate, names)
    material = Material(
        run=tables,
        shown=shown,
        config=config.report,
        configuration=json.loads(config.model_dump_json()),
        oracle_modes=_oracle_modes(config),
        claims=tell_claims(tables.claims, config.evaluate.claims, config.anatomies, shown),
        costs=model_costs(config, tables, shown),
        gallery=Gallery(figures, config.report.figure_dpi),
        made=datetime.now().astimezone(),
    )
    with mpl.rc_context(STYLE):
        html = build_page(material)
    with replacing(page) as temporary:
        temporary.write_text(html, encoding="utf-8")
    write_table(headline_table(tables.summary, tables.tests, shown.model), table)
    log.info("%s: %.1f MB", page, page.stat().st_size / 1e6)
    log.info("%s", log_text(shown, config.anatomies, material.claims))


def _oracle_modes(config: Config) -> int | None:
    """Return the modes of the PCA projection; None for all of them."""
    for entry in config.entries.values():
        if isinstance(entry, PcaOracleConfig) and isinstance(entry.modes, int):
            return entry.modes
    return None


if __name__ == "__main__":
    stage_main(run)
