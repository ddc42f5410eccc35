"""The page: everything in one file that opens without a network."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import jinja2
import pandas as pd
import yaml
from plotly.offline import get_plotlyjs

from massm.config.evaluate import EvaluateConfig
from massm.config.report import ReportConfig
from massm.evaluate.attrition import NO_SPLIT
from massm.evaluate.measures import describe
from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.scopes import ALL, WITH_MISSED
from massm.evaluate.statistics import FEW
from massm.io.particles import load_set
from massm.machine.versions import package_versions
from massm.report import cohort as cohorts
from massm.report.attrition import attrition_table
from massm.report.detection import count_found, detection_rows, within_measures
from massm.report.facts import file_hashes, machine
from massm.report.figures import box_plot, center_errors, shape_model_curves, training_curves
from massm.report.gallery import Gallery, Picture
from massm.report.joint import NAME as JOINT
from massm.report.joint import joint_view
from massm.report.naming import anatomy_label, model_label, sample_size
from massm.report.organs import organ_views, scroll_view
from massm.report.rendering import CHANGE_COLORS, ERROR_COLORS
from massm.report.results import ResultTable, interval, number, p_value, result_tables
from massm.report.shape_views import shape_views
from massm.report.sources import RunTables
from massm.report.subjects import subject_matrix
from massm.report.timing import stage_costs

log = logging.getLogger(__name__)

_BOXES = ("surface_mean", "particle_rmse", "dice")


@dataclass(frozen=True)
class Card:
    """One number at the top of the page."""

    value: str
    unit: str
    label: str
    detail: str


@dataclass(frozen=True)
class Compared:
    """Tables and box plots of one frame."""

    tables: list[ResultTable]
    pictures: list[Picture]


@dataclass(frozen=True)
class Shown:
    """What of the run is on the page: one split, and the model in the middle of attention.

    Attributes:
        split: Its name.
        model: The model that cases and detection are shown of.
        values: The split's measures of single organs.
        summary: The split's summary.
        tests: The split's paired tests.
        organs: What became of the split's organs, and of those in no split.
        confidence: Level of the intervals in percent, as text.
    """

    split: str
    model: str
    values: pd.DataFrame
    summary: pd.DataFrame
    tests: pd.DataFrame
    organs: pd.DataFrame
    confidence: str


def shown(run: RunTables, config: EvaluateConfig) -> Shown:
    """Choose what is shown: the test split if it was measured, and the reference model if it was.

    Otherwise the last split measured and the first model.
    """
    splits = list(dict.fromkeys(run.values["split"]))
    split = "test" if "test" in splits else splits[-1]
    models = sorted(set(run.values["model"]))
    model = config.reference_model if config.reference_model in models else models[0]
    return Shown(
        split=split,
        model=model,
        values=_of_split(run.values, split),
        summary=_of_split(run.summary, split),
        tests=_of_split(run.tests, split),
        organs=run.organs[run.organs["split"].isin([split, NO_SPLIT])],
        confidence=f"{100 * config.confidence:g}",
    )


def _of_split(table: pd.DataFrame, split: str) -> pd.DataFrame:
    return table[table["split"] == split]


def local_tables(what: Shown, anatomies: Sequence[str]) -> list[ResultTable]:
    """Make the tables of the image frame."""
    return result_tables(
        what.summary,
        what.tests,
        heads=[LOCAL],
        anatomies=anatomies,
        reference_model=what.model,
    )


def build_page(
    run: RunTables,
    what: Shown,
    config: ReportConfig,
    *,
    configuration: Mapping[str, Any],
    oracle_modes: int | None,
    gallery: Gallery,
    made: datetime,
) -> str:
    """Draw every figure, fill in the template, and return the page.

    Must be called with :data:`massm.report.figures.STYLE` in force.

    Args:
        run: The run's tables.
        what: What of them is shown.
        config: What the page shows of it.
        configuration: The whole configuration of the run, to be shown.
        oracle_modes: Modes of ``pca_oracle``; None: all of the training shapes.
        gallery: Takes the figures.
        made: When.
    """
    local = _compared(what, [LOCAL], run.anatomies, "local", gallery)
    world_heads = sorted(set(what.summary["head"]) - {LOCAL, DETECTION})
    world = _compared(what, world_heads, run.anatomies, "world", gallery) if world_heads else None
    log.info("tables and box plots done")
    scroll = scroll_view(run, what.values, what.model, config, gallery)
    organs = organ_views(run, what.values, what.model, config, gallery)
    shapes = shape_views(run, config, gallery)
    joint = joint_view(run, config, gallery)
    costs = stage_costs(run.results / "benchmarks")
    data = {
        "organs": {view.name: view.cases for view in organs},
        "modes": {view.name: view.modes_data for view in shapes if view.modes_data}
        | ({JOINT: joint.modes_data} if joint else {}),
        "scroll": scroll.data if scroll else None,
        "error_colors": ERROR_COLORS,
        "change_colors": CHANGE_COLORS,
    }
    context = {
        "config": config,
        "made": made,
        "split": what.split,
        "model": model_label(what.model),
        "anatomies": [anatomy_label(name) for name in run.anatomies],
        "confidence": what.confidence,
        "few": FEW,
        "oracle_modes": "all" if oracle_modes is None else str(oracle_modes),
        "attrition": attrition_table(what.organs, run.anatomies),
        "cards": cards(what, costs),
        "scroll": scroll,
        "organs": organs,
        "local": local,
        "matrix": subject_matrix(
            what.values,
            run.cohort,
            model=what.model,
            measure="surface_mean",
            split=what.split,
            anatomies=run.anatomies,
        ),
        "world": world,
        "detection": detection_rows(what.summary, what.values, what.model, run.anatomies),
        "within": [label for _, label in within_measures(what.summary)],
        "detection_picture": gallery.add(
            center_errors(what.values, what.model, run.anatomies),
            "detection",
            "share of organs whose center is found within a distance",
            "lines",
        ),
        "shapes": shapes,
        "curves_picture": gallery.add(
            shape_model_curves(run.curves, run.anatomies),
            "shape_model",
            "compactness, specificity and generalization (particles, surface) of the shape models "
            "against the number of modes, one line for each anatomy",
            "lines",
        ),
        "joint": joint,
        "quality": cohorts.quality_rows(run.quality, run.groomed, run.anatomies),
        "training": [
            gallery.add(
                training_curves(history, model),
                f"training_{model}",
                f"training curves of {model_label(model)}",
                "lines",
            )
            for model, history in run.histories.items()
        ],
        "counts": cohorts.split_counts(run.subjects, run.cohort, run.anatomies),
        "exclusions": cohorts.exclusions(
            *(run.subjects, run.cohort, run.groomed),
            particles=_with_particles(run),
            unaligned=run.unaligned,
        ),
        "groom": cohorts.groom_rows(run.groomed, run.anatomies),
        "configuration": yaml.safe_dump(dict(configuration), sort_keys=False, width=90),
        "versions": package_versions(),
        "machine": machine(),
        "hashes": file_hashes(run.results),
        "costs": costs.to_dict("records"),
        "longest_cost": float(costs["hours"].max()) if len(costs) else 0.0,
        "data": _for_script(data),
        "plotly": get_plotlyjs(),
        "style": _part("page.css"),
        "script": _part("page.js"),
    }
    return _template().render(context)


def _compared(
    what: Shown, heads: Sequence[str], anatomies: Sequence[str], frame: str, gallery: Gallery
) -> Compared:
    tables = result_tables(
        what.summary,
        what.tests,
        heads=heads,
        anatomies=anatomies,
        reference_model=what.model,
    )
    values = what.values[what.values["head"].isin(list(heads))]
    pictures = [
        gallery.add(
            box_plot(values, measure, anatomies),
            f"box_{frame}_{measure}",
            f"box plots of {describe(measure).label}, {frame} frame",
            "lines",
        )
        for measure in _BOXES
        if measure in set(values["measure"])
    ]
    return Compared(tables, pictures)


def cards(what: Shown, costs: pd.DataFrame) -> list[Card]:
    """Choose the numbers at the top of the page."""
    found = count_found(what.values, what.model)
    absent = f"{found.invented} invented, {found.absent} known absent" if found.absent else ""
    made = [
        Card(
            f"{found.present - found.missed}",
            f"of {found.present}",
            "organs found",
            absent or "no organ is known to be absent",
        )
    ]
    own = what.summary[(what.summary["model"] == what.model) & (what.summary["head"] == LOCAL)]
    own = own[own["counting"] != WITH_MISSED]
    overall = own[own["scope"] == ALL]
    if overall.empty:
        overall = own
    rows = overall.set_index("measure").to_dict("index")
    for measure, label in (
        ("surface_mean", "mean surface distance to the segmentation"),
        ("dice", "Dice with the segmentation"),
        ("particle_rmse", "particle RMSE"),
    ):
        if measure in rows:
            row = rows[measure]
            unit = str(row["unit"])
            spread = interval(float(row["ci_low"]), float(row["ci_high"]), unit)
            middle = f"median {number(float(row['median']), unit)}, {sample_size(row)}"
            detail = f"{what.confidence} % CI {spread}; {middle}" if spread else middle
            value = number(float(row["mean"]), unit)
            made.append(Card(value, "mm" if unit == "mm" else "", label, detail))
    made += _bound_card(what)
    if len(costs):
        hours = float(costs["hours"].sum())
        value, unit = (f"{hours:.1f}", "h") if hours >= 1 else (f"{60 * hours:.0f}", "min")
        peak = f"at most {costs['memory_gib'].max():.1f} GiB in a job"
        made.append(Card(value, unit, "of computing, all jobs together", peak))
    return made


def _bound_card(what: Shown) -> list[Card]:
    tests = what.tests
    if tests.empty:
        return []
    pair = tests[
        (tests["measure"] == "surface_mean")
        & (tests["model_a"] == what.model)
        & (tests["head_a"] == LOCAL)
        & (tests["model_b"] == "mean_shape")
        & (tests["counting"] != WITH_MISSED)
    ]
    overall = pair[pair["scope"] == ALL]
    row = overall if len(overall) else pair
    if row.empty:
        return []
    first = row.iloc[0]
    word = "closer" if first["difference"] < 0 else "farther"
    p = p_value(float(first["p_holm"]))
    detail = f"than the mean shape at the same center, {p}, {sample_size(first)}"
    return [Card(f"{abs(first['difference_percent']):.0f}", "%", f"{word} to the surface", detail)]


def _with_particles(run: RunTables) -> set[tuple[str, str]]:
    return {
        (subject, anatomy)
        for anatomy in run.anatomies
        for subject in load_set(run.results / "correspond" / f"{anatomy}.npz").subjects
    }


def _for_script(data: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _part(name: str) -> str:
    return (resources.files("massm.report") / name).read_text(encoding="utf-8")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment.get_template("page.html.j2")


def duration(hours: float) -> str:
    """Write a time for people."""
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{60 * hours:.1f} min" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"
