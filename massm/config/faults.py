"""Faults of a configuration in words: the path of the key, what is wrong, what was found."""

from typing import Any

# Where keys stand that once stood elsewhere.
_MOVED = {
    "model": "models.massm, with family: massm in the place of name",
    "train.weights": "models.massm.objective.weights",
    "train.loss": "models.massm.objective.loss",
    "train.teacher": "models.massm.objective.teacher",
    "predict.box_updates": "models.massm.box_updates",
    "predict.oracle_modes": "models.pca_oracle.modes",
}


def described(fault: Any) -> str:
    """Write one fault of pydantic's list (``ValidationError.errors()``) for people."""
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden" and path in _MOVED:
        return f"{path}: unknown key; it stands in {_MOVED[path]} now"
    if fault["type"] == "extra_forbidden":
        return f"{path}: unknown key; see config.yaml for the keys there are"
    if fault["type"] == "missing":
        return f"{path}: missing; config.yaml shows its usual value"
    message = fault["msg"].removeprefix("Value error, ")
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    return f"{path}: {message}{found}" if path else message
