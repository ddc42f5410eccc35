"""The top of the page: what this is, of whom, and the numbers that matter most."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.scopes import ALL, WITH_MISSED
from massm.report.naming import Method, anatomy_label, sample_size
from massm.report.palette import Look, method_looks
from massm.report.run.detection import count_found
from massm.report.run.shown import Shown
from massm.report.run.standing import RankTable, make_standing
from massm.report.run.words import interval, number, p_value
from massm.report.sections.section import Material
from massm.report.sections.templates import fill

_MEASURES = (
    ("surface_mean", "mean surface distance to the segmentation"),
    ("dice", "Dice with the segmentation"),
    ("particle_rmse", "particle RMSE"),
)


@dataclass(frozen=True)
class Card:
    """One number at the top of the page."""

    value: str
    unit: str
    label: str
    detail: str


def render(material: Material) -> str:
    """Make what stands above the navigation."""
    shown = material.shown
    return fill(
        "sections/overview",
        title=material.config.title,
        model=shown.names.model(shown.model),
        split=shown.split,
        anatomies=[anatomy_label(name) for name in material.run.anatomies],
        made=material.made,
        standings=standings(shown, material.run.anatomies),
        cards=cards(shown, material.run.costs),
    )


@dataclass(frozen=True)
class FrameStanding:
    """Who wins in one frame."""

    key: str
    title: str
    standing: RankTable
    looks: dict[Method, Look]


def standings(shown: Shown, anatomies: Sequence[str]) -> list[FrameStanding]:
    """Make the table of who wins in each frame; none of a frame in which nobody rivals."""
    world = [head for head in shown.summary["head"].unique() if head not in (LOCAL, DETECTION)]
    frames = (("image", "In the image", [LOCAL]), ("aligned", "In the aligned frame", world))
    made = []
    for key, title, heads in frames:
        standing = make_standing(shown, heads, anatomies)
        if standing is not None:
            methods = [row.method for row in (*standing.rivals, *standing.bounds)]
            looks = method_looks(methods, shown.names)
            made.append(FrameStanding(key, title, standing, looks))
    return made


def cards(shown: Shown, costs: pd.DataFrame) -> list[Card]:
    """Choose the numbers at the top of the page."""
    return [
        _found_card(shown),
        *_measure_cards(shown),
        *_bound_card(shown),
        *_cost_card(costs),
    ]


def _found_card(shown: Shown) -> Card:
    found = count_found(shown.values, shown.model)
    positives = "false positive" if found.false_positives == 1 else "false positives"
    detail = f"{found.false_positives} {positives}, {found.absent} known absent"
    return Card(
        f"{found.present - found.missed}",
        f"of {found.present}",
        "structures found",
        detail if found.absent else "none is known to be absent",
    )


def _measure_cards(shown: Shown) -> list[Card]:
    own = shown.summary[(shown.summary["model"] == shown.model) & (shown.summary["head"] == LOCAL)]
    own = own[own["counting"] != WITH_MISSED]
    overall = own[own["scope"] == ALL]
    rows = (own if overall.empty else overall).set_index("measure").to_dict("index")
    made = []
    for measure, label in _MEASURES:
        if measure not in rows:
            continue
        row = rows[measure]
        unit = str(row["unit"])
        spread = interval(float(row["ci_low"]), float(row["ci_high"]), unit)
        middle = f"median {number(float(row['median']), unit)}, {sample_size(row)}"
        detail = f"{shown.confidence} % CI {spread}; {middle}" if spread else middle
        value = number(float(row["mean"]), unit)
        made.append(Card(value, "mm" if unit == "mm" else "", label, detail))
    return made


def _bound_card(shown: Shown) -> list[Card]:
    tests = shown.tests
    if tests.empty:
        return []
    pair = tests[
        (tests["measure"] == "surface_mean")
        & (tests["model_a"] == shown.model)
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


def _cost_card(costs: pd.DataFrame) -> list[Card]:
    if costs.empty:
        return []
    hours = float(costs["hours"].sum())
    value, unit = (f"{hours:.1f}", "h") if hours >= 1 else (f"{60 * hours:.0f}", "min")
    peak = f"at most {costs['memory_gib'].max():.1f} GiB in a job"
    return [Card(value, unit, "of computing, all jobs together", peak)]
