"""The tables of a finished run as Markdown: every model, every anatomy, both frames.

usage: python -m benchmarks.comparison RESULTS --configuration FILE ... [--out-of-fold]

RESULTS is a folder in which `snakemake all` is done; --configuration are the files it was made
with, config.yaml first. Nothing is measured here: the numbers are those of evaluate/summary.csv, so
that a document's tables can be made anew. With --out-of-fold they are those of
crossval/summary.csv.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from massm.config.loading import Config, load_files
from massm.evaluate.rows import LOCAL
from massm.evaluate.scopes import ALL, ANATOMY, FOUND
from massm.io.tables import read_table
from massm.report.naming import Names, anatomy_label
from massm.report.run.model_costs import model_costs
from massm.report.run.shown import choose_shown
from massm.report.run.sources import read_run

NOTHING = "-"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--configuration", type=Path, nargs="+", required=True)
    parser.add_argument("--out-of-fold", action="store_true")
    given = parser.parse_args()
    config = load_files(given.configuration)
    folder = given.results / ("crossval" if given.out_of_fold else "evaluate")
    summary = read_table(folder / "summary.csv")
    names = Names.of(config.entries, config.evaluate.reference_model)
    models = [name for name in config.models if name in set(summary["model"])]
    order = [model for model, _ in names.ordered([(name, "") for name in models])]
    print("\n".join(accuracy(summary, order, config, names)))
    print()
    print("\n".join(frames(summary, order, names)))
    if not given.out_of_fold:
        print()
        print("\n".join(costs(given.results, config, names)))


def accuracy(
    summary: pd.DataFrame, models: Sequence[str], config: Config, names: Names
) -> Iterator[str]:
    """Yield the lines of the table of surface distances in the image."""
    anatomies = [name for name in config.anatomies if name in set(summary["anatomy"])]
    heads = [anatomy_label(name) for name in anatomies]
    yield _line(["model", *heads, "all, 95 % interval", "95th percentile", "missed"])
    yield _line(["---"] * (len(heads) + 4))
    for model in models:
        rows = summary[(summary["model"] == model) & (summary["head"] == LOCAL)]
        mean = rows[(rows["measure"] == "surface_mean") & (rows["counting"] == FOUND)]
        far = rows[(rows["measure"] == "surface_p95") & (rows["counting"] == FOUND)]
        if mean.empty:
            continue
        cells = [
            _mean(mean[(mean["scope"] == ANATOMY) & (mean["anatomy"] == a)]) for a in anatomies
        ]
        whole = mean[mean["scope"] == ALL]
        yield _line(
            [
                names.model(model),
                *cells,
                f"{_mean(whole)}, {_interval(whole)}",
                _mean(far[far["scope"] == ALL]),
                str(int(whole["missed"].iloc[0])),
            ]
        )


def frames(summary: pd.DataFrame, models: Sequence[str], names: Names) -> Iterator[str]:
    """Yield the lines of the table of particle errors in both frames, of all anatomies."""
    yield _line(["model", "output", "particle RMSE, 95 % interval", "surface distance"])
    yield _line(["---"] * 4)
    rows = summary[(summary["scope"] == ALL) & (summary["counting"] == FOUND)]
    for model in models:
        ours = rows[rows["model"] == model]
        for head in dict.fromkeys(ours["head"]):
            part = ours[ours["head"] == head]
            error = part[part["measure"] == "particle_rmse"]
            if error.empty:
                continue
            surface = _mean(part[part["measure"] == "surface_mean"])
            frame = "image" if head == LOCAL else f"world, {head}"
            told = f"{_mean(error)}, {_interval(error)}"
            yield _line([names.model(model), frame, told, surface])


def costs(results: Path, config: Config, names: Names) -> Iterator[str]:
    """Yield the lines of the table of what each model takes."""
    tables = read_run(
        results,
        config.anatomies,
        groomed=sorted(results.glob("groom/index/*.tsv")),
        training=sorted(results.glob("train/*/curves.csv")),
        measured=sorted(results.glob("evaluate/*/*.csv")),
        joint=config.correspond.joint,
    )
    yield _line(["model", "weights", "training", "seconds a scan", "memory, GB"])
    yield _line(["---"] * 5)
    for cost in model_costs(config, tables, choose_shown(tables, config.evaluate, names)):
        yield _line([cost.model, cost.weights, cost.training, cost.scan, cost.memory])


def _mean(rows: pd.DataFrame) -> str:
    if rows.empty:
        return NOTHING
    return f"{rows['mean'].iloc[0]:.2f} ({rows['median'].iloc[0]:.2f})"


def _interval(rows: pd.DataFrame) -> str:
    return f"{rows['ci_low'].iloc[0]:.2f} to {rows['ci_high'].iloc[0]:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
