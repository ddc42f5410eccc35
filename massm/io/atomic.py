"""Outputs that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; move it into place if all went well.

    The temporary name keeps the suffix, since writers choose the format by it. If writing fails,
    the temporary file is removed and ``path`` is left as it was.

    Raises:
        OSError: As the writer or the move raised it, naming ``path`` (a full disk, say).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    first, dot, suffix = path.name.partition(".")
    temporary = path.with_name(f"{first}.{os.getpid()}.partial{dot}{suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"could not write {path}: {reason}; free space or choose another folder"
        ) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
