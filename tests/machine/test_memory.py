"""Freed memory is used again: the kernel is not asked for the same pages in every step."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from massm.machine.memory import keep_freed_memory

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

TOP = """
import ctypes, sys
from massm.machine.memory import keep_freed_memory
if not keep_freed_memory():
    sys.exit("no glibc here")
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
libc.sbrk.argtypes = [ctypes.c_ssize_t]
before = libc.sbrk(0)
large = libc.malloc(3 << 30)  # never written to, so it takes addresses and no memory
grown = libc.sbrk(0) - before
libc.free(large)
print(grown, libc.sbrk(0) - before)
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
    # Where the kernel has no large page at hand it gives some thousand small ones in its place.
    assert faults("kept") < faults("by default") / 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has sbrk so")
def test_more_than_two_gigabytes_are_kept_too():
    found = subprocess.run([sys.executable, "-c", TOP], capture_output=True, text=True, check=False)
    if "no glibc" in found.stderr:
        pytest.skip("no glibc here")
    assert found.returncode == 0, found.stderr
    grown, left = map(int, found.stdout.split())
    assert grown > 2 << 30, "the heap could not grow by 3 GiB, so that nothing was tried"
    assert left == grown


def test_a_refusal_is_said(monkeypatch, caplog):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda *_: 0))
    assert not keep_freed_memory()
    assert "mallopt refuses" in caplog.text
