"""What evaluation asks of the prediction of one subject."""

from pathlib import Path

from massm.evaluate.rows import DETECTION, LOCAL
from massm.io import predictions
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction


def read_prediction(path: Path) -> SubjectPrediction:
    """Read a prediction that evaluation needs.

    Raises:
        DataError: If there is none, or see :func:`massm.io.predictions.read`.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such prediction; predict must cover the splits of evaluate")
    return predictions.read(path)


def heads_of(prediction: SubjectPrediction) -> frozenset[str]:
    """Name the heads of the long table that a prediction has a part for.

    An anatomy that a model missed costs it something in these alone.
    """
    parts = {
        LOCAL: prediction.local is not None or prediction.labels is not None,
        DETECTION: prediction.boxes is not None,
        **dict.fromkeys(prediction.world, True),
    }
    return frozenset(head for head, given in parts.items() if given)
