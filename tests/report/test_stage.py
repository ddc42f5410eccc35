import json
from pathlib import Path

import pytest

from massm.config.loading import Config, load_config, merge, read_yaml
from massm.io.tables import read_table
from massm.stages import report
from massm.stages._command import parse
from tests.evaluate.synthetic import ANATOMIES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config():
    changes = {"anatomies": list(ANATOMIES), "report": {"mesh_faces": 300, "slices": 3, "modes": 1}}
    changes["report"]["figure_dpi"] = 50
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


def test_stage_writes_page_table_and_figures_and_logs_the_results(
    config, results, tmp_path, caplog
):
    page, table, figures = tmp_path / "report.html", tmp_path / "results.csv", tmp_path / "figures"
    with caplog.at_level("INFO"):
        report.run(config, results=results, page=page, table=table, figures=figures)
    assert page.read_text().startswith("<!doctype html>")
    assert len(list(figures.glob("*.svg"))) == len(list(figures.glob("*.png"))) > 10
    assert {"mean", "ci_low", "reference_percent", "p_holm"} <= set(read_table(table).columns)
    assert "MASSM found 9 of 10 organs and invented 1 of 1 absent ones" in caplog.text
    assert "surface distance, mean, mm: mean (median)" in caplog.text


def test_the_command_line_takes_the_whole_configuration(config, tmp_path):
    arguments = ["--config", config.model_dump_json(), "--results", "r", "--page", "p"]
    values = parse(report.run, [*arguments, "--table", "t", "--figures", "f"])
    assert isinstance(values["config"], Config)
    assert json.loads(values["config"].model_dump_json()) == json.loads(config.model_dump_json())
