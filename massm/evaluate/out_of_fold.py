"""Measures of cross-validation: the tables of all folds as one, and the particles of one model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.geometry.particles import ParticleSet
from massm.geometry.warp import warp_weights

OUT_OF_FOLD = "out of fold"  # the split of all subjects, each measured when it was left out


def joined(folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join one table of each fold, in order; the column ``fold`` counts from 1.

    Args:
        folds: Tables with a column ``split``, where the fold's subjects are the test split.
    """
    numbered = [table.assign(fold=number) for number, table in enumerate(folds, start=1)]
    return pd.concat(numbered, ignore_index=True).assign(split=OUT_OF_FOLD)


def carried_to(
    whole: ParticleSet, fold: ParticleSet, subject: str, *, regularization_mm: float
) -> Float[np.ndarray, "M n"]:
    """Find the whole run's particles among those of a fold: ``particles = weights @ the fold's``.

    A fold makes its own shape model, whose particle 7 is at another place than the whole run's.
    Both lie on the surface of a subject that both were made of, and the warp that carries a
    template's mesh along its particles carries those of the other there.

    Args:
        whole: Particles of the whole run.
        fold: Of the run that leaves the fold out.
        subject: A training subject of both.
        regularization_mm: Smoothing of the warp.
    """
    places = whole.local[whole.row(subject)]
    return warp_weights(places, fold.local[fold.row(subject)], regularization=regularization_mm)
