"""JSON documents."""

import json
from pathlib import Path
from typing import Any

from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.text import read_text

_ADVICE = "delete it and run its stage again"


def read_json(path: Path, *required: str) -> dict[str, Any]:
    """Read a JSON document: named values.

    Args:
        path: The document.
        required: Names that have to be there, with a value.

    Raises:
        DataError: If the file is not JSON, holds no names, or lacks one.
    """
    document = read_any_json(Path(path))
    if not isinstance(document, dict):
        raise DataError(
            f"{path} holds {type(document).__name__}, expected an object {{...}}; {_ADVICE}"
        )
    missing = [name for name in required if document.get(name) is None]
    if missing:
        raise DataError(f"{path} says nothing of {', '.join(missing)}; {_ADVICE}")
    return document


def read_any_json(path: Path, what: str = "not valid JSON", advice: str = _ADVICE) -> Any:
    """Read a JSON document of any kind.

    Args:
        path: The document.
        what: What a damaged one is not.
        advice: What to do about it.

    Raises:
        DataError: If the file is not JSON.
    """
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path}: {what}, it is empty; {advice}")
    with named(path, what, advice):
        return json.loads(text)


def write_json(document: Any, path: Path) -> None:
    """Write a JSON document, indented, whole or not at all."""
    text = json.dumps(document, indent=1, allow_nan=True) + "\n"
    with replacing(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")
