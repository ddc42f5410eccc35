"""How time and memory of the particle engine grow with shapes and particles.

usage: python -m benchmarks.pdm_growth [--shapes DIR] [--count N ...]
           [--particles M ...] [--largest N M]

Shapes come from DIR (.ply or .vtp, aligned), or are blobs of benchmarks/populations.py; where more
are asked for than there are, they are repeated with random smooth deformations. Each size runs in a
process of its own; the exponent is the slope of a line through the logarithms.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from benchmarks.pdm import machine, read_shapes
from benchmarks.populations import blobs
from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.pdm.embedded.engine import EntropyEngine


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", type=Path)
    parser.add_argument("--count", type=int, nargs="+", default=[20, 80, 320])
    parser.add_argument("--particles", type=int, nargs="+", default=[128, 256, 512, 1024, 2048])
    parser.add_argument("--largest", type=int, nargs=2, help="one more run, N and M")
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run(arguments.shapes, *arguments.one)))
        return
    print(machine())
    print(f"{'shapes':>8}{'particles':>11}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    by_count = [measured(arguments.shapes, n, 256) for n in arguments.count]
    by_particles = [measured(arguments.shapes, 20, m) for m in arguments.particles]
    if len(by_count) > 1:
        print(f"CPU seconds grow with shapes to the power {slope(arguments.count, by_count):.2f}")
    if len(by_particles) > 1:
        power = slope(arguments.particles, by_particles)
        print(f"CPU seconds grow with particles to the power {power:.2f}")
    if arguments.largest:
        measured(arguments.shapes, *arguments.largest)


def measured(folder: Path | None, shapes: int, particles: int) -> float:
    command = [sys.executable, "-m", "benchmarks.pdm_growth", "--one", str(shapes), str(particles)]
    command += ["--shapes", str(folder)] if folder else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{shapes:8d}{particles:11d}{result['wall']:10.1f}{result['cpu']:10.1f}{result['peak']:10.0f}",
        flush=True,
    )
    return float(result["cpu"])


def slope(sizes: list[int], seconds: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def run(folder: Path | None, shapes: int, particles: int) -> dict[str, float]:
    values = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["correspond"]
    config = CorrespondConfig.model_validate(values | {"particles": particles})
    torch.set_num_threads(config.threads)
    base = read_shapes(folder)[0] if folder else blobs(20, 1)
    generator = np.random.default_rng(0)
    surfaces = [
        base[row] if row < len(base) else deformed(base[row % len(base)], generator)
        for row in range(shapes)
    ]
    wall, cpu = time.perf_counter(), time.process_time()
    EntropyEngine(config).optimize(surfaces, [f"{row:04d}" for row in range(shapes)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak
    }  # fmt: skip


def deformed(mesh: Mesh, generator: np.random.Generator) -> Mesh:
    """Move a mesh by a few wide Gaussians."""
    centered = mesh.vertices - mesh.vertices.mean(0)
    size = np.sqrt(np.square(centered).sum(1).mean())
    moved = mesh.vertices.copy()
    for _ in range(6):
        place = centered[generator.integers(len(centered))]
        weight = np.exp(-np.square(centered - place).sum(1) / 2 / (0.6 * size) ** 2)
        moved += weight[:, None] * generator.normal(0, 0.06 * size, 3)
    return Mesh(moved, mesh.faces)


if __name__ == "__main__":
    main()
