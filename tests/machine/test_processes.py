"""The pool of all stages: everything done once, errors named, a prompt end."""

import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from massm.machine.processes import FEW, in_processes
from tests.machine import jobs

ROOT = Path(__file__).parents[2]
MANY = FEW + 1


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_done_once_and_comes_with_its_result(workers):
    pairs = dict(in_processes(math.sqrt, [1.0, 4.0, 9.0, 16.0], workers=workers))
    assert pairs == {1: 1, 4: 2, 9: 3, 16: 4}


def test_no_items_give_no_results():
    assert list(in_processes(math.sqrt, [], workers=2)) == []


@pytest.mark.parametrize(("count", "workers"), [(MANY, 1), (FEW, 8)])
def test_one_worker_or_few_items_need_no_process(count, workers):
    found = {pid for _, pid in in_processes(jobs.process, range(count), workers=workers)}
    assert found == {os.getpid()}


def test_there_are_no_more_processes_than_items(monkeypatch):
    asked = []

    class Counted(ProcessPoolExecutor):
        def __init__(self, count, *arguments):
            asked.append(count)
            super().__init__(count, *arguments)

    monkeypatch.setattr("massm.machine.processes.ProcessPoolExecutor", Counted)
    found = {pid for _, pid in in_processes(jobs.process, range(MANY), workers=50)}
    assert asked == [MANY]
    assert os.getpid() not in found


def test_workers_use_one_thread_each_and_this_process_as_many_as_there_may_be():
    for _, (of_torch, of_others) in in_processes(jobs.threads, range(MANY), workers=2):
        assert (of_torch, of_others) == (1, 1)
    before = torch.get_num_threads()
    for _, (of_torch, _) in in_processes(jobs.threads, range(FEW), workers=2):
        assert of_torch == 2
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_keeps_its_type_and_names_the_item(workers):
    with pytest.raises(ValueError, match="two is too much") as caught:
        list(in_processes(jobs.refuse_two, range(4), workers=workers, name=lambda n: f"s{n}"))
    assert caught.value.__notes__ == ["while working on s2"]


def test_an_error_that_cannot_be_sent_is_told_all_the_same():
    with pytest.raises(RuntimeError, match="AwkwardError: this and that"):
        list(in_processes(jobs.fail_awkwardly, range(MANY), workers=2))


def test_a_process_that_dies_is_an_error_with_advice():
    with pytest.raises(ChildProcessError, match=r"one of s.*; run with fewer threads"):
        list(in_processes(jobs.die, range(4), workers=2, name=lambda number: f"s{number}"))


def test_large_items_do_not_hold_up_the_end():
    large = [np.zeros(3_000_000) for _ in range(6)]
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="AwkwardError"):
        list(in_processes(jobs.fail_awkwardly, large, workers=2, name=lambda _: "large"))
    assert time.monotonic() - start < 30


def test_who_wants_no_more_waits_for_no_one(tmp_path):
    results = in_processes(jobs.process, range(50), workers=2)
    next(results)
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 5


SCRIPT = """
import signal
import sys
from massm.machine.processes import in_processes
from tests.machine.jobs import write_slowly

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever a shell's background says
    list(in_processes(write_slowly, [sys.argv[1]] * 8, workers=2))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent_however_it_ends(tmp_path, how):
    script, seen = tmp_path / "script.py", tmp_path / "seen"
    seen.mkdir()
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(seen)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    until(lambda: len(numbers(seen)) == 2, seconds=60)
    parent.send_signal(how)
    parent.communicate(timeout=10)
    until(lambda: not any(map(alive, numbers(seen))), seconds=5)
    assert len(numbers(seen)) == 2  # no other item was begun
    assert (seen / "cleaned").exists()


def numbers(folder):
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def alive(pid):
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text() if status.parent.exists() else False
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(reached, *, seconds):
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "not reached in time"
        time.sleep(0.05)
