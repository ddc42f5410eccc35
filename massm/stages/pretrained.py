"""Make a model that comes with the package, from the results of a run.

Called by hand or by ``make pretrained``, not by a rule: what it writes is part of the source.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from massm.config.loading import Config, load_files
from massm.inference.bundle import Bundle, load_bundle
from massm.io.atomic import replacing_folder
from massm.io.errors import DataError
from massm.io.tables import read_table
from massm.io.weights import load_weights
from massm.models.files import WEIGHTS
from massm.models.massm.impersonal import PERSONAL
from massm.stages import bundle as bundle_stage
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

MOST_BYTES = 10_000_000
_APART_MM = 0.1  # mean distance of coordinates at which two shapes are not the same
_MODEL = "massm"
_PRETRAINED = Path(__file__).parents[1] / "pretrained"


def run(*, name: str, configuration: list[Path], results: Path, output: Path = _PRETRAINED) -> None:
    """Make the model folder of a finished run anew, check that it can be given away, and keep it.

    Args:
        name: What the model is called.
        configuration: The complete configuration, then files of differences, as for the run.
        results: Results folder of the run.
        output: Folder of models that come with the package.

    Raises:
        DataError: If the folder is too large, names a subject, holds somebody's shape, or does not
            say what it was trained on and how good it is.
    """
    config = load_files(configuration)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / name
        _make(config, results, made)
        bundle = load_bundle(made)
        refuse_medoids(made, results / "train" / _MODEL)
        refuse_unfit(bundle, read_table(results / "dataset" / "subjects.tsv")["subject"])
        with replacing_folder(output / name) as beside:
            shutil.copytree(made, beside, dirs_exist_ok=True)
    log.info("%s: %.1f MB", output / name, size_of(output / name) / 1e6)


def _make(config: Config, results: Path, folder: Path) -> None:
    intervals = results / "intervals" / _MODEL / "intervals.npz"
    trust = results / "trust" / _MODEL / "trust.npz"
    bundle_stage.run(
        config.bundle,
        reconstruct=config.reconstruct,
        groom=config.groom,
        engine=config.correspond,
        model=config.entry(_MODEL),
        name=_MODEL,
        confidence=config.evaluate.confidence,
        anatomies=list(config.anatomies),
        train=results / "train" / _MODEL,
        results=results,
        output=folder,
        summary=results / "evaluate" / "summary.csv",
        intervals=intervals if _MODEL in config.intervals_of else None,
        trust=trust if _MODEL in config.trust_of else None,
    )


def refuse_unfit(bundle: Bundle, subjects: Iterable[str]) -> None:
    """Refuse a folder that cannot be part of the package.

    Args:
        bundle: The model folder.
        subjects: Names of all subjects of the run.

    Raises:
        DataError: Naming all that is wrong.
    """
    faults = []
    size = size_of(bundle.folder)
    if size > MOST_BYTES:
        faults.append(f"{size / 1e6:.1f} MB, at most {MOST_BYTES / 1e6:g} (bundle.precision: half)")
    if bundle.facts.template != "mean":
        faults.append("holds shapes of single subjects (bundle.template: mean)")
    missing = sorted({"name", "citation", "license"} - set(bundle.facts.data))
    if missing:
        faults.append(f"does not say of the data: {', '.join(missing)} (bundle.data)")
    if not bundle.metrics:
        faults.append("does not say how good it is (bundle.metrics: true)")
    contents = [path.read_bytes() for path in bundle.folder.iterdir()]
    named = [name for name in subjects if any(name.encode() in content for content in contents)]
    if named:
        faults.append(f"names {len(named)} subjects, such as {named[0]}")
    if faults:
        raise DataError(f"{bundle.folder} cannot come with the package: {'; '.join(faults)}")


def refuse_medoids(folder: Path, train: Path) -> None:
    """Refuse weights in which a medoid of the training stands.

    Args:
        folder: The model folder.
        train: Folder ``train/{model}`` of the run.

    Raises:
        DataError: Naming the arrays.
    """
    found, trained = load_weights(folder / WEIGHTS), load_weights(train / WEIGHTS)
    kept = [name for name in PERSONAL if (found[name] - trained[name]).abs().mean() < _APART_MM]
    if kept:
        raise DataError(f"{folder / WEIGHTS} holds shapes of single subjects: {', '.join(kept)}")


def size_of(folder: Path) -> int:
    """Sum up the sizes of a folder's files, bytes."""
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    stage_main(run)
