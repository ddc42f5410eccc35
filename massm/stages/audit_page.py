"""Show the most suspicious masks on the slices of their scans."""

import logging
from collections.abc import Hashable
from pathlib import Path

import matplotlib as mpl

from massm.audit.reading import read_mask
from massm.config.audit import AuditPageConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.atomic import replacing
from massm.io.cohort import AnatomyRecord, read_cohort
from massm.io.errors import FAILURES
from massm.io.images import read_scan
from massm.io.tables import read_table
from massm.report.audit_page import Suspect, build_page
from massm.report.figures.style import STYLE
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: AuditPageConfig,
    *,
    masks: Path,
    cohort: Path,
    surfaces: list[Path],
    window_low: float,
    window_high: float,
    page: Path,
) -> None:
    """Write the page.

    Args:
        config: What it shows.
        masks: ``audit/masks.csv``.
        cohort: ``dataset/cohort.tsv``.
        surfaces: Folders of a model's surfaces, ``{subject}/{anatomy}.vtp``; the first that has an
            anatomy counts. May be none.
        window_low: Shown as black, HU.
        window_high: Shown as white, HU.
        page: HTML to write.
    """
    table = read_table(masks)
    files = {(row.subject, row.anatomy): row for row in read_cohort(cohort)}
    ranked = table[table["rank"].notna()]
    suspects = []
    for row in ranked.head(config.shown).to_dict("records"):
        key = (row["subject"], row["anatomy"])
        try:
            suspects.append(_suspect(files[key], row, surfaces))
        except FAILURES as error:
            log.warning("%s %s cannot be drawn: %s", *key, error)
    with mpl.rc_context(STYLE):
        text = build_page(table, suspects, config.look_at, (window_low, window_high))
    with replacing(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    log.info("%s: %d masks drawn", page, len(suspects))


def _suspect(file: AnatomyRecord, row: dict[Hashable, object], surfaces: list[Path]) -> Suspect:
    mask = read_mask(file.file)
    image = None if file.image is None else read_scan(file.image).volume
    surface = isosurface(mask.with_array(mask.array.astype(float)), 0.5)
    return Suspect(row, image, surface, _predicted(file, surfaces))


def _predicted(file: AnatomyRecord, surfaces: list[Path]) -> Mesh | None:
    paths = [folder / file.subject / f"{file.anatomy}.vtp" for folder in surfaces]
    return next((meshes.read(path) for path in paths if path.is_file()), None)


if __name__ == "__main__":
    stage_main(run)
