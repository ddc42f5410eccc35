"""What a run of the particle engine had reached, for the day it is cut off."""

import hashlib
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.pdm.embedded.tuning import TUNING

log = logging.getLogger(__name__)


class Checkpoint:
    """State of each level in a folder; a run that resumes gives bit by bit the same particles.

    What other surfaces, other subjects or other settings have left is not taken.
    """

    def __init__(
        self, folder: Path, fingerprint: str, *, interval: float = TUNING.checkpoint_seconds
    ) -> None:
        """Look after a folder.

        Args:
            folder: Made when there is something to keep.
            fingerprint: Of all that the run depends on, from :func:`fingerprint`.
            interval: Seconds between two states of one level.
        """
        self._folder = folder
        self._fingerprint = fingerprint
        self._interval = interval
        self._last = time.monotonic()

    def recall(self, level: str) -> dict[str, np.ndarray] | None:
        """Return the state of a level, None if there is none of this run."""
        path = self._path(level)
        if not path.is_file():
            return None
        try:
            state = load_arrays(path)
        except DataError as error:
            log.warning("%s; it is not used", error)
            return None
        if str(state.pop("fingerprint", "")) != self._fingerprint:
            log.info("%s is of other surfaces or settings and is not used", path)
            return None
        log.info("%s: going on from %s", level, path)
        return state

    @property
    def due(self) -> bool:
        """Whether it is time to keep a state."""
        return time.monotonic() - self._last >= self._interval

    def keep(self, level: str, state: dict[str, np.ndarray]) -> None:
        """Write the state of a level, whole or not at all; a full disk does not end the run."""
        self._last = time.monotonic()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_arrays({**state, "fingerprint": np.array(self._fingerprint)}, self._path(level))
        except OSError as error:
            log.warning("the state of %s cannot be kept (%s); the run goes on", level, error)

    def clear(self) -> None:
        """Remove all: the run is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, level: str) -> Path:
        return self._folder / f"{level.replace(' ', '-')}.npz"


def fingerprint(config: CorrespondConfig, surfaces: Sequence[Mesh], names: Sequence[str]) -> str:
    """Hash all that the particles depend on: settings, surfaces and their subjects."""
    total = hashlib.sha256(config.model_dump_json().encode())
    for name, mesh in zip(names, surfaces, strict=True):
        total.update(name.encode())
        total.update(np.ascontiguousarray(mesh.vertices).tobytes())
        total.update(np.ascontiguousarray(mesh.faces).tobytes())
    return total.hexdigest()
