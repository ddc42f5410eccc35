"""The configuration of a run that leaves one fold out, made from that of the whole run."""

from collections.abc import Sequence
from typing import Any

from massm.config.loading import Config


def fold_config(config: Config, number: int, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values of a configuration that makes one fold's models and predicts the fold.

    The fold's subjects are its test split; nothing of the run's own test split is in it. Models
    that cross-validation does not ask for, and that none of those reads, are taken out.

    Args:
        config: Of the whole run.
        number: The fold, counted from 1.
        names: Entries of models that the files of the configuration know, also those taken out: the
            values are laid over such a file, and bring none of them back.

    Raises:
        ValueError: If there is no such fold.
    """
    if not 1 <= number <= config.crossval.folds:
        raise ValueError(f"fold {number} of crossval.folds = {config.crossval.folds}")
    kept = _with_what_they_read(config, config.crossval.made(config.evaluate.reference_model))
    values = config.model_dump(mode="json")
    values["results"] = str(config.results / "crossval" / f"fold_{number}")
    values["fold"] = {"of": str(config.results), "number": number}
    values["models"] = {
        # In the file below it may be like an entry that is taken out.
        name: {**values["models"][name], "like": None} if name in kept else None
        for name in dict.fromkeys([*values["models"], *names])
    }
    values["predict"]["splits"] = values["evaluate"]["splits"] = ["test"]
    values["crossval"]["folds_made"] = None  # more of them later do not change this one
    values["intervals"]["models"] = []  # the whole run takes what its folds predict
    values["trust"]["models"] = []
    return values


def _with_what_they_read(config: Config, names: tuple[str, ...]) -> list[str]:
    """Name models and those whose weights, boxes or surfaces they need."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        weights = config.models[name].weights_of
        waiting += [*config.entry(name).asked.values(), *([weights] if weights else [])]
    return found
