"""Statistical shape models of many anatomies, straight from CT."""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from massm.inference.api import LoadedModel

__version__ = "0.1.0"


def load(model: "str | PathLike[str] | None" = None) -> "LoadedModel":
    """Load a trained model: ``massm.load("head-neck").predict("ct.nii.gz")``.

    Args:
        model: Its folder, or the name of one that came with the package (``massm models``); None:
            the only one that came with it.

    Raises:
        massm.io.errors.DataError: If there is no such model or it cannot be used, with the reason.
    """
    from massm.inference import api  # torch and vtk take their time

    return api.load(model)
