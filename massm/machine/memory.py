"""Memory that a process has freed stays with it, for the next array of that size."""

import ctypes
import logging
import os

log = logging.getLogger(__name__)

# glibc, malloc.h
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_NEVER = -1  # turned into a size_t there, the largest; man mallopt


def keep_freed_memory() -> bool:
    """Ask glibc and torch not to hand memory back to the system between the steps of a network.

    A network's large arrays are made and freed in every step. By default each is mapped anew, and
    the kernel clears it page by page, which took 30 % of a training step's time (benchmarks/
    memory_reuse.py). Afterwards freed memory is used again, and new memory comes in large pages.
    The process then keeps its peak until it ends, so this is for what trains or predicts alone,
    before its first tensor. No value of any result depends on it.

    Returns:
        Whether this system can and does; elsewhere than on glibc nothing is changed.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch asks once, at its first tensor
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        log.debug("no mallopt here: large arrays are mapped anew in every step")
        return False
    kept = bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))
    if not kept:
        log.warning("mallopt refuses: large arrays are mapped anew in every step")
    return kept
