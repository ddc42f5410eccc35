"""Named arrays in ``.safetensors`` files: memory-mapped, no code inside."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError

_ADVICE = "delete the file and run its stage again"


def save(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write named arrays, whole or not at all."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with replacing(Path(path)) as temporary:
        try:
            save_file(contiguous, temporary)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def names_in(path: Path) -> list[str]:
    """List the arrays of a file, none of them read.

    Raises:
        DataError: If the file is damaged.
    """
    with named(path, "no tensors", _ADVICE), safe_open(path, framework="numpy") as file:
        return list(file.keys())


def load(path: Path, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """Read named arrays; only the ones asked for are read from disk.

    Raises:
        DataError: If the file is damaged or lacks an array.
    """
    with named(path, "no tensors", _ADVICE), safe_open(path, framework="numpy") as file:
        held = list(file.keys())
        missing = [name for name in names or [] if name not in held]
        if missing:
            raise DataError(f"{path} lacks {', '.join(missing)}, it has {held}; {_ADVICE}")
        return {name: file.get_tensor(name) for name in names or held}
