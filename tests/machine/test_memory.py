"""Freed memory is used again: the kernel is not asked for the same pages in every step."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from massm.machine.memory import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit(77)
import torch

def step():
    torch.ones(16, 1024, 1024).add_(1)

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    """Count the pages that the kernel has to give while five arrays of 64 MB come and go."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=False
    )
    if found.returncode == 77:
        pytest.skip("no glibc here")
    assert found.returncode == 0, found.stderr
    return int(found.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="pages are counted so on Linux alone")
def test_an_array_of_the_next_step_takes_the_pages_of_the_last():
    assert faults("kept") < 200 < faults("by default")
