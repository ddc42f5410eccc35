"""What each model costs: training, weights, and one scan, from Snakemake's benchmark files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from massm.config.loading import Config
from massm.config.models.family import FamilyConfig, NetworkConfig
from massm.evaluate.rows import LOCAL
from massm.evaluate.scopes import ALL, WITH_MISSED
from massm.io.documents import read_json
from massm.report.run.shown import Shown
from massm.report.run.sources import RunTables
from massm.report.run.timing import Spent, spent_in
from massm.report.run.words import DASH, duration, number


@dataclass(frozen=True)
class ModelCost:
    """One model: what it took, and how good it is.

    Attributes:
        model: Its name for people.
        weights: Learned numbers, those of all its networks together.
        training: Hours of processors or of GPUs, of all its networks together.
        scan: Seconds for one scan with all anatomies, from the exported image to surfaces.
        processor: Processor seconds of the same.
        memory: Largest memory of a job that predicts or makes surfaces.
        surface_mean: Mean distance of its surfaces to the segmentation.
        local_rmse: RMSE of its particles in the image.
        world_rmse: The same in the population's frame, of its best output.
        includes: What of other models is part of it; empty if it stands alone.
    """

    model: str
    weights: str
    training: str
    scan: str
    processor: str
    memory: str
    surface_mean: str
    local_rmse: str
    world_rmse: str
    includes: str


def model_costs(config: Config, run: RunTables, shown: Shown) -> list[ModelCost]:
    """Read what the models of a run cost; without those that are given the truth alone.

    A model that needs what another one made costs what that one does, too: its training, and in
    every scan its prediction.

    Args:
        config: The whole configuration.
        run: Its folder and its subjects.
        shown: Names and summary.
    """
    entries = {name: e for name, e in config.entries.items() if e.facts.reads != "truth"}
    order = [model for model, _ in shown.names.ordered([(name, "") for name in entries])]
    return [_cost(name, config, run, shown) for name in order]


def _cost(name: str, config: Config, run: RunTables, shown: Shown) -> ModelCost:
    chain = needed_models(name, config.entries)
    networks = list(dict.fromkeys(config.models[one].weights_of or one for one in chain))
    trained = [one for one in networks if isinstance(config.models[one], NetworkConfig)]
    scan = _scan(chain, config, run)
    return ModelCost(
        model=shown.names.model(name),
        weights=_weights(trained, run.results),
        training=_training(trained, config, run.results),
        scan=f"{scan.seconds:.1f}" if scan else DASH,
        processor=f"{scan.processor_seconds:.1f}" if scan else DASH,
        memory=f"{scan.memory_gib:.1f}" if scan else DASH,
        surface_mean=_mean(shown, name, "surface_mean", local=True),
        local_rmse=_mean(shown, name, "particle_rmse", local=True),
        world_rmse=_mean(shown, name, "particle_rmse", local=False),
        includes=_includes(name, chain, trained, shown),
    )


def needed_models(name: str, entries: dict[str, FamilyConfig]) -> list[str]:
    """List the models whose predictions one needs, each after those that it needs; itself last.

    Args:
        name: Of the model.
        entries: What each model predicts by.
    """
    before = [needed_models(one, entries) for one in entries[name].asked.values()]
    return list(dict.fromkeys([*(one for names in before for one in names), name]))


def _training(trained: Sequence[str], config: Config, results: Path) -> str:
    """Add up the trainings: hours of GPUs where there are any, else of processors."""
    hours = {"CPU": 0.0, "GPU": 0.0}
    for name in trained:
        one = spent_in(_files(results / "benchmarks" / "train", name))
        if one is None:
            return DASH
        section = config.training(name)
        if section.accelerator == "gpu":
            hours["GPU"] += one.seconds * section.devices / 3600
        else:
            hours["CPU"] += one.processor_seconds / 3600
    told = [f"{duration(value)} {kind}" for kind, value in hours.items() if value]
    return " + ".join(told) or DASH


def _scan(chain: Sequence[str], config: Config, run: RunTables) -> Spent | None:
    """Add up predictions, and the surfaces that are the result or that another model reads."""
    folder = run.results / "benchmarks"
    made = {config.entries[name].surfaces_from for name in chain} | {chain[-1]}
    files = [folder / "predict" / f"{name}.tsv" for name in chain]
    files += [folder / "reconstruct" / f"{name}.tsv" for name in chain if name in made]
    spent = spent_in(files)
    used = run.subjects[run.subjects["status"] == "used"]
    subjects = int(used["split"].isin(config.predict.splits).sum())
    return spent.each(subjects) if spent and subjects else None


def _files(folder: Path, name: str) -> list[Path]:
    """Find a model's benchmark file, or those of its networks, one for each anatomy."""
    single = folder / f"{name}.tsv"
    return [single] if single.is_file() else sorted((folder / name).glob("*.tsv"))


def _weights(trained: Iterable[str], results: Path) -> str:
    """Count the learned numbers of some models, as their descriptions say."""
    total = 0
    for name in trained:
        folder = results / "train" / name
        single = folder / "model.json"
        found = [single] if single.is_file() else sorted(folder.glob("*/model.json"))
        counts = [read_json(path)["trained"].get("parameters") for path in found]
        if not counts or None in counts:
            return DASH
        total += sum(counts)
    return f"{total / 1e6:.2f} M" if total else DASH


def _mean(shown: Shown, model: str, measure: str, *, local: bool) -> str:
    """Return the mean of what was found, over all anatomies; of several world heads the best."""
    rows = shown.summary
    rows = rows[(rows["model"] == model) & (rows["measure"] == measure)]
    rows = rows[(rows["counting"] != WITH_MISSED) & ((rows["head"] == LOCAL) == local)]
    overall = rows[rows["scope"] == ALL]
    rows = rows if overall.empty else overall
    return DASH if rows.empty else number(float(rows["mean"].min()), str(rows["unit"].iloc[0]))


def _includes(name: str, chain: Sequence[str], trained: Sequence[str], shown: Shown) -> str:
    parts = [f"training and prediction of {shown.names.model(one)}" for one in chain[:-1]]
    parts += [
        f"training of {shown.names.model(one)}"
        for one in trained
        if one not in chain and one != name
    ]
    return "; ".join(parts)
