"""Which methods are compared: the rivals, the best of them, and who has something to show."""

from collections.abc import Sequence

import pandas as pd

from massm.evaluate.scopes import text
from massm.report.naming import Method, Names

_NOTHING_MM = 1e-3  # a distance below it is rounding: the surface is measured to itself


def methods_of(values: pd.DataFrame, names: Names) -> list[Method]:
    """List the methods of long values, in the order of tables and figures."""
    pairs = values[["model", "head"]].drop_duplicates()
    return names.ordered(
        list(zip(pairs["model"].astype(str), pairs["head"].astype(str), strict=True))
    )


def rivals_of(methods: Sequence[Method], names: Names) -> list[Method]:
    """Take the rivals of the reference model, which comes first: neither it nor a bound.

    Who predicts by another's weights is one only where there is nobody else.
    """
    others = [method for method in methods if method[0] not in (*names.bounds, *names.order[:1])]
    return [method for method in others if method[0] not in names.variants] or others


def best_method(values: pd.DataFrame, methods: Sequence[Method]) -> Method | None:
    """Choose the method of the lowest mean of one measure; None of none.

    Anatomies are averaged first, so that a method that missed many of the hard ones gains nothing
    but by them.

    Args:
        values: Long values of one measure, split and frame.
        methods: Of which to choose; an earlier one is taken of equals.
    """
    means = _means(values)
    known = [method for method in methods if method in means]
    return min(known, key=lambda method: means[method]) if known else None


def shown_rival(values: pd.DataFrame, names: Names, preferred: str) -> Method | None:
    """Choose whose best case is shown.

    That is the preferred model, if it has been measured; else the best rival; else the best of what
    knows no truth, the reference model last; None if nothing was measured.

    Args:
        values: Long values of one measure, split and frame.
        names: What models are called, their order, and which are bounds.
        preferred: Name of a model.
    """
    methods = methods_of(values, names)
    ours = [method for method in methods if method[0] in names.order[:1]]
    unknowing = [m for m in methods if m[0] not in names.knowing and m not in ours]
    groups = [[m for m in methods if m[0] == preferred], rivals_of(methods, names), unknowing, ours]
    return next((best_method(values, group) for group in groups if group), None)


def with_errors(values: pd.DataFrame, methods: Sequence[Method]) -> list[Method]:
    """Leave out the methods that have no error at all, as true particles have to themselves."""
    means = _means(values)
    return [method for method in methods if means.get(method, 0.0) > _NOTHING_MM]


def _means(values: pd.DataFrame) -> dict[Method, float]:
    by_anatomy = values.groupby(["model", "head", "anatomy"])["value"].mean()
    means = by_anatomy.groupby(level=["model", "head"]).mean()
    named = (text(key) for key in means.index)
    return {(model, head): float(mean) for (model, head), mean in zip(named, means, strict=True)}
