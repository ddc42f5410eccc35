import matplotlib as mpl
import pytest

from massm.report.figures import STYLE
from massm.report.sources import read_run
from tests.evaluate.synthetic import ANATOMIES, write_results
from tests.evaluate.test_stages import evaluate


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A results folder of eleven subjects up to the paired tests."""
    folder = write_results(tmp_path_factory.mktemp("report"))
    evaluate(folder)
    return folder


@pytest.fixture
def run(results):
    return read_run(results, ANATOMIES)


@pytest.fixture
def style():
    with mpl.rc_context(STYLE):
        yield
