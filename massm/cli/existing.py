"""The folder of results: whether it can be written to, and what is done where some are there."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Task(Protocol):
    """What is asked for, and has a folder for its results."""

    @property
    def folder(self) -> Path:
        """Where results go."""

    @property
    def is_done(self) -> bool:
        """Whether results are there."""


TaskT = TypeVar("TaskT", bound=Task)


def refuse_unwritable(out: Path) -> None:
    """Make the folder of all results, and see whether anything can be written there.

    Raises:
        ValueError: If not, with the reason.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ValueError(
            f"--out {out} cannot be written to ({error.strerror or error}); choose another folder"
        ) from error


def jobs_left(jobs: Sequence[TaskT], what: str, *, replace: bool, skip: bool) -> list[TaskT]:
    """List what is to be done, before any time is spent on it.

    Args:
        jobs: All that was asked for.
        what: What they are, in plural: "scans".
        replace: Whether results are replaced (``--overwrite``).
        skip: Whether what has results is passed over (``--skip-existing``).

    Raises:
        ValueError: If there are results, and neither was asked for, or both.
    """
    if replace and skip:
        raise ValueError("--overwrite and --skip-existing exclude each other")
    done = [job for job in jobs if job.is_done]
    if done and not replace and not skip:
        raise ValueError(
            f"{done[0].folder} is there already"
            + (f" and {len(done) - 1} more" if len(done) > 1 else "")
            + f"; replace results (--overwrite), pass over these {what} (--skip-existing), or "
            "choose another --out"
        )
    return [job for job in jobs if not (skip and job.is_done)]
