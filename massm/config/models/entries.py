"""The entries of ``models`` as they are written: some taken out, some told by another."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from massm.config.merging import merge
from massm.config.names import anatomy_fault

_RESERVED = ("reference", "warp", "model", "part")  # folders and rules beside those of models


def _sound(name: str) -> str:
    fault = anatomy_fault(name)
    if not fault and name in _RESERVED:
        fault = f"name {name!r}: a folder of results or a rule is called so; rename it"
    if fault:
        raise ValueError(fault)
    return name


ModelName = Annotated[str, AfterValidator(_sound)]


def laid_out(models: Any) -> Any:
    """Leave out entries that are null, and write out those that are ``like`` another.

    Args:
        models: By name the values of each; ``like: NAME`` takes over all values of that entry which
            are not given anew, ``like: null`` none.

    Raises:
        ValueError: If there is no such entry, or entries are like each other in a circle.
    """
    if not isinstance(models, Mapping):
        return models
    given = {name: values for name, values in models.items() if values is not None}
    return {name: _written_out(name, given, ()) for name in given}


def _written_out(name: str, models: Mapping[str, Any], above: tuple[str, ...]) -> Any:
    values = models[name]
    if not isinstance(values, Mapping) or "like" not in values:
        return values
    other = values["like"]
    if other is None:  # taken back by a file that is laid over another
        return {key: value for key, value in values.items() if key != "like"}
    if other in (*above, name):
        circle = [*above, name, other]
        raise ValueError(f"{circle[0]}.like: {' -> '.join(circle)} is a circle")
    if other not in models:
        raise ValueError(f"{name}.like: {other} is not among models, found [{', '.join(models)}]")
    base = _written_out(other, models, (*above, name))
    return merge(base, {key: value for key, value in values.items() if key != "like"})
