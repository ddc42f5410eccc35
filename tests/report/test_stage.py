"""Stage report as a command: the page, its table and its figures."""

import json
import re
from pathlib import Path

from massm.config.loading import Config
from massm.io.tables import read_table
from massm.report.figures.paper import FIGURES
from massm.stages import report, report_paper
from massm.stages._command import parse
from tests.evaluate.synthetic import ANATOMIES, reported
from tests.report.names import NAMES

ROOT = Path(__file__).parents[2]


def test_stage_writes_page_table_and_figures(made):
    assert (made / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(list((made / "figures").glob("*.svg"))) > 10
    columns = read_table(made / "results.csv").columns
    assert {"mean", "ci_low", "reference_percent", "p_holm"} <= set(columns)


def test_stage_logs_the_results(made):
    text = (made / "log.txt").read_text(encoding="utf-8")
    assert "MASSM found 9 of 10 structures; false positives: 1 of 1 absent ones" in text
    assert "surface distance, mean, mm: mean (median)" in text
    assert "All anatomies, against Mean shape: MASSM 50 % lower" in text


def test_every_result_that_is_read_is_an_input_of_the_rule(made, evaluated):
    rule = (ROOT / "workflow" / "rules" / "report.smk").read_text(encoding="utf-8")
    named = re.findall(r'"<results>/([^"]*)"', rule.partition("output:")[0])
    inputs = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name)) for name in named]
    inputs += [r"groom/index/\d+\.tsv", r"evaluate/[^/]+/(local|world|detection)\.csv"]
    inputs += [r"train/massm/curves\.csv"]
    apart = ["raw/", "benchmarks/", "groom/surfaces/"]  # a table stands for them, or nothing does
    folder = f"{evaluated}/"
    lines = (made / "read.txt").read_text(encoding="utf-8").splitlines()
    read = {line.removeprefix(folder) for line in lines if line.startswith(folder)}
    read = {name for name in read if Path(folder, name).is_file()}
    assert {
        "groom/alignment/spleen.json",
        "correspond/spleen.npz",
        "train/massm/curves.csv",
    } <= read
    unnamed = {
        name
        for name in read
        if not name.startswith(tuple(apart))
        and not any(re.fullmatch(f"{pattern}(/.*)?", name) for pattern in inputs)
    }
    assert unnamed == set()


def test_the_command_line_takes_the_whole_configuration(config):
    arguments = ["--config", config.model_dump_json(), "--results", "r", "--page", "p"]
    arguments += ["--groomed", "g", "--training", "c", "--measured", "m", "n"]
    values = parse(report.run, [*arguments, "--table", "t", "--figures", "f"])
    assert isinstance(values["config"], Config)
    assert json.loads(values["config"].model_dump_json()) == json.loads(config.model_dump_json())


def test_the_papers_figures_are_written_as_vectors_and_pixels(evaluated, tmp_path):
    tables = [path for path in reported(evaluated)["measured"] if path.stem != "detection"]
    report_paper.run(
        *(NAMES,),
        anatomies=list(ANATOMIES),
        dpi=40,
        measured=tables,
        results=evaluated,
        figures=tmp_path,
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{name}.{s}" for name in FIGURES for s in ("svg", "pdf", "png")}
