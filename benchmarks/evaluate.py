"""How long the evaluation of a whole comparison takes, and where the time goes.

usage: python -m benchmarks.evaluate [--subjects 30] [--anatomies 7] [--models 10] [--cores 2]
                                     [--results FOLDER] [--code CHECKOUT] [--tables FOLDER]

Writes synthetic predictions of as many models (masks of 1.5 mm, surfaces of 10000 triangles, 1024
particles) and runs the stages of ``evaluate`` on them as the workflow does with so many cores: the
tables of one model after the other, each with all cores, then what missed anatomies cost, then the
summary. Prints wall and processor seconds of each stage; on a busy machine only the latter say
something. Below stands where the time of measuring one subject goes, in one process.

A results folder named by --results is kept and taken again; --code measures another checkout on
it, such as the one before a change, and the tables of both (--tables) can then be compared by
benchmarks/same_bytes.py.
"""

import argparse
import cProfile
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.scan_memory import ROOT, machine
from benchmarks.synthetic_results import MODELS, anatomy_names, write_results
from massm.config._section import Section
from massm.config.evaluate import (
    ComparisonConfig,
    DetectionMeasuresConfig,
    SurfaceMeasuresConfig,
)
from massm.stages import evaluate_local, evaluate_world
from massm.stages._command import parse

_BOUNDS = ("mean_shape",)
_FUNCTIONS = (  # whose time is shown, with all that they call
    "read_prediction", "read_voxels", "mask_surface", "mask_dice", "read", "spread_points",
    "__init__", "closest", "is_closed", "surface_measures", "run",
)  # fmt: skip
Command = tuple[str, list[str]]  # stage, options


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--anatomies", type=int, default=7)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--code", type=Path, default=ROOT)
    parser.add_argument("--tables", type=Path)
    given = parser.parse_args()
    size = {name: vars(given)[name] for name in ("subjects", "anatomies", "models")}
    print(f"{machine()}; {given.cores} processes at most")
    print(", ".join(f"{count} {name}" for name, count in size.items()))
    with tempfile.TemporaryDirectory() as temporary:
        results = (given.results or Path(temporary) / "results").resolve()
        if not (results / "tensors").is_dir():
            write_results(results, **size)
        tables = (given.tables or results / "evaluate").resolve()
        models, anatomies = list(MODELS)[: given.models], anatomy_names(given.anatomies)
        show_stages(_commands(results, tables, models, anatomies, given.cores), given.code)
    if given.code == ROOT:
        show_parts()


def show_stages(commands: Iterator[Command], code: Path) -> None:
    """Run all stages one after the other; print wall and processor seconds of each kind."""
    times: dict[str, list[float]] = {}
    for stage, options in commands:
        spent = times.setdefault(stage, [0.0, 0.0, 0.0])
        spent[:] = [a + b for a, b in zip(spent, (1, *_timed(stage, options, code)), strict=True)]
    print(f"{'stage':<20}{'jobs':>6}{'wall s':>9}{'processor s':>13}")
    times["all"] = [sum(spent[place] for spent in times.values()) for place in range(3)]
    for stage, (jobs, wall, processor) in times.items():
        print(f"{stage:<20}{jobs:>6.0f}{wall:>9.0f}{processor:>13.0f}")


def show_parts() -> None:
    """Profile what is measured of one subject of a model with all outputs."""
    with tempfile.TemporaryDirectory() as temporary:
        results = Path(temporary)
        write_results(results, subjects=1, anatomies=7, models=1)
        for stage in (evaluate_local, evaluate_world):
            name = stage.__name__.rpartition(".")[2]
            commands = _commands(results, results / "evaluate", ["massm"], anatomy_names(7), 1)
            options = next(options for one, options in commands if one == name)
            profile = cProfile.Profile()
            profile.runcall(stage.run, **parse(stage.run, options))
            print(f"\n{name}, one subject of 7 anatomies: seconds in a function and what it calls")
            for seconds, calls, place in _longest(profile):
                print(f"{seconds:9.2f} {calls:6d} calls  {place}")


def _commands(
    results: Path, tables: Path, models: list[str], anatomies: list[str], cores: int
) -> Iterator[Command]:
    """Yield the stages of the rules, with the options that the rules give them."""
    particles = [results / "correspond" / f"{name}.npz" for name in anatomies]
    truth: dict[str, object] = {
        "cohort": results / "dataset" / "cohort.tsv",
        "groomed": results / "groom" / "index" / "0000.tsv",
        "particles": particles,
        "results": results,
    }
    measures, references = _section(SurfaceMeasuresConfig), results / "reconstruct" / "reference"
    measured = []
    for model in models:
        for kind in MODELS[model].tables:
            table = tables / model / f"{kind}.csv"
            measured.append(table)
            of_model: dict[str, object] = {"predictions": results / "predict" / model}
            if kind == "detection":
                of_model["config"] = _section(DetectionMeasuresConfig)
            else:
                of_model |= {"config": measures, "threads": cores, "references": references}
                of_model["surfaces"] = results / "reconstruct" / model
            yield f"evaluate_{kind}", _options(truth, of_model, model=model, table=table)
    yield (
        "evaluate_missed",
        _options(
            truth,
            config=measures,
            models=models,
            anatomies=anatomies,
            predictions=[results / "predict" / model for model in models],
            template=results / "tensors" / "template.safetensors",
            warps=[results / "reconstruct" / "warp" / f"{name}.npz" for name in anatomies],
            references=references,
            table=tables / "missed.csv",
            threads=cores,
        ),
    )
    yield (
        "evaluate_summary",
        _options(
            config=_section(ComparisonConfig),
            measured=measured,
            missed=tables / "missed.csv",
            cohort=truth["cohort"],
            groomed=truth["groomed"],
            bounds=[name for name in _BOUNDS if name in models],
            **{
                name: tables / f"{name}.csv" for name in ("summary", "tests", "claims", "anatomies")
            },
        ),
    )


def _options(*given: dict[str, object], **more: object) -> list[str]:
    words: list[str] = []
    for options in (*given, more):
        for name, value in options.items():
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return words


def _section(kind: type[Section]) -> str:
    """Return the part of config.yaml's section that a rule hands over, as JSON."""
    values = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["evaluate"]
    return json.dumps({name: values[name] for name in kind.model_fields})


def _timed(stage: str, options: list[str], code: Path) -> tuple[float, float]:
    """Run a stage of a checkout; return wall and processor seconds of it and its processes."""
    if stage == "evaluate_summary" and not (code / "massm" / "evaluate" / "claims.py").is_file():
        options = _without_claims(options)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [sys.executable, "-m", f"massm.stages.{stage}", *options],
        check=True,
        cwd=code,
        env=os.environ | {"PYTHONPATH": str(code)},
        stderr=subprocess.DEVNULL,
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _without_claims(options: list[str]) -> list[str]:
    """Leave out what older checkouts do not know."""
    config, claims = (options.index(name) + 1 for name in ("--config", "--claims"))
    values = json.loads(options[config])
    del values["claims"]
    kept = [*options[:config], json.dumps(values), *options[config + 1 :]]
    return kept[: claims - 1] + kept[claims + 1 :]


def _longest(profile: cProfile.Profile) -> Iterator[tuple[float, int, str]]:
    """Yield seconds, calls and name of the functions of this package that are shown."""
    found = []
    for (file, line, function), timing in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if "massm" in Path(file).parts and function in _FUNCTIONS:
            place = f"{Path(file).parent.name}/{Path(file).name}:{line} {function}"
            found.append((timing[3], timing[1], place))
    yield from sorted(found, reverse=True)[:16]


if __name__ == "__main__":
    main()
