"""What a training step gains where freed memory is kept (massm/machine/memory.py).

    python benchmarks/memory_reuse.py

Both ways in one run, each in a process of its own: seconds of user and of system, pages that the
kernel had to clear, and peak memory, of some steps of a small network of 3D convolutions.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys


def main() -> None:
    """Print a line for each way, and the ratio of their times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", choices=["kept", "default"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(_measure(given.way, given.steps, given.threads)))
        return
    print(f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores")
    options = ["--steps", str(given.steps), "--threads", str(given.threads)]
    times = {}
    for way in ("default", "kept"):
        command = [sys.executable, __file__, "--way", way, *options]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        times[way] = found["user_s"] + found["system_s"]
        print(
            f"{way:8} user {found['user_s']:6.2f} s  system {found['system_s']:6.2f} s  "
            f"pages {found['pages']:9d}  peak {found['peak_mb']:6.0f} MB"
        )
    print(f"kept / default: {times['kept'] / times['default']:.2f} of the CPU time")


def _measure(way: str, steps: int, threads: int) -> dict[str, float]:
    from massm.machine.memory import keep_freed_memory

    if way == "kept":
        keep_freed_memory()
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layers = [nn.Conv3d(1, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU()]
    layers += [nn.Conv3d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv3d(16, 16, 3, stride=2)]
    network, image = nn.Sequential(*layers), torch.randn(1, 1, 96, 96, 64)

    def step() -> None:
        network.zero_grad()
        network(image).square().mean().backward()

    step()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(steps):
        step()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "user_s": after.ru_utime - before.ru_utime,
        "system_s": after.ru_stime - before.ru_stime,
        "pages": after.ru_minflt - before.ru_minflt,
        "peak_mb": after.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
