"""What a particle engine must do, and the engines there are."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.pdm.context import PopulationContext
from massm.pdm.correspondence import Correspondence
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.shapeworks.engine import ShapeWorksEngine
from massm.pdm.shapeworks.project import ProjectEngine


@runtime_checkable
class Backend(Protocol):
    """A particle engine: optimizes a population, then fits new shapes to the frozen result.

    One object serves one anatomy: :meth:`optimize` first, then :meth:`fit`.
    """

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Place corresponding particles on the training surfaces.

        Args:
            surfaces: Closed surfaces in one aligned frame, mm.
            names: Their subjects; the result does not depend on their order.

        Raises:
            ValueError: If fewer than three surfaces can be used.
        """
        ...

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Place the same particles on new surfaces; the model and the training shapes stay."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the frozen model as named arrays, for a file."""
        ...


BACKENDS: dict[str, Callable[[CorrespondConfig, PopulationContext], Backend]] = {
    "entropy": lambda config, context: EntropyEngine(config, checkpoint=context.checkpoint),
    "shapeworks": lambda config, _: ShapeWorksEngine(config),
    "project": ProjectEngine,
}
