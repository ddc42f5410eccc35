"""The part of a model card that says how good the model is: one row for each anatomy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from massm.inference.facts import Facts
from massm.models.saved import Description

_SPLITS = ("test", "validation", "train")
_FOUND, _KNOWN = "found", "known"
_NONE = "-"


def performance(description: Description, facts: Facts) -> Iterator[str]:
    """Write how good the model was in its run, with intervals."""
    yield "## How good it is"
    yield ""
    split = measured_split(facts)
    if split is None:
        yield "Not measured in the run that made this folder (`bundle.metrics: false`)."
        return
    percent = f"{100 * facts.confidence:g}"
    yield (
        f"On the {split} split, whose scans did not train the network"
        + (". " if split == "test" else " but chose its thresholds. ")
        + "Distances are between predicted surface and the surface of the manual mask, smoothed as "
        f"in training; of anatomies that were found. Mean with {percent} % interval over "
        "subjects; the median beside it."
    )
    if "remark" in facts.data:
        yield ""
        yield facts.data["remark"]
    yield ""
    rows = [_row(anatomy, facts, split) for anatomy in description.anatomies]
    yield from table(
        [
            *("anatomy", "found of", "surface distance, mm", "median", "95th percentile, mm"),
            *("Dice", "particle error, mm", "center error, mm"),
        ],
        rows,
    )
    methods = {row["interval"] for row in facts.metrics if row["interval"]}
    yield ""
    if "t" in methods:
        yield "Few subjects: intervals are Student's t, wide and rough."
    yield (
        "`found of`: in how many scans it was found, of those in which it is. A missed one has no "
        "distance: read the numbers together. `particle error`: from each predicted particle to "
        "where the fitted shape model has it; it also counts sliding along the surface."
    )


def _row(anatomy: str, facts: Facts, split: str) -> list[str]:
    def cell(measure: str, counting: str = _FOUND) -> Mapping[str, Any] | None:
        return next(
            (
                row
                for row in facts.metrics
                if (row["split"], row["scope"], row["anatomy"], row["measure"], row["counting"])
                == (split, "anatomy", anatomy, measure, counting)
            ),
            None,
        )

    surface, known = cell("surface_mean"), cell("missed", _KNOWN)
    there = 0 if known is None else known["n"]
    found = 0 if known is None else round(there * (1 - known["mean"]))
    return [
        *(anatomy, f"{found} of {there}", _mean(surface), _number(surface, "median")),
        *(_mean(cell("surface_p95")), _mean(cell("dice")), _mean(cell("particle_euclidean"))),
        _mean(cell("center_error")),
    ]


def measured_split(facts: Facts) -> str | None:
    """Name the split that the measures are of; None without measures."""
    there = {row["split"] for row in facts.metrics}
    return next((split for split in _SPLITS if split in there), None)


def _mean(row: Mapping[str, Any] | None) -> str:
    """Write a mean with its interval."""
    if row is None or row["mean"] is None:
        return _NONE
    text = f"{row['mean']:.2f}"
    known = row["ci_low"] is not None and row["ci_high"] is not None
    return f"{text} [{row['ci_low']:.2f}, {row['ci_high']:.2f}]" if known else text


def _number(row: Mapping[str, Any] | None, name: str) -> str:
    return _NONE if row is None or row[name] is None else f"{row[name]:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table of Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
