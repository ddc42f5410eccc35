"""How a stage fails: one message that says what, where and no traceback."""

import pytest

from massm.io.errors import DataError
from massm.stages._command import stage_main


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
