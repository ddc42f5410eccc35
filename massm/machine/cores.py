"""How many cores there are for this process."""

import os


def usable_cores() -> int:
    """Count the cores that this process may run on; where the system cannot tell, all there are."""
    if hasattr(os, "sched_getaffinity"):  # Linux: a cluster's job may hold a part of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
