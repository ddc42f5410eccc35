"""The results of ``tests/evaluate/synthetic.py`` with rivals: copies of models by other names."""

import shutil
from pathlib import Path

import pandas as pd

from massm.evaluate.comparison import frame_of
from massm.io.tables import read_table, write_table
from massm.report.naming import Names
from massm.stages import evaluate_summary
from tests.evaluate.synthetic import BOUNDS, CONFIG, KNOWING, OUTPUTS, reported, truth

RIVALS = {  # name: whose predictions it has, its label, its tables
    "deepssm_local": ("mean_shape", "DeepSSM, local", ("local",)),
    "deepssm_world": ("pca_oracle", "DeepSSM, world", ("world",)),
    "deepssm_world_full": ("mean_shape", "DeepSSM, world, whole image", ("world",)),
    "unet": ("pca_oracle", "U-Net", ("local", "detection")),
    "unet_multi": ("mean_shape", "U-Net, all anatomies", ("local", "detection")),
    "unet_fit": ("mean_shape", "U-Net, fitted", ("local", "world", "detection")),
}
NO_PARTICLES = ("unet", "unet_multi")
NAMES = Names(
    labels={"massm": "MASSM", **{name: label for name, (_, label, _) in RIVALS.items()}},
    bounds=BOUNDS,
    knowing=KNOWING,
    order=("massm", "mean_shape", *RIVALS, *KNOWING),
)


def with_rivals(folder: Path, target: Path) -> Path:
    """Copy a results folder and add the rivals: surfaces, long tables, summary and tests."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    missed = read_table(target / "evaluate" / "missed.csv")
    costs = [missed]
    for name, (source, _, kinds) in RIVALS.items():
        shutil.copytree(target / "reconstruct" / source, target / "reconstruct" / name)
        cost = missed[missed["model"] == source].assign(model=name)
        costs.append(cost[cost["head"].map(frame_of).isin(kinds)])
        for kind in kinds:
            table = read_table(target / "evaluate" / source / f"{kind}.csv").assign(model=name)
            if name in NO_PARTICLES:
                table = table[~table["measure"].str.startswith("particle_")]
            write_table(table, target / "evaluate" / name / f"{kind}.csv")
    write_table(pd.concat(costs, ignore_index=True), target / "evaluate" / "missed.csv")
    evaluate_summary.run(
        CONFIG,
        measured=measured(target),
        missed=target / "evaluate" / "missed.csv",
        cohort=truth(target)["cohort"],
        groomed=truth(target)["groomed"],
        **{n: target / "evaluate" / f"{n}.csv" for n in OUTPUTS},
        bounds=list(BOUNDS),
    )
    return target


def measured(folder: Path) -> list[Path]:
    """The long tables of all models."""
    kinds = {name: tables for name, (_, _, tables) in RIVALS.items()}
    own = [folder / "evaluate" / name / f"{kind}.csv" for name in kinds for kind in kinds[name]]
    return [*reported(folder)["measured"], *own]


def all_reported(folder: Path) -> dict[str, list[Path]]:
    """The tables that a report is given by name."""
    return {**reported(folder), "measured": measured(folder)}
