"""The command in this process."""

import pytest
from typer.testing import CliRunner

from massm.cli.app import app


@pytest.fixture
def command():
    """Call ``massm`` with some words; returns exit_code, stdout, stderr."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
