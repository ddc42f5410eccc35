import pytest

from massm.io.errors import DataError
from massm.pdm.shapeworks.program import find_program, optimize_parameters


def test_a_missing_program_is_one_sentence_that_says_how_to_get_it(settings):
    shapeworks = settings.shapeworks.model_copy(update={"program": "no-such-command"})
    with pytest.raises(DataError, match=r"no command 'no-such-command' was found; install"):
        find_program(shapeworks)


def test_a_version_too_old_for_the_project_format_is_refused(configured):
    advice = r"version 6\.2, project files \.swproj need 6\.4 or newer; set .*\.project to xlsx"
    with pytest.raises(DataError, match=advice):
        find_program(configured(version="6.2.0").shapeworks)
    with pytest.raises(DataError, match=r"version 6\.0, .*\.xlsx need 6\.1 or newer; install"):
        find_program(configured(version="6.0.1", project="xlsx").shapeworks)


def test_normals_are_refused_with_spreadsheets(configured):
    config = configured(project="xlsx", use_normals=True)
    with pytest.raises(DataError, match=r"set correspond\.shapeworks\.use_normals to false, or"):
        find_program(config.shapeworks)


@pytest.mark.parametrize(("version", "tells"), [("6.1.0", False), ("6.6.1", True)])
def test_progress_is_asked_for_where_the_version_has_it(configured, version, tells):
    found = find_program(configured(version=version, project="xlsx").shapeworks)
    assert found.tells_progress is tells


def test_a_program_in_this_folder_runs_in_another(configured, tmp_path, monkeypatch):
    settings = configured().shapeworks
    monkeypatch.chdir(tmp_path)
    found = find_program(settings.model_copy(update={"program": "./shapeworks"}))
    assert found.path == str(tmp_path / "shapeworks")


def test_multiscale_is_off_where_it_would_make_more_particles_than_asked_for(configured):
    for start, expected in ((0, "0"), (16, "1"), (40, "0"), (64, "0")):
        config = configured(multiscale_particles=start)
        assert config.particles == 40
        assert optimize_parameters(config)["multiscale"] == expected


def test_every_parameter_is_text_and_procrustes_is_switched_on_with_its_interval(configured):
    values = optimize_parameters(configured(procrustes_interval=5))
    assert all(isinstance(value, str) for value in values.values())
    assert values["procrustes"] == "1"
    assert values["procrustes_interval"] == "5"
    assert optimize_parameters(configured(procrustes_interval=0))["procrustes"] == "0"
