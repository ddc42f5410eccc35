"""The paper's figures of a run whose errors are known: along x, the same everywhere."""

import numpy as np
import pytest

from massm.report.figures.paper import FIGURES, Measured
from massm.report.naming import Names
from massm.report.run.reconstructions import Reconstructions
from massm.report.run.rivals import methods_of, rivals_of, shown_rival, with_errors
from massm.report.shapes.heat import best_case, distances, extreme_cases, heat_map, same_case
from tests.evaluate.synthetic import ANATOMIES, MISSED
from tests.report.names import NAMES

RIVALS = Names(
    labels={"massm": "MASSM", "deepssm_local": "DeepSSM"},
    bounds=("truth",),
    knowing=("truth",),
    order=("massm", "mean_shape", "deepssm_local", "truth"),
)


@pytest.fixture
def measured(run, evaluated):
    values = run.values[run.values["split"] == "test"]
    return Measured(values, ANATOMIES, NAMES, Reconstructions(evaluated))


def words(figure):
    """All that is written on a figure, and on its parts."""
    parts = [figure, *figure.subfigs]
    texts = [text for part in parts for text in part.texts]
    texts += [part._suptitle for part in parts if part._suptitle]
    for axes in figure.axes:
        texts += [axes.title, axes._left_title, *axes.texts, *axes.get_yticklabels()]
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    return [text.get_text().replace("\n", " ") for text in [*texts, *legends] if text.get_text()]


def test_figures_2_and_3_have_the_papers_measure_and_ours(measured, style):
    for name in ("figure_2a", "figure_2b", "figure_3a", "figure_3b"):
        said = words(FIGURES[name](measured))
        assert any("(the paper's)" in text for text in said), name
        assert any("(ours)" in text for text in said), name
        assert ("MASSM CVAE" in said) == name.startswith("figure_3")


def test_a_heat_map_is_the_distance_from_the_true_reconstruction(measured):
    for values in (measured.local, measured.world):
        method = next(m for m in methods_of(values, NAMES) if m[0] == "massm")
        one = heat_map(best_case(values, method), measured.surfaces)
        assert one.error.shape == (len(one.true.vertices),)
        assert 1.8 < one.error.max() <= 2.0 + 1e-6  # moved by 2 mm: less beside the surface
        assert one.error.min() < 0.5


def test_a_world_surface_is_compared_in_the_world_frame(measured):
    local = best_case(measured.local, ("massm", "local"))
    true = measured.surfaces.true(local.subject, local.anatomy, "local")
    moved = measured.surfaces.true(local.subject, local.anatomy, "cvae")
    assert np.abs(true.vertices.mean(0) - moved.vertices.mean(0)).max() > 5
    assert np.abs(moved.vertices.mean(0)).max() < 5  # aligned: about the origin


def test_figures_4_show_one_case_of_all_models_with_the_rivals_error_in_words(measured, style):
    for name, label in (("figure_4a", "Mean shape"), ("figure_4b", "Mean shape")):
        figure = FIGURES[name](measured)
        said = words(figure)
        assert any(f"the best case of {label} (" in text for text in said), name
        pictures = [axes for axes in figure.axes if axes.collections and axes.get_label() == ""]
        methods = 3 if name == "figure_4a" else 4  # true particles have no error to show
        assert len(pictures) == 2 * methods
        assert not any(text.startswith("True particles") for text in said)


def test_the_rival_is_the_named_one_else_the_best_and_a_bound_only_without_one(measured):
    values = distances(measured.local)
    assert shown_rival(values, NAMES, "deepssm_local") == ("mean_shape", "local")
    assert shown_rival(values, NAMES, "pca_oracle") == ("pca_oracle", "local")
    assert shown_rival(values, RIVALS, "deepssm_local") == ("pca_oracle", "local")
    assert rivals_of(methods_of(values, RIVALS), RIVALS) == [
        ("mean_shape", "local"),
        ("pca_oracle", "local"),
    ]
    variants = RIVALS.model_copy(update={"variants": ("mean_shape",)})
    assert rivals_of(methods_of(values, variants), variants) == [("pca_oracle", "local")]
    ours = values[values["model"].isin(["massm", "truth"])]
    assert shown_rival(ours, NAMES, "deepssm_local") == ("massm", "local")
    assert shown_rival(values.iloc[:0], NAMES, "deepssm_local") is None


def test_what_has_no_error_is_not_shown(measured):
    values = distances(measured.local)
    methods = methods_of(values, NAMES)
    assert ("truth", "local") in methods
    assert ("truth", "local") not in with_errors(values, methods)


def test_a_model_that_missed_a_case_is_told_to_have_missed_it(measured, style):
    subject, anatomy = MISSED
    values = measured.values
    only = (values["subject"] == subject) & (values["anatomy"] == anatomy)
    oracle = best_case(values[only], ("pca_oracle", "local"))
    found = same_case(values, oracle, [("massm", "local"), ("pca_oracle", "local")])
    assert found == [None, oracle]
    values = values.assign(value=values["value"].where(only, values["value"] + 10))
    names = NAMES.model_copy(update={"bounds": ("truth",), "knowing": ("truth",)})
    figure = FIGURES["figure_4a"](Measured(values, ANATOMIES, names, measured.surfaces))
    said = words(figure)
    assert any(text.startswith(f"Kidney left of subject {subject}") for text in said)
    assert {text for text in said if text.endswith(" missed")} == {
        "MASSM missed",
        "Mean shape missed",
    }


def test_supplementary_figures_have_the_best_and_the_worst_case_of_each(measured, style):
    for name, methods in (("figure_s5", 3), ("figure_s6", 4)):
        figure = FIGURES[name](measured)
        pictures = [axes for axes in figure.axes if axes.collections and not axes.axison]
        assert len(pictures) == 2 * len(ANATOMIES) * methods
        said = words(figure)
        assert said.count("best") == said.count("worst") == len(ANATOMIES)
    best, worst = extreme_cases(measured.local, ("massm", "local"), "spleen")
    assert best.distance_mm <= worst.distance_mm
    own = distances(measured.local)
    own = own[(own["model"] == "massm") & (own["anatomy"] == "spleen")]["value"]
    assert (best.distance_mm, worst.distance_mm) == (own.min(), own.max())


def test_a_run_without_world_particles_has_no_world_figures(measured, style):
    local = Measured(measured.local, ANATOMIES, NAMES, measured.surfaces)
    made = {name for name, draw in FIGURES.items() if draw(local) is not None}
    assert made == {"figure_2a", "figure_2b", "figure_4a", "figure_s5"}
