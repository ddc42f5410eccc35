from dataclasses import replace

import pandas as pd
import pytest

from massm.config.loading import load_config, merge, read_yaml
from massm.io import documents
from massm.io.tables import write_table
from massm.report.run.model_costs import model_costs, needed_models
from massm.report.run.shown import choose_shown
from massm.report.run.words import DASH
from tests.evaluate.synthetic import ANATOMIES, CONFIG
from tests.report.names import NAMES
from tests.report.test_stage import ROOT


def spent(folder, name, seconds, processor, memory_mb):
    row = {"s": [seconds], "max_rss": [memory_mb], "cpu_time": [processor]}
    write_table(pd.DataFrame(row), folder / "benchmarks" / f"{name}.tsv")


@pytest.fixture
def settings():
    changes = {
        "anatomies": list(ANATOMIES),
        "train": {"accelerator": "cpu", "precision": "32-true"},
        "models": {
            "massm": {"refine": {"steps": 2}},
            "fitted": {"family": "surface_fit", "label": "Fitted", "surfaces_of": "massm"},
            "massm_unrefined": {
                "family": "variant",
                "label": None,
                "of": "massm",
                "changes": {"refine_updates": 0},
            },
        },
    }
    return load_config(merge(read_yaml(ROOT / "config.yaml"), changes))


@pytest.fixture
def costs(run, settings, tmp_path):
    """Of a run with 7 predicted subjects (6 of test, 1 of validation)."""
    for name, facts in {
        "train/massm": (4000, 7200, 3072),
        "predict/massm": (70, 140, 2048),
        "predict/massm_unrefined": (35, 70, 1024),
        "predict/mean_shape": (7, 7, 512),
        "predict/fitted": (14, 14, 512),
        "reconstruct/massm": (7, 14, 512),
        "reconstruct/massm_unrefined": (7, 7, 512),
        "reconstruct/mean_shape": (14, 14, 4096),
        "reconstruct/fitted": (21, 21, 512),
    }.items():
        spent(tmp_path, name, *facts)
    trained = {"trained": {"parameters": 1_230_000}}
    documents.write_json(trained, tmp_path / "train" / "massm" / "model.json")
    shown = choose_shown(run, CONFIG, NAMES)
    return model_costs(settings, replace(run, results=tmp_path), shown)


def test_a_models_own_cost_is_that_of_its_jobs(costs):
    ours = costs[0]
    assert (ours.model, ours.weights, ours.training) == ("MASSM", "1.23 M", "2.0 h CPU")
    assert (ours.scan, ours.processor, ours.memory) == ("11.0", "22.0", "2.0")
    assert (ours.surface_mean[:2], ours.local_rmse, ours.includes) == ("0.", "0.67", "")


def test_a_model_that_reads_boxes_costs_what_finds_them_too(costs):
    mean = next(cost for cost in costs if cost.model == "Mean shape")
    assert mean.includes == "training and prediction of MASSM"
    assert (mean.scan, mean.memory) == (f"{(70 + 7 + 14) / 7:.1f}", "4.0")
    assert mean.training == "2.0 h CPU"


def test_a_model_that_reads_surfaces_costs_what_makes_them_too(costs):
    fitted = next(cost for cost in costs if cost.model == "Fitted")
    assert fitted.scan == f"{(70 + 7 + 14 + 21) / 7:.1f}"


def test_a_variant_costs_the_training_of_its_weights_and_its_own_prediction(costs):
    variant = next(cost for cost in costs if cost.model == "Massm unrefined")
    assert (variant.weights, variant.training) == ("1.23 M", "2.0 h CPU")
    assert variant.scan == f"{(35 + 7) / 7:.1f}"
    assert variant.includes == "training of MASSM"


def test_what_is_told_the_truth_has_no_cost(costs):
    assert {"PCA projection", "True particles"}.isdisjoint(cost.model for cost in costs)


def test_networks_of_single_anatomies_are_added_up(run, settings, tmp_path):
    for part in ANATOMIES:
        spent(tmp_path, f"train/massm/{part}", 1800, 3600, 1024)
        document = {"trained": {"parameters": 500_000}}
        documents.write_json(document, tmp_path / "train" / "massm" / part / "model.json")
    shown = choose_shown(run, CONFIG, NAMES)
    ours = model_costs(settings, replace(run, results=tmp_path), shown)[0]
    assert (ours.weights, ours.training, ours.scan) == ("1.00 M", "2.0 h CPU", DASH)


def test_a_training_on_gpus_is_counted_in_their_hours(run, settings, tmp_path):
    spent(tmp_path, "train/massm", 3600, 9000, 1024)
    changes = {"accelerator": "gpu", "devices": 2}
    on_gpus = settings.model_copy(update={"train": settings.train.model_copy(update=changes)})
    ours = model_costs(on_gpus, replace(run, results=tmp_path), choose_shown(run, CONFIG, NAMES))[0]
    assert ours.training == "2.0 h GPU"
    assert ours.weights == DASH


def test_models_are_needed_after_those_that_they_need(settings):
    assert needed_models("mean_shape", settings.entries) == ["massm", "mean_shape"]
    assert needed_models("massm_unrefined", settings.entries) == ["massm_unrefined"]
