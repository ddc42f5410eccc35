"""The command as a whole: help, version, completion, and that they come at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import massm

ROOT = Path(__file__).parents[2]
SLOW = ("torch", "vtkmodules", "itk")
HEAVY = (*SLOW, "pandas", "scipy", "numpy")


def test_the_version_is_said(command):
    assert command("--version").stdout == f"massm {massm.__version__}\n"


def test_every_command_has_help(command):
    for name in ("predict", "fit", "info", "models", "doctor"):
        assert name in command("--help").stdout
        assert command(name, "--help").exit_code == 0


def test_what_is_missing_or_unknown_is_an_error_of_usage(command):
    assert command("predict", "ct.nii.gz").exit_code == 2
    assert command("predikt").exit_code == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from massm.cli.app import app\n"
        "app(['predict', '--help'], standalone_mode=False)\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "loaded: []" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["models"], ["info", "head-neck"], ["--version"]])
def test_what_a_model_is_is_said_without_loading_torch(words):
    code = (
        "import sys\n"
        "from massm.cli.app import app\n"
        f"app({words}, standalone_mode=False)\n"
        f"print('loaded:', [name for name in {SLOW} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_completion_can_be_shown():
    done = subprocess.run(
        [sys.executable, "-m", "massm.cli"],
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "_MASSM_COMPLETE": "complete_bash"}
        | {"COMP_WORDS": "massm pre", "COMP_CWORD": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.split() == ["predict"]
