import logging

import matplotlib as mpl
import pytest

from massm.config.loading import load_config, merge, read_yaml
from massm.report.figures import STYLE
from massm.report.sources import read_run
from massm.stages import report
from tests.evaluate.synthetic import ANATOMIES
from tests.report.test_stage import ROOT

SMALL = {"mesh_faces": 300, "slices": 5, "modes": 2, "figure_dpi": 50, "title": "Shape & <organs>"}


@pytest.fixture(scope="session")
def config():
    """The paper's configuration with two anatomies and a small report."""
    changes = {"anatomies": list(ANATOMIES), "report": SMALL}
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


@pytest.fixture(scope="session")
def made(config, evaluated, tmp_path_factory):
    """The folder of a report, with what the stage logged as ``log.txt``."""
    folder = tmp_path_factory.mktemp("report")
    handler = logging.FileHandler(folder / "log.txt")
    logger = logging.getLogger("massm")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    paths = {"page": folder / "report.html", "table": folder / "results.csv"}
    report.run(config, results=evaluated, **paths, figures=folder / "figures")
    logger.removeHandler(handler)
    logger.setLevel(level)
    handler.close()
    return folder


@pytest.fixture
def run(evaluated):
    return read_run(evaluated, ANATOMIES)


@pytest.fixture
def style():
    with mpl.rc_context(STYLE):
        yield
