"""Joint shape model of several anatomies: their particles in, one shape space of all out."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.joint import JointConfig
from massm.geometry.particles import ParticleSet
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.io.particles import load_set, save_arrays
from massm.io.tables import write_table
from massm.pdm.joint.blocks import BlockSet, join_blocks
from massm.pdm.joint.frames import FRAMES
from massm.pdm.joint.model import JointModel
from massm.pdm.joint.quality import (
    EVIDENCE,
    FramedModel,
    choose_evidence,
    fit_framed_model,
    hidden_errors,
    left_out_errors,
    summarize,
)
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: JointConfig,
    *,
    particles: list[Path],
    model: Path,
    scores: Path,
    quality: Path,
) -> None:
    """Fit the joint model of the training subjects; measure what it tells of hidden anatomies.

    Args:
        config: Anatomies, frame, modes.
        particles: ``correspond/{anatomy}.npz`` of each anatomy.
        model: Mean, modes, variances, noise and the layout of the blocks.
        scores: Table of all subjects: which anatomies they have, and their scores, in standard
            deviations of the modes.
        quality: JSON document: compactness, and errors of expected anatomies in mm.
    """
    sets = {path.stem: load_set(path) for path in particles}
    kind, learn = FRAMES[config.pose]
    try:
        training = join_blocks(sets, kind, "train")
        candidates = EVIDENCE if config.evidence is None else (config.evidence,)
        errors = left_out_errors(training, config.modes, learn, candidates)
        placed = fit_framed_model(training, config.modes, learn)
    except ValueError as error:
        raise DataError(f"joint model: {error}") from error
    best = choose_evidence(errors)
    placed = placed._replace(model=replace(placed.model, evidence=best))
    hidden = {"left_out": summarize(errors[errors.evidence == best])}
    for split in ("validation", "test"):
        others = join_blocks(sets, kind, split)
        if others.subjects:
            hidden[split] = summarize(hidden_errors(placed, others))
    _tell(hidden)
    save_arrays(placed.model.arrays(), model)
    write_table(_scores(placed, join_blocks(sets, kind), sets), scores)
    write_json({**_measures(placed.model, training), "hidden": hidden}, quality)


def _measures(model: JointModel, training: BlockSet) -> dict[str, object]:
    """Say what the model was made of, and how compact it is."""
    present = training.present
    return {
        "subjects": len(training.subjects),
        "complete_subjects": int(present.all(1).sum()),
        "subjects_of": dict(zip(training.anatomies, present.sum(0).tolist(), strict=True)),
        "modes": len(model.variances),
        "noise": model.noise,
        "evidence": model.evidence,
        "steps": len(model.log_likelihoods),
        "compactness": model.compactness.tolist(),
    }


def _scores(placed: FramedModel, blocks: BlockSet, sets: dict[str, ParticleSet]) -> pd.DataFrame:
    splits = {
        name: split
        for part in sets.values()
        for name, split in zip(part.subjects, part.splits, strict=True)
    }
    found = placed.model.posterior(blocks.moved(placed.place(blocks))).mean
    found = found / np.sqrt(placed.model.variances)
    columns: dict[str, object] = {
        "subject": list(blocks.subjects),
        "split": [splits[name] for name in blocks.subjects],
    }
    columns |= {f"has_{name}": blocks.having(name) for name in blocks.anatomies}
    columns |= {f"mode_{number + 1}": found[:, number] for number in range(found.shape[1])}
    return pd.DataFrame(columns)


def _tell(hidden: dict[str, dict[str, dict[str, float | int]]]) -> None:
    for split, anatomies in hidden.items():
        for anatomy, values in anatomies.items():
            log.info(
                "%s, %s hidden: expected from the others %.2f mm off, the mean shape %.2f mm",
                *(split.replace("_", " "), anatomy),
                *(values["predicted_mm"], values["mean_shape_mm"]),
            )


if __name__ == "__main__":
    stage_main(run)
