"""Names: of the parts of a cohort, and those that people give, which become names of files."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

Split = Literal["train", "validation", "test"]

# A file of results is called by subject, anatomy and some fixed words: 255 bytes hold all of them.
LONGEST_SUBJECT = 128
LONGEST_ANATOMY = 64

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ANATOMY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def subject_fault(name: str) -> str:
    """Say why a subject cannot be called so; empty if it can."""
    if not _SUBJECT.fullmatch(name):
        return (
            f"name {name!r}: use letters, digits, '_', '-' and '.' alone, a letter or digit first"
        )
    if name.endswith("."):
        return f"name {name!r}: a file system may drop the dot at its end; rename it"
    return _common_fault(name, LONGEST_SUBJECT)


def anatomy_fault(name: str) -> str:
    """Say why an anatomy cannot be called so; empty if it can."""
    if not _ANATOMY.fullmatch(name):
        return f"name {name!r}: use letters, digits and '_' alone, a letter first"
    return _common_fault(name, LONGEST_ANATOMY)


def _common_fault(name: str, longest: int) -> str:
    if _DEVICES.fullmatch(name):
        return f"name {name!r}: Windows keeps it for a device; rename it"
    if len(name) > longest:
        return f"name {name[:20]!r}...: {len(name)} characters, at most {longest}; rename it"
    return ""


def _sound_anatomy(name: str) -> str:
    fault = anatomy_fault(name)
    if fault:
        raise ValueError(fault)
    return name


Anatomy = Annotated[str, AfterValidator(_sound_anatomy)]


def refuse_doubled(names: tuple[str, ...]) -> None:
    """Refuse names that a file system may take for one: the same in upper and lower case.

    Raises:
        ValueError: Naming those that are listed twice.
    """
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(name.lower(), []).append(name)
    twice = [found for found in spellings.values() if len(found) > 1]
    if twice:
        shown = ", ".join(" and ".join(dict.fromkeys(found)) for found in twice)
        raise ValueError(f"anatomies: {shown} is listed twice (upper and lower case are one)")
