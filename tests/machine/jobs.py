"""What the processes of the tests do; in a module of its own, so that they can import it."""

import os
import time
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info


def process(_):
    time.sleep(0.3)
    return os.getpid()


def threads(_):
    np.ones((2, 2)) @ np.ones((2, 2))
    pools = [pool["num_threads"] for pool in threadpool_info()]
    return torch.get_num_threads(), max(pools)


def refuse_two(number):
    if number == 2:
        raise ValueError("two is too much")
    return number


class AwkwardError(Exception):
    """Cannot be built anew from its arguments, as pickle does."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fail_awkwardly(_):
    raise AwkwardError("this", "that")


def die(number):
    if number == 1:
        os._exit(9)
    time.sleep(0.5)


def write_slowly(folder):
    """Say who is at work, then be at it for long."""
    (Path(folder) / f"{os.getpid()}").touch()
    try:
        time.sleep(60)
    finally:
        (Path(folder) / "cleaned").touch()
