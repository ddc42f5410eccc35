import pytest

from massm.io.errors import DataError
from massm.pdm.shapeworks.program import find_program, optimize_parameters


def test_a_missing_program_is_one_sentence_that_says_how_to_get_it(settings):
    shapeworks = settings.shapeworks.model_copy(update={"program": "no-such-command"})
    with pytest.raises(DataError, match=r"no command 'no-such-command' was found; install"):
        find_program(shapeworks)


def test_a_version_too_old_for_the_project_format_is_refused(configured):
    with pytest.raises(DataError, match=r"version 6\.2, project files \.swproj need 6\.4"):
        find_program(configured(version="6.2.0").shapeworks)


def test_every_parameter_is_text_and_procrustes_is_switched_on_with_its_interval(configured):
    values = optimize_parameters(configured(procrustes_interval=5))
    assert all(isinstance(value, str) for value in values.values())
    assert values["procrustes"] == "1"
    assert values["procrustes_interval"] == "5"
    assert optimize_parameters(configured(procrustes_interval=0))["procrustes"] == "0"
