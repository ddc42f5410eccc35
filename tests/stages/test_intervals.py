"""The stages of intervals, on ellipsoids whose errors are known."""

import numpy as np
import pytest

from massm.config.intervals import LevelConfig
from massm.config.reconstruct import ReconstructConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.particles import ParticleSet
from massm.io import documents, meshes, predictions
from massm.io.crossval import OutOfFoldRecord, write_out_of_fold
from massm.io.errors import DataError
from massm.io.intervals import read_intervals
from massm.io.particles import load_set, save_set
from massm.io.predictions import SubjectPrediction
from massm.io.residuals import Residuals, read_residuals, write_residuals
from massm.io.tables import read_table
from massm.stages import (
    evaluate_coverage,
    intervals,
    intervals_out_of_fold,
    intervals_residuals,
)
from tests.evaluate.synthetic import (
    ANATOMIES,
    CONFIG,
    EXCLUDED,
    MISSED,
    SPLITS,
    truth,
    write_results,
)
from tests.evaluate.test_calibration import drawn


def measured(results, output, split="test", model="massm"):
    intervals_residuals.run(
        split=split, **truth(results), predictions=results / "predict" / model, residuals=output
    )
    return read_residuals(output)


def test_residuals_are_distances_to_the_segmentation(evaluated, tmp_path):
    found = measured(evaluated, tmp_path / "test.npz")
    assert found.anatomies == ANATOMIES
    assert found.subjects == tuple(sorted(name for name in SPLITS if SPLITS[name] == "test"))
    row, column = found.subjects.index("s6"), ANATOMIES.index("spleen")
    said = predictions.read(evaluated / "predict/massm/s6.npz").local_of("spleen")
    surface = meshes.read(evaluated / "groom/surfaces/s6/spleen.vtp")
    expected = SurfaceIndex(surface).closest(said).distance
    np.testing.assert_allclose(found.distance_mm[row, column], expected, rtol=1e-5)
    assert expected.max() < 2.2  # all were moved by 2 mm along x; the mesh is coarse

    def known(subject, anatomy):
        return found.known[found.subjects.index(subject), ANATOMIES.index(anatomy)]

    assert np.argwhere(found.missed).tolist() == [
        [found.subjects.index(MISSED[0]), ANATOMIES.index(MISSED[1])]
    ]
    assert known(*MISSED)
    assert not known(*EXCLUDED)  # cut by the field of view: withheld
    assert not known("s10", "kidney_left")  # absent


def test_a_split_without_subjects_gives_no_residuals(evaluated, tmp_path):
    found = measured(evaluated, tmp_path / "none.npz", split="nobody")
    assert found.distance_mm.shape == (0, 2, 48)


def test_the_stage_chooses_radii_says_so_and_gives_the_same_again(tmp_path):
    distance = drawn(0, 20, 2)
    distance[4:, 1] = np.nan
    names = tuple(f"s{n}" for n in range(20))
    write_residuals(Residuals(names, ANATOMIES, distance), tmp_path / "residuals.npz")

    def made(name, level=0.9):
        path = tmp_path / name
        intervals.run(
            LevelConfig(level=level),
            residuals=tmp_path / "residuals.npz",
            calibration="validation split",
            intervals=path,
        )
        return path

    first, again = made("one.npz"), made("two.npz")
    assert first.read_bytes() == again.read_bytes()
    found = read_intervals(first)
    assert (found.level, found.calibration) == (0.9, "validation split")
    assert [one.pooled for one in found.anatomies.values()] == [False, True]
    wider = read_intervals(made("one.npz", 0.95)).anatomies["spleen"]
    assert wider.whole >= found.anatomies["spleen"].whole


def test_coverage_is_measured_of_every_model(tmp_path):
    paths = []
    for number, count in enumerate((30, 12, 25, 12)):
        path = tmp_path / f"{number}.npz"
        names = tuple(f"s{n}" for n in range(count))
        write_residuals(Residuals(names, ANATOMIES, drawn(number, count, 2)), path)
        paths.append(path)
    for path in paths[::2]:
        intervals.run(
            LevelConfig(level=0.9),
            residuals=path,
            calibration="validation split",
            intervals=path.with_suffix(".intervals.npz"),
        )
    table = tmp_path / "coverage.csv"
    evaluate_coverage.run(
        CONFIG,
        split="test",
        models=["massm", "mean_shape"],
        intervals=[path.with_suffix(".intervals.npz") for path in paths[::2]],
        calibration=paths[::2],
        measured=paths[1::2],
        table=table,
    )
    found = read_table(table)
    assert list(dict.fromkeys(found["model"])) == ["massm", "mean_shape"]
    stated = found[found["stated"]]
    assert len(stated) == 2 * 2 * 3
    assert set(stated["n"]) == {12, 24}
    assert stated["covered"].between(0.5, 1).all()


@pytest.fixture
def crossed(tmp_path):
    """A run, and a fold of it whose particles are those of the run in another order."""
    results = write_results(tmp_path / "whole")
    fold = results / "crossval/fold_1"
    order = np.random.default_rng(0).permutation(48)
    for name in ANATOMIES:
        own = load_set(results / f"correspond/{name}.npz")
        mixed = ParticleSet(
            own.subjects, own.splits, own.local[:, order], own.world[:, order], own.transforms
        )
        save_set(mixed, fold / f"correspond/{name}.npz")
        documents.write_json({"subject": "s1"}, fold / f"template/{name}.json")
    records = []
    for subject in ("s0", "s4"):
        local = [
            load_set(fold / f"correspond/{name}.npz").local[int(subject[1:])] for name in ANATOMIES
        ]
        offset = np.zeros((48, 3))
        offset[order == 7] = [0, 0, 30.0]  # one particle of the run is far off
        said = SubjectPrediction(
            *(ANATOMIES, np.array([True, subject == "s0"]), np.ones(2), None),
            local=np.stack(local) + offset,
            world={},
        )
        path = fold / f"predict/massm/{subject}.npz"
        predictions.write(said, path)
        records.append(OutOfFoldRecord("massm", subject, 1, path.relative_to(results), "ab", "cd"))
    write_out_of_fold(records, fold / "out_of_fold.tsv")
    return results


def out_of_fold(results, model="massm"):
    path = results / "intervals/massm/crossval.npz"
    intervals_out_of_fold.run(
        ReconstructConfig(regularization_mm=0.0),
        model=model,
        folds=[results / "crossval/fold_1/out_of_fold.tsv"],
        **truth(results),
        residuals=path,
    )
    return read_residuals(path)


def test_out_of_fold_it_is_the_runs_own_particles_that_are_measured(crossed):
    found = out_of_fold(crossed)
    assert found.subjects == ("s0", "s4")
    assert found.missed.tolist() == [[False, False], [False, True]]
    spleen = found.distance_mm[:, 0]
    assert (spleen.argmax(1) == 7).all()
    assert spleen[:, np.arange(48) != 7].max() < 0.5
    assert spleen[:, 7].min() > 10


def test_a_model_that_no_fold_predicted_by_is_named(crossed):
    with pytest.raises(DataError, match="no fold was predicted by unet"):
        out_of_fold(crossed, "unet")
