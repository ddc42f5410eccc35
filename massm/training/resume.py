"""Whether, and from where, an interrupted run goes on: nothing on disk is trusted unread."""

import logging
import math
import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from massm.io import documents
from massm.io.errors import DataError
from massm.io.weights import load_weights, read_facts
from massm.training.columns import Columns
from massm.training.module import TrainingModule

log = logging.getLogger(__name__)

CHECKPOINT, RUN = "last.ckpt", "run.json"
_PARTS = {"epoch", "state_dict", "optimizer_states", "lr_schedulers", "loops", "callbacks"}
# What reading a zip file, and a pickle in it, raises where bytes are wrong or missing.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
)


class UnusableError(DataError):
    """Why a run cannot be continued."""


def checkpoint_of(
    output: Path, run: str, module: TrainingModule, epochs: int, best: Path | None
) -> Path | None:
    """Return the checkpoint that a run goes on from, or None if it starts anew.

    A checkpoint that cannot be continued is removed, with a line in the log that says why.

    Args:
        output: Folder of the model's results.
        run: Fingerprint of configuration and tensors.
        module: The network as it is built now.
        epochs: How many are asked for.
        best: Where the best weights are kept; None if they are not asked for.
    """
    checkpoint = output / CHECKPOINT
    if not checkpoint.exists():
        return None
    try:
        _same_run(output / RUN, run)
        rows = _rows(_read(checkpoint), module.state_dict())
        if len(rows) > epochs:
            raise UnusableError(f"it is of epoch {len(rows)}, and train.epochs is {epochs} now")
        if best is not None:
            selects = Columns.of(module.model).selects
            best_error(best, rows, selects, module.model.state_dict())
    except UnusableError as reason:
        log.warning("%s cannot be continued: %s; training starts anew", checkpoint, reason)
        checkpoint.unlink(missing_ok=True)
        return None
    log.info("continuing from %s, after epoch %d", checkpoint, len(rows))
    return checkpoint


def start_run(output: Path, run: str) -> None:
    """Note which run the checkpoints to come belong to."""
    documents.write_json({"fingerprint": run}, output / RUN)


def best_error(
    path: Path,
    rows: list[dict[str, Any]],
    selects: str,
    state: Mapping[str, Tensor] | None = None,
) -> float:
    """Return the error of the best weights so far, mm; infinity before the first validation.

    The file may be that of an epoch after the checkpoint, which is then done again: it counts.

    Args:
        path: Where the best weights are.
        rows: History of the epochs that are done.
        selects: The column that they are the best by.
        state: Weights that those in the file have to fit; None: they are not read.

    Raises:
        UnusableError: If the best weights of those epochs are not in the file.
    """
    errors = [row[selects] for row in rows if math.isfinite(row.get(selects, math.nan))]
    if not path.exists():
        if errors:
            raise UnusableError(f"the best weights so far are asked for, and {path} is missing")
        return float("inf")
    try:
        found = float(read_facts(path)[selects])
        if state is not None:
            _fits(load_weights(path), state, path)
    except (DataError, KeyError, ValueError) as error:
        raise UnusableError(f"{path} does not hold the best weights ({error})") from error
    if not math.isfinite(found):
        raise UnusableError(f"{path} holds weights with an error of {found}")
    if errors and found > min(errors):
        raise UnusableError(
            f"{path} holds weights with an error of {found:.3f} mm, but {min(errors):.3f} mm "
            "was reached"
        )
    return found


def _same_run(path: Path, run: str) -> None:
    try:
        facts = documents.read_json(path) if path.exists() else None
    except (DataError, ValueError) as error:
        raise UnusableError(f"{path} does not say which run it belongs to ({error})") from error
    if not isinstance(facts, dict) or facts.get("fingerprint") != run:
        raise UnusableError(f"by {path} it is of another configuration or other tensors")


def _read(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
        found = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError:
        raise
    except (*_DAMAGE, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnusableError(f"its {size} bytes are damaged or cut ({reason})") from error
    if damaged:
        raise UnusableError(f"its {size} bytes are damaged (in {damaged})")
    if not isinstance(found, dict) or not found.keys() >= _PARTS:
        raise UnusableError("it is no checkpoint of a training run")
    return found


def _rows(checkpoint: dict[str, Any], state: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Return the history in a checkpoint whose parts fit the network and each other."""
    _fits(checkpoint["state_dict"], state, "it")
    rows: list[dict[str, Any]] = checkpoint["callbacks"].get("History", {}).get("rows", [])
    epochs = [row.get("epoch") for row in rows]
    if not epochs or epochs != list(range(1, checkpoint["epoch"] + 2)):
        raise UnusableError(
            f"it is of epoch {checkpoint['epoch'] + 1}, its history of epochs {epochs}"
        )
    return rows


def _fits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: object) -> None:
    """Check that two state dicts have the same names and shapes."""
    shapes = [{name: tuple(value.shape) for name, value in s.items()} for s in (found, expected)]
    if shapes[0] != shapes[1]:
        name = min(
            n for n in shapes[0].keys() | shapes[1].keys() if shapes[0].get(n) != shapes[1].get(n)
        )
        raise UnusableError(
            f"{what} does not fit this network: {name} is {shapes[0].get(name)}, expected "
            f"{shapes[1].get(name)}"
        )
