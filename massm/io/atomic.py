"""Outputs that appear whole or not at all, and what is said where the disk is full."""

import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = ("no space left", "disk quota exceeded", "disk full")
_PROBE_BYTES = 2**20
_UMASK = os.umask(0)  # can only be asked by setting it
os.umask(_UMASK)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; move it into place if all went well.

    The temporary name keeps the suffix, since writers choose the format by it. If writing fails,
    the temporary file and what a writer put beside it are removed and ``path`` is left as it was.
    The content is on the disk before the file is moved: some disks tell only then that they are
    full.

    Raises:
        OSError: If it cannot be written, naming ``path`` and the reason, as a full disk, in
            whatever way the writer said it (libraries have errors of their own, some without a
            reason).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    first, dot, suffix = path.name.partition(".")
    stem = f"{first}.{os.getpid()}.partial"
    temporary = path.with_name(f"{stem}{dot}{suffix}")
    try:
        yield temporary
        _flush(temporary)
        with suppress(PermissionError):  # of disks that know no permissions
            temporary.chmod(0o666 & ~_UMASK)  # some writers let nobody else read
        temporary.replace(path)
    except Exception as error:
        full = _is_full(error, path.parent)
        _remove(path.parent, stem)
        if full:
            raise OSError(errno.ENOSPC, _sentence(path, os.strerror(errno.ENOSPC))) from error
        if isinstance(error, OSError):
            raise OSError(error.errno, _sentence(path, error.strerror or str(error))) from error
        raise
    except BaseException:
        _remove(path.parent, stem)
        raise


@contextmanager
def replacing_folder(folder: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield an empty folder beside ``folder``; move it into place if all went well.

    Args:
        folder: Where it goes.
        replace: Also where a folder with files is; else that stays, whoever made it meanwhile.

    Raises:
        FileExistsError: If there are files and they are not to be replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        made = beside / "new"
        made.mkdir()
        yield made
        if replace:
            _put_folder(made, folder, beside / "old")
        else:
            _add_folder(made, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put_folder(new: Path, folder: Path, aside: Path) -> None:
    """Move a folder into its place; what was there comes back if that fails."""
    if folder.exists():
        folder.rename(aside)
    try:
        new.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise


def _add_folder(new: Path, folder: Path) -> None:
    """Move a folder to a place where none with files is: the system refuses all others."""
    try:
        new.rename(folder)
    except OSError as error:
        if folder.exists():
            raise FileExistsError(f"{folder} is there already, made meanwhile; it stays") from error
        raise


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(folder: Path, stem: str) -> None:
    for left in folder.glob(f"{glob.escape(stem)}*"):
        left.unlink(missing_ok=True)


def _sentence(path: Path, reason: str) -> str:
    return f"could not write {path}: {reason}; free space or choose another folder"


def _is_full(error: BaseException, folder: Path) -> bool:
    """Tell whether the disk is full: by what the writer said, or by trying, while it is."""
    cause: BaseException | None = error
    while cause is not None:
        said = str(cause).lower()
        if getattr(cause, "errno", None) in _FULL or any(words in said for words in _FULL_WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OSError) and error.errno is not None:
        return False  # another reason is known
    return _is_refused(folder)


def _is_refused(folder: Path) -> bool:
    probe = folder / f".{os.getpid()}.probe"
    try:
        with probe.open("wb") as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in _FULL
    finally:
        probe.unlink(missing_ok=True)
    return False
