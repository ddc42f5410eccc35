"""How a stage fails: one message that says what, where and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from massm.io.errors import DataError
from massm.stages._command import parse, stage_main


def test_bad_input_ends_with_1_and_names_what_was_worked_on(caplog):
    def run():
        error = DataError("the mask is empty")
        error.add_note("while working on s0012 spleen")
        raise error

    with pytest.raises(SystemExit) as caught:
        stage_main(run, [])
    assert caught.value.code == 1
    assert caplog.messages == ["the mask is empty\n  while working on s0012 spleen"]


def test_a_mistake_in_the_code_keeps_its_traceback():
    def run():
        raise KeyError("oops")

    with pytest.raises(KeyError):
        stage_main(run, [])


def test_names_and_folders_that_begin_with_a_dash_are_values():
    def run(*, results: Path, subjects: list[str], threads: int = 1):
        """Take arguments."""

    given = ["--results", "-x/y", "--subjects", "-1", "s2", "-s 3", "--threads", "2"]
    assert parse(run, given) == {
        "results": Path("-x/y"),
        "subjects": ["-1", "s2", "-s 3"],
        "threads": 2,
    }
    with pytest.raises(SystemExit):
        parse(run, [*given, "--unknown", "1"])


@pytest.mark.parametrize("kind", ["DataError", "KeyError"])
@pytest.mark.parametrize("room", [0, 20, 10**6])
def test_a_reason_that_the_log_does_not_take_reaches_the_terminal(tmp_path, kind, room):
    code = (
        "import resource\n"
        "from massm.io.errors import DataError\n"
        "from massm.stages._command import stage_main\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"  # a disk with this left
        f"def run(): raise {kind}('free some space')\n"
        "stage_main(run, [])"
    )
    ours, terminal = os.pipe()
    with (tmp_path / "log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            stdout=log,
            stderr=log,
            pass_fds=[terminal],
            env={**os.environ, "MASSM_TERMINAL": str(terminal)},
        )
    os.close(terminal)
    said = os.read(ours, 10000).decode()
    os.close(ours)
    assert done.returncode != 0
    in_log = "free some space" in (tmp_path / "log").read_text()
    assert in_log == (room == 10**6)
    assert ("free some space" in said) != in_log
