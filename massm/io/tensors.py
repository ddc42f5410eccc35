"""Named arrays in ``.safetensors`` files: memory-mapped, no code inside."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from massm.io.atomic import replacing
from massm.io.errors import DataError


def save(arrays: dict[str, np.ndarray], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write named arrays and short texts, whole or not at all."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with replacing(Path(path)) as temporary:
        try:
            save_file(contiguous, temporary, metadata=metadata)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def load(path: Path, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """Read named arrays; only the ones asked for are read from disk.

    Raises:
        DataError: If the file is damaged or lacks an array.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in names or list(file.keys())}
    except SafetensorError as error:
        raise DataError(f"{path}: {error}; delete the file and run its stage again") from error


def load_metadata(path: Path) -> dict[str, str]:
    """Read the texts stored beside the arrays."""
    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise DataError(f"{path}: {error}; delete the file and run its stage again") from error
