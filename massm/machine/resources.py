"""How much memory and disk there is."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

_MEMINFO = Path("/proc/meminfo")
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),  # of a container or a cluster's job: version 2, version 1
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


class Memory(NamedTuple):
    """Memory, bytes; None where the system does not tell.

    Attributes:
        total: What this process may use at most: the machine's, or its container's limit.
        free: What is not in use.
    """

    total: int | None
    free: int | None


def memory(meminfo: Path = _MEMINFO, limits: tuple[Path, ...] = _LIMITS) -> Memory:
    """Ask the system for the memory that there is."""
    found = _read_meminfo(meminfo)
    total = found.get("MemTotal") or _physical()
    caps = [int(text) for path in limits if (text := _first_word(path)).isdecimal()]
    if total is not None:
        total = min([total, *caps])
    free = found.get("MemAvailable")
    return Memory(total, free if free is None or total is None else min(free, total))


def free_disk(folder: Path) -> int:
    """Return how many bytes can be written where a folder is, or will be."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _read_meminfo(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}  # not Linux
    words = [line.split() for line in lines]
    return {parts[0].rstrip(":"): int(parts[1]) * 1024 for parts in words if len(parts) == 3}


def _first_word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _physical() -> int | None:
    names = getattr(os, "sysconf_names", {})  # not on Windows
    if "SC_PHYS_PAGES" not in names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
