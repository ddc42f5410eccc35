"""How well a joint model tells an anatomy from the others, against the mean shape."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.pdm.joint.blocks import BlockSet
from massm.pdm.joint.frames import JointFrame
from massm.pdm.joint.model import LEAST_SUBJECTS, JointModel, fit_joint_model

FOLDS = 60
"""Up to so many subjects are left out one by one; more, in so many groups."""

REFINEMENTS = 10
RESTING = 1e-3
"""Motion (mm, radians) at which a subject's place in the frame is found."""

EVIDENCE = tuple(4.0**-power for power in range(10))


class FramedModel(NamedTuple):
    """A joint model and the frame that its subjects are in."""

    frame: JointFrame
    model: JointModel

    def place(self, blocks: BlockSet) -> Float[np.ndarray, "N 4 4"]:
        """Find each subject's matrix to the frame, with what it lacks where the model expects it.

        Fewer anatomies would hold a body frame in another way than all do. So subjects are placed
        by what they have, then, again and again, by that and by what is expected of the rest.
        """
        transforms = self.frame.place(blocks)
        for _ in range(0 if blocks.present.all() else REFINEMENTS):
            moved = blocks.moved(transforms)
            step = self.frame.place(self.model.impute(moved))
            transforms = step @ transforms
            if np.abs(step - np.eye(4)).max() < RESTING:
                break
        return transforms


def fit_framed_model(
    training: BlockSet, modes: int, learn: Callable[[BlockSet], JointFrame]
) -> FramedModel:
    """Learn the frame, put the training subjects into it, fit their joint model."""
    frame = learn(training)
    return FramedModel(frame, fit_joint_model(training.moved(frame.place(training)), modes))


def hidden_errors(placed: FramedModel, subjects: BlockSet) -> pd.DataFrame:
    """Hide each anatomy in turn and expect it from the others.

    The frame too is found without the hidden anatomy: in a body frame its place is predicted with
    its shape. In world frames it has been aligned by itself, and only its shape is.

    Args:
        placed: Model and frame, of other subjects.
        subjects: As :func:`fit_framed_model` takes them; those with one anatomy are passed over.

    Returns:
        ``subject, anatomy, predicted_mm, mean_shape_mm``: mean distance of the true particles to
        the expected ones; and to the mean shape's, placed by the other anatomies alone.
    """
    tables = []
    for anatomy, part in subjects.slices.items():
        told = subjects.having(anatomy) & (subjects.present.sum(1) > 1)
        chosen = subjects.take(np.flatnonzero(told))
        seen = chosen.hide(anatomy)
        transforms = placed.place(seen)
        truth = chosen.moved(transforms).of(anatomy)
        expected = placed.model.expect(seen.moved(transforms))[:, part]
        unrefined = chosen.moved(placed.frame.place(seen)).of(anatomy)
        columns = {
            "subject": list(chosen.subjects),
            "anatomy": anatomy,
            "predicted_mm": np.linalg.norm(truth - expected, axis=-1).mean(1),
            "mean_shape_mm": np.linalg.norm(unrefined - placed.model.mean[part], axis=-1).mean(1),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def left_out_errors(
    training: BlockSet,
    modes: int,
    learn: Callable[[BlockSet], JointFrame],
    evidence: tuple[float, ...] = EVIDENCE,
) -> pd.DataFrame:
    """Hide anatomies of training subjects from models, and frames, made without these subjects.

    Returns:
        The columns of :func:`hidden_errors`, for each evidence in column ``evidence``.

    Raises:
        ValueError: If an anatomy is there in fewer than four subjects.
    """
    counts = dict(zip(training.anatomies, training.present.sum(0).tolist(), strict=True))
    few = {anatomy: count for anatomy, count in counts.items() if count <= LEAST_SUBJECTS}
    if few:
        raise ValueError(
            f"{', '.join(few)}: {min(few.values())} training subjects have it, leaving one out "
            f"needs at least {LEAST_SUBJECTS + 1}"
        )
    order = np.argsort(training.subjects)
    folds = min(FOLDS, len(order))
    tables = []
    for fold in range(folds):
        rows = order[fold::folds]
        placed = fit_framed_model(training.take(np.delete(order, np.s_[fold::folds])), modes, learn)
        for value in evidence:
            model = replace(placed.model, evidence=value)
            table = hidden_errors(placed._replace(model=model), training.take(rows))
            tables.append(table.assign(evidence=value))
    return pd.concat(tables, ignore_index=True)


def choose_evidence(errors: pd.DataFrame) -> float:
    """Choose the evidence whose predictions are best against the mean shape, over all anatomies.

    Args:
        errors: Of :func:`left_out_errors`.
    """
    means = errors.groupby(["evidence", "anatomy"])[["predicted_mm", "mean_shape_mm"]].mean()
    ratio = means.predicted_mm / means.mean_shape_mm.clip(lower=1e-12)
    by_evidence = ratio.groupby("evidence").mean()
    return float(by_evidence.index[int(by_evidence.argmin())])


def summarize(errors: pd.DataFrame) -> dict[str, dict[str, float | int]]:
    """Average over subjects, anatomy by anatomy; ``better``: share nearer than the mean shape."""
    return {
        str(anatomy): {
            "subjects": len(rows),
            "predicted_mm": float(rows.predicted_mm.mean()),
            "mean_shape_mm": float(rows.mean_shape_mm.mean()),
            "better": float((rows.predicted_mm < rows.mean_shape_mm).mean()),
        }
        for anatomy, rows in errors.groupby("anatomy", sort=False)
    }
