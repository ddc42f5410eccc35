"""Time and memory of each stage, from Snakemake's benchmark files."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from massm.io.tables import read_table

STAGES = (
    "phantom", "dataset", "groom", "correspond", "template", "tensors", "train", "bundle",
    "predict", "reconstruct", "evaluate", "report",
)  # fmt: skip
COLUMNS = ["stage", "jobs", "hours", "longest_hours", "cpu_hours", "memory_gib"]


def stage_costs(benchmarks: Path) -> pd.DataFrame:
    """Sum the benchmark files below a folder by stage.

    A file belongs to the stage whose name its path starts with (``groom/0000.tsv``,
    ``train_massm.tsv``).

    Args:
        benchmarks: Folder of the files; may be missing if nothing was benchmarked.

    Returns:
        One row for each stage in the order of the stages: number of jobs, their summed time, the
        longest of them and processor time (h), and the largest memory of a job (GiB).
    """
    rows = [
        (_stage(path.relative_to(benchmarks)), table)
        for path in sorted(benchmarks.rglob("*.tsv"))
        if not (table := read_table(path)).empty
    ]
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    jobs = pd.DataFrame(
        {
            "stage": [stage for stage, _ in rows],
            "hours": [_number(table, "s") / 3600 for _, table in rows],
            "cpu_hours": [_number(table, "cpu_time") / 3600 for _, table in rows],
            "memory_gib": [_number(table, "max_rss") / 1024 for _, table in rows],
        }
    )
    table = jobs.groupby("stage", as_index=False).agg(
        jobs=("hours", "size"),
        longest_hours=("hours", "max"),
        hours=("hours", "sum"),
        cpu_hours=("cpu_hours", "sum"),
        memory_gib=("memory_gib", "max"),
    )
    order = {name: place for place, name in enumerate(STAGES)}
    rank = table["stage"].map(lambda name: order.get(name, len(order)))
    return table.assign(rank=rank).sort_values(["rank", "stage"])[COLUMNS].reset_index(drop=True)


class Spent(NamedTuple):
    """What some jobs took.

    Attributes:
        seconds: Wall time, summed.
        processor_seconds: Summed.
        memory_gib: The largest of a job.
    """

    seconds: float
    processor_seconds: float
    memory_gib: float

    def each(self, count: int) -> "Spent":
        """Share the time among so many; the memory is what it is."""
        return Spent(self.seconds / count, self.processor_seconds / count, self.memory_gib)


def spent_in(files: Iterable[Path]) -> Spent | None:
    """Add up benchmark files; None if there is none, or one was not written."""
    tables = [read_table(path) if path.is_file() else pd.DataFrame() for path in files]
    if not tables or any(table.empty for table in tables):
        return None
    return Spent(
        sum(_number(table, "s") for table in tables),
        sum(_number(table, "cpu_time") for table in tables),
        max(_number(table, "max_rss") for table in tables) / 1024,
    )


def _stage(path: Path) -> str:
    name = path.parts[0].removesuffix(".tsv")
    return next((stage for stage in STAGES if name.startswith(stage)), name)


def _number(table: pd.DataFrame, column: str) -> float:
    """Read a column's last row; Snakemake writes ``-`` where a job was too short to be seen."""
    values = pd.to_numeric(table.get(column, pd.Series(dtype=float)), errors="coerce").dropna()
    return float(values.iloc[-1]) if len(values) else 0.0
