"""Which structures the results are of: excluded, missed by each model, measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from massm.evaluate.attrition import NO_SPLIT
from massm.evaluate.scopes import ALL
from massm.report.naming import ALL_LABEL, Names, anatomy_label


@dataclass(frozen=True)
class AttritionRow:
    """One anatomy, or all together.

    Attributes:
        name: For people.
        is_total: Whether it is all of them together.
        in_data: Structures of the split that the data holds.
        excluded: Of these, not usable.
        absent: Known not to be there, which are none of these.
        without_surface: Usable, but not groomed.
        missed: Missed by each model.
        measured: Measured of each model.
        reasons: Of what was excluded or could not be groomed.
        undrawn: Unusable structures of subjects that are in no split.
    """

    name: str
    is_total: bool
    in_data: int
    excluded: int
    absent: int
    without_surface: int
    missed: tuple[int, ...]
    measured: tuple[int, ...]
    reasons: str
    undrawn: int


@dataclass(frozen=True)
class AttritionTable:
    """Rows, and the models of their columns: for people, and by their names in the tables."""

    models: tuple[str, ...]
    keys: tuple[str, ...]
    rows: tuple[AttritionRow, ...]

    @property
    def undrawn(self) -> bool:
        """Whether some subjects are in no split."""
        return any(row.undrawn for row in self.rows)


def attrition_table(counts: pd.DataFrame, anatomies: Sequence[str], names: Names) -> AttritionTable:
    """Lay ``evaluate/anatomies.csv`` out for people.

    Args:
        counts: Its rows of one split, and of subjects in none.
        anatomies: In the order of the rows.
        names: What models are called, and their order.
    """
    drawn = counts[counts["split"] != NO_SPLIT]
    models = [model for model, _ in names.ordered([(str(name), "") for name in drawn["model"]])]
    rows = []
    for name in [*anatomies, None]:
        own = _of(drawn, name).set_index("model")
        if own.empty:
            continue
        first = own.iloc[0]
        found = own[["missed", "measured"]].reindex(models, fill_value=0)
        rows.append(
            AttritionRow(
                name=ALL_LABEL if name is None else anatomy_label(name),
                is_total=name is None,
                in_data=int(first["in_data"]),
                excluded=int(first["excluded"]),
                absent=int(first["absent"]),
                without_surface=int(own["without_surface"].min()),
                missed=tuple(int(n) for n in found["missed"]),
                measured=tuple(int(n) for n in found["measured"]),
                reasons=str(first["reason"]),
                undrawn=int(_of(counts[counts["split"] == NO_SPLIT], name)["in_data"].sum()),
            )
        )
    labels = tuple(names.model(name) for name in models)
    return AttritionTable(labels, tuple(models), tuple(rows))


def _of(counts: pd.DataFrame, anatomy: str | None) -> pd.DataFrame:
    if anatomy is None:
        return counts[counts["scope"] == ALL]
    return counts[(counts["scope"] != ALL) & (counts["anatomy"] == anatomy)]
