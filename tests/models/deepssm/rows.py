"""The rows of the comparison that DeepSSM makes, and what their tests share."""

import numpy as np
import torch

from massm.geometry.boxes import box_of
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.deepssm.model import build
from massm.models.interface import Step
from tests.toy_cohort import ANATOMIES, PARTICLES, deepssm_config

CROP = {"image": "crop", "particles": "world"}
ROWS = {
    "local": deepssm_config(networks="each"),
    "world full": deepssm_config(networks="each", particles="world"),
    "world": deepssm_config(networks="each", **CROP),
    "world detected": deepssm_config(networks="each", **CROP, crop="detected", boxes_of="massm"),
}
TRAINED = ("local", "world full", "world")


def prepared(data, particles, entry):
    torch.manual_seed(0)
    model = build(entry, data.template, data.manifest.preprocessing)
    model.prepare(lambda: particles, torch.Generator())
    return model


def step(epoch=0):
    return Step(epoch, torch.Generator().manual_seed(0))


def found_boxes(cohort, subject, shift=0.0, missed=()):
    """What a model that finds boxes says of a subject."""
    present = np.array(
        [subject in cohort.particles[name].subjects and name not in missed for name in ANATOMIES]
    )
    local = np.full((len(ANATOMIES), PARTICLES, 3), np.nan)
    for k, name in enumerate(ANATOMIES):
        if present[k]:
            local[k] = cohort.particles[name].local[cohort.particles[name].row(subject)] + shift
    boxes = PredictedBoxes(*box_of(local))
    score = np.where(present, 0.75, 0.25)
    return SubjectPrediction(ANATOMIES, present, score, boxes, None, {})
