"""Differences laid over a configuration."""

from collections.abc import Mapping
from typing import Any


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay differences over values, as ``snakemake --configfile`` does: mappings are merged deeply.

    Args:
        base: Nested mappings; left as they are.
        changes: Takes the place of what has the same path.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged
