"""Names and order of models and anatomies, the same in every figure and table."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from massm.config.models.naming import ModelNames
from massm.evaluate.rows import DETECTION, LOCAL

Method = tuple[str, str]  # model, head

ALL_LABEL = "All anatomies"

_HEADS = {
    "cvae": "CVAE",
    "procrustes": "Procrustes",
    "shrinkage": "shrinkage",
    "pca": "",
}  # DeepSSM has no other


def anatomy_label(name: str) -> str:
    """Write an anatomy's name for people: ``LeftParotid`` becomes ``Left parotid``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return spaced[:1].upper() + spaced[1:].lower()


def sample_size(row: Mapping[Any, Any] | pd.Series) -> str:
    """Write how many organs a number is from, and of how many subjects where that is not the same.

    Args:
        row: Row of ``evaluate/summary.csv`` or ``tests.csv``.
    """
    organs, subjects = int(row["n"]), int(row["subjects"])
    return f"n = {organs}" if organs == subjects else f"n = {organs} of {subjects} subjects"


class Names(ModelNames):
    """What models are called, and in which order they come, in every figure and table."""

    def model(self, model: str) -> str:
        """Write a model's name for people."""
        return self.labels.get(model, anatomy_label(model))

    def method(self, method: Method) -> str:
        """Write a model and its head for people."""
        model, head = method
        if head in (LOCAL, DETECTION) or model in self.bounds:
            return self.model(model)
        return f"{self.model(model)} {_HEADS.get(head, head)}".rstrip()

    def methods(self, methods: Iterable[Method]) -> dict[Method, str]:
        """Write methods shown together, in order; a head is named where its model has two."""
        shown = self.ordered(list(methods))
        heads = Counter(model for model, _ in shown)
        return {m: self.model(m[0]) if heads[m[0]] == 1 else self.method(m) for m in shown}

    def ordered(self, methods: Sequence[Method]) -> list[Method]:
        """Put methods in the order of tables and figures, unknown ones before what knows truth."""
        return sorted(set(methods), key=lambda method: (self._rank(method[0]), *method))

    def networks(self, networks: Iterable[str]) -> list[str]:
        """Put networks (``{model}`` or ``{model}/{part}``) in the order of their models."""
        return sorted(networks, key=lambda name: self._rank(name.partition("/")[0]))

    def _rank(self, model: str) -> float:
        if model in self.order:
            return float(self.order.index(model))
        return len([name for name in self.order if name not in self.knowing]) - 0.5
