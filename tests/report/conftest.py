"""Results of a small run, and what a section is given of them."""

import logging
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import pytest

from massm.config.loading import load_config, merge, read_yaml
from massm.report.figures.gallery import Gallery
from massm.report.figures.style import STYLE
from massm.report.page import build_page
from massm.report.run.claims import tell_claims
from massm.report.run.model_costs import model_costs
from massm.report.run.shown import choose_shown
from massm.report.run.sources import read_run
from massm.report.sections.section import Material
from massm.stages import correspond_joint, report
from tests.evaluate.synthetic import ANATOMIES, CONFIG, reported
from tests.report.many import NAMES as MANY_NAMES
from tests.report.many import all_reported, with_rivals
from tests.report.names import NAMES
from tests.report.test_stage import ROOT

SMALL = {
    "mesh_faces": 300,
    "slices": 5,
    "modes": 2,
    "figure_dpi": 50,
    "title": "Shape & <anatomies>",
}


@contextmanager
def opened(listing):
    """Write the paths of all files that Python opens meanwhile; C++ readers are not seen."""
    paths, active = set(), True

    def note(event, arguments):
        if active and event == "open" and isinstance(arguments[0], str | Path):
            paths.add(str(arguments[0]))

    sys.addaudithook(note)
    yield
    active = False
    listing.write_text("\n".join(sorted(paths)))


@pytest.fixture(scope="session")
def config():
    """The paper's configuration with two anatomies, also jointly, and a small report."""
    joint = {"anatomies": list(ANATOMIES), "pose": True}
    changes = {"anatomies": list(ANATOMIES), "report": SMALL, "correspond": {"joint": joint}}
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


@pytest.fixture(scope="session")
def evaluated(evaluated, config):
    """The results folder with the joint model of its anatomies."""
    folder = evaluated / "correspond_joint"
    correspond_joint.run(
        config.correspond.joint,
        particles=[evaluated / "correspond" / f"{name}.npz" for name in ANATOMIES],
        model=folder / "model.npz",
        scores=folder / "scores.csv",
        quality=folder / "quality.json",
    )
    return evaluated


@pytest.fixture(scope="session")
def made(config, evaluated, tmp_path_factory):
    """The folder of a report, with ``log.txt``, what the stage logged, and ``read.txt``."""
    folder = tmp_path_factory.mktemp("report")
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    logger = logging.getLogger("massm")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    paths = {"page": folder / "report.html", "table": folder / "results.csv"}
    with opened(folder / "read.txt"):
        report.run(
            config,
            results=evaluated,
            **reported(evaluated),
            **paths,
            figures=folder / "figures",
        )
    logger.removeHandler(handler)
    logger.setLevel(level)
    handler.close()
    return folder


@pytest.fixture
def run(evaluated, config):
    joint = config.correspond.joint
    return read_run(evaluated, ANATOMIES, **reported(evaluated), joint=joint)


@pytest.fixture
def material(run, config, style, tmp_path):
    """What sections are made from, with a small gallery."""
    return Material(
        run=run,
        shown=choose_shown(run, CONFIG, NAMES),
        config=config.report,
        configuration={},
        oracle_modes=10,
        claims=tell_claims(run.claims, CONFIG.claims, ANATOMIES, choose_shown(run, CONFIG, NAMES)),
        costs=model_costs(config, run, choose_shown(run, CONFIG, NAMES)),
        gallery=Gallery(tmp_path / "figures", 30),
        made=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def many_results(evaluated, tmp_path_factory):
    """A results folder of ten models."""
    return with_rivals(evaluated, tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="session")
def many(many_results, config, tmp_path_factory):
    """What the page of ten models is made from."""
    joint = config.correspond.joint
    run = read_run(many_results, ANATOMIES, **all_reported(many_results), joint=joint)
    shown = choose_shown(run, CONFIG, MANY_NAMES)
    return Material(
        run=run,
        shown=shown,
        config=config.report,
        configuration={},
        oracle_modes=10,
        claims=tell_claims(run.claims, CONFIG.claims, ANATOMIES, shown),
        costs=model_costs(config, run, shown),
        gallery=Gallery(tmp_path_factory.mktemp("many_figures"), 30),
        made=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def many_page(many, tmp_path_factory):
    """The page of ten models."""
    path = tmp_path_factory.mktemp("many_page") / "report.html"
    with mpl.rc_context(STYLE):
        path.write_text(build_page(many), encoding="utf-8")
    return path


@pytest.fixture
def style():
    with mpl.rc_context(STYLE):
        yield
