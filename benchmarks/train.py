"""What a training step costs, part by part, in each number format.

usage: python -m benchmarks.train RESULTS --configuration FILE ... [--models NAME ...]
                                  [--precisions NAME ...] [--threads N ...] [--steps N] [--repeat N]

RESULTS is a folder whose tensors stage is done (`snakemake tensors`, and `tensors_labels` for a
U-Net); --configuration are the files it was made with, config.yaml first. Without --models every
model that is trained is measured. Each is built anew and makes --steps steps of the last epoch,
when all its losses count, as training makes them: subjects are read and augmented, then loss,
gradients, optimizer. The ways are taken in turn, --repeat times; of each the fastest is printed, in
wall seconds a step, and its ratio to the first way. Nothing is written.
"""

import argparse
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import torch

from benchmarks.scan_memory import machine
from massm.config.loading import Config, load_files
from massm.config.models.family import NetworkConfig
from massm.config.train import TrainConfig
from massm.machine.memory import keep_freed_memory
from massm.machine.precision import Precision
from massm.models.families import build_model
from massm.models.interface import Model, Step
from massm.tensors.dataset import generator_for
from massm.tensors.manifest import read_manifest
from massm.tensors.sample import Batch
from massm.tensors.template import load_template
from massm.training.data import CohortData
from massm.training.fit import seen_by

PARTS = ("data", "loss", "gradient", "optimizer")
FORMATS = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}


class Way(NamedTuple):
    """How a step is made."""

    precision: Precision
    threads: int


class Trained(NamedTuple):
    """A model to be trained, and what it is trained on."""

    model: Model
    config: TrainConfig
    data: CohortData


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--configuration", type=Path, nargs="+", required=True)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument(
        "--precisions",
        nargs="+",
        choices=["32-true", *FORMATS],
        default=["32-true", "bf16-mixed"],
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=2)
    given = parser.parse_args()
    keep_freed_memory()
    config = load_files(given.configuration)
    names = given.models or [n for n, e in config.models.items() if isinstance(e, NetworkConfig)]
    ways = [Way(*way) for way in itertools.product(given.precisions, given.threads)]
    print(machine())
    for name in names:
        trained = _build(config, name, given.results / "tensors")
        _show(name, measure(trained, ways, given.steps, given.repeat))


def _build(config: Config, name: str, tensors: Path) -> Trained:
    """Build a model's network, that of the first anatomy where each has its own."""
    entry = cast("NetworkConfig", config.models[name])
    manifest = read_manifest(tensors / "manifest.json")
    template = load_template(tensors / "template.safetensors")
    each = entry.facts.parts == "each anatomy"
    rows = manifest.rows_of(config.anatomies[:1] if each else None)
    torch.manual_seed(0)
    model = build_model(entry, template.take(rows), manifest.preprocessing)
    labels = tensors / "labels" if entry.facts.trains_on == "labels" else None
    training = config.training(name)
    seen = seen_by(model, manifest)
    data = CohortData(training, tensors, seen, template, model.stride, rows, labels)
    return Trained(model, training, data)


def measure(
    trained: Trained, ways: Sequence[Way], steps: int, repeat: int
) -> dict[Way, dict[str, float]]:
    """Return the seconds of each part of a step, the least of the repeats."""
    best: dict[Way, dict[str, float]] = {}
    for _ in range(repeat):
        for way in ways:
            times = _steps(trained, way, steps)
            if way not in best or sum(times.values()) < sum(best[way].values()):
                best[way] = times
    return best


def _steps(trained: Trained, way: Way, steps: int) -> dict[str, float]:
    model, config, data = trained
    torch.set_num_threads(way.threads)
    model.train()
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-6)  # the network hardly changes between ways
    batches = iter(data.train_dataloader())
    _step(model, next(batches), way, optimizer, config)  # what the first one alone costs
    total = dict.fromkeys(PARTS, 0.0)
    for _ in range(steps):
        start = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            batches = iter(data.train_dataloader())
            batch = next(batches)
        total["data"] += time.perf_counter() - start
        for name, seconds in _step(model, batch, way, optimizer, config).items():
            total[name] += seconds
    return {name: seconds / steps for name, seconds in total.items()}


def _step(
    model: Model, batch: Batch, way: Way, optimizer: torch.optim.Optimizer, config: TrainConfig
) -> dict[str, float]:
    marks = [time.perf_counter()]
    dtype = FORMATS.get(way.precision)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
        step = Step(config.epochs - 1, generator_for(0, 0, "benchmark"))
        total = model.loss(batch, step).total()
    marks.append(time.perf_counter())
    optimizer.zero_grad()
    total.backward()
    marks.append(time.perf_counter())
    optimizer.step()
    marks.append(time.perf_counter())
    return dict(zip(PARTS[1:], (b - a for a, b in itertools.pairwise(marks)), strict=True))


def _show(name: str, found: dict[Way, dict[str, float]]) -> None:
    print(f"\n{name}: seconds a step\n{'':24}" + "".join(f"{part:>11}" for part in PARTS), end="")
    print(f"{'all':>11}{'ratio':>8}")
    first = sum(next(iter(found.values())).values())
    for way, times in found.items():
        whole = sum(times.values())
        cells = "".join(f"{times[part]:11.3f}" for part in PARTS)
        print(f"{way.precision:12}{way.threads:3} threads {cells}{whole:11.3f}{whole / first:8.2f}")


if __name__ == "__main__":
    main()
