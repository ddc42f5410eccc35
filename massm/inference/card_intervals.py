"""The part of a model card that says how sure the model is: radii, and whose errors they are of."""

from collections.abc import Iterator

import numpy as np

from massm.inference.card_measures import table
from massm.io.intervals import AnatomyIntervals, Intervals
from massm.models.saved import Description


def sureness(description: Description, intervals: Intervals) -> Iterator[str]:
    """Write within which radii the true surface lies, and with which chance."""
    yield "## How sure it is"
    yield ""
    level = f"{100 * intervals.level:g} %"
    yield (
        "Each particle has a radius, by conformal prediction from the errors of the "
        f"{intervals.calibration}. Of a new scan from where these came from, {level} of an "
        f"anatomy's particles lie within theirs of the true surface on average, and with {level} "
        "all lie within the wider ones. A missed anatomy counts as outside. Nothing is promised of "
        "anatomies that the field of view cuts, of other scanners and of other patients."
    )
    yield ""
    if intervals.is_empty:
        yield f"**Here nothing is promised**: {intervals.reason}."
        return
    own = {name: intervals.anatomies[name] for name in description.anatomies}
    yield from table(
        [
            *("anatomy", f"radius for {level} of the particles, mm"),
            *(f"radius for all with {level}, mm", "calibration subjects", "remark"),
        ],
        [
            [name, _mean(one.share_mm), _mean(one.whole_mm), str(one.subjects), _remark(one)]
            for name, one in own.items()
        ],
    )
    yield ""
    yield "Radii are means over particles; `massm predict` writes that of each."


def _mean(radius: np.ndarray | None) -> str:
    return "-" if radius is None else f"{radius.mean():.2f}"


def _remark(one: AnatomyIntervals) -> str:
    if one.reason:
        return one.reason
    return "factors of all anatomies together" if one.pooled else ""
