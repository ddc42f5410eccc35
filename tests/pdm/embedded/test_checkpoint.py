import numpy as np
import pytest

from massm.pdm.embedded import engine as engine_module
from massm.pdm.embedded.checkpoint import Checkpoint, fingerprint
from massm.pdm.embedded.engine import EntropyEngine
from tests.pdm.shapes import engine_settings


class _PulledPlugError(Exception):
    pass


@pytest.fixture
def dense():
    settings = engine_settings(coarse_particles=20, tolerance=0.0)
    return settings.model_copy(update={"particles": 45})


@pytest.mark.parametrize("states", [2, 5, 7])
def test_a_run_that_was_cut_off_gives_the_same_particles(
    ellipsoids, names, dense, tmp_path, monkeypatch, states
):
    whole = EntropyEngine(dense).optimize(ellipsoids[:5], names[:5])
    written = []

    class Fragile(Checkpoint):
        def __init__(self, folder, mark):
            super().__init__(folder, mark, interval=0.0)

        def keep(self, level, state):
            super().keep(level, state)
            written.append((level, int(state.get("done", 0))))
            if len(written) == states:
                raise _PulledPlugError

    monkeypatch.setattr(engine_module, "Checkpoint", Fragile)
    folder = tmp_path / "checkpoint"
    with pytest.raises(_PulledPlugError):
        EntropyEngine(dense, checkpoint=folder).optimize(ellipsoids[:5], names[:5])
    before = written.copy()
    again = EntropyEngine(dense, checkpoint=folder)
    resumed = again.optimize(ellipsoids[:5], names[:5])
    np.testing.assert_array_equal(resumed.particles, whole.particles)
    np.testing.assert_array_equal(resumed.world, whole.world)
    assert not set(before) & set(written[states:])  # nothing was done twice
    assert not folder.exists()


def test_states_of_other_surfaces_or_settings_are_not_taken(ellipsoids, names, dense, tmp_path):
    mark = fingerprint(dense, ellipsoids[:3], names[:3])
    Checkpoint(tmp_path, mark).keep("20 particles", {"done": np.array(3)})
    assert int(Checkpoint(tmp_path, mark).recall("20 particles")["done"]) == 3
    for other in (
        fingerprint(dense, ellipsoids[1:4], names[:3]),
        fingerprint(dense, ellipsoids[:3], names[1:4]),
        fingerprint(dense.model_copy(update={"seed": 8}), ellipsoids[:3], names[:3]),
    ):
        assert Checkpoint(tmp_path, other).recall("20 particles") is None


def test_a_damaged_state_is_not_taken(tmp_path, caplog):
    (tmp_path / "20-particles.npz").write_bytes(b"PK half a file")
    assert Checkpoint(tmp_path, "mark").recall("20 particles") is None
    assert "it is not used" in caplog.text


def test_a_state_that_cannot_be_written_does_not_end_the_run(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    Checkpoint(tmp_path / "file" / "checkpoint", "mark").keep("20 particles", {})
    assert "cannot be kept" in caplog.text
