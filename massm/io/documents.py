"""JSON documents."""

import json
from pathlib import Path
from typing import Any

from massm.io.atomic import replacing
from massm.io.errors import DataError


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        DataError: If the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not valid JSON ({error}); make it anew") from error


def write_json(document: Any, path: Path) -> None:
    """Write a JSON document, indented, whole or not at all."""
    text = json.dumps(document, indent=1, allow_nan=True) + "\n"
    with replacing(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")
