"""Where the surfaces of an anatomy come from, for engines that need more than the surfaces."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class PopulationContext(NamedTuple):
    """What a shape model is made of, beside surfaces and config.

    Attributes:
        anatomy: Its name.
        alignments: Matrix from image to aligned frame, for every groomed subject of any split.
        project: ShapeWorks project to take the particles from; None for engines that place them.
        checkpoint: Folder for the state of a run that may be cut off; None: nothing is kept.
    """

    anatomy: str
    alignments: dict[str, Float[np.ndarray, "4 4"]]
    project: Path | None = None
    checkpoint: Path | None = None
