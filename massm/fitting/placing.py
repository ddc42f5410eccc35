"""A closed surface placed in a frozen shape model: its particles, in the image and in the world."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from massm.config.correspond import CorrespondConfig
from massm.config.groom import AlignmentConfig
from massm.fitting.fit_model import FitModel
from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.mesh import Mesh
from massm.io.errors import DataError
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.surfaces import check_surface

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placed:
    """One shape in the shape model of its anatomy.

    Attributes:
        local: Particles on the surface, in its frame (LPS mm).
        world: The same in the population's frame, mm.
        transform: Matrix from the frame of the surface to that frame.
        distance_mm: Mean distance of the particles to the surface, mm.
        from_span_mm: Distance from the span of all training shapes, root mean square over
            particles, mm.
    """

    local: Float[np.ndarray, "M 3"]
    world: Float[np.ndarray, "M 3"]
    transform: Float[np.ndarray, "4 4"]
    distance_mm: float
    from_span_mm: float


@dataclass(frozen=True)
class Fitter:
    """Aligns and places new shapes of one anatomy, as the pipeline does with subjects to test.

    Attributes:
        model: Pose and particles of the population, frozen.
        alignment: How a shape is aligned.
        correspond: How particles are placed on it.
    """

    model: FitModel
    alignment: AlignmentConfig
    correspond: CorrespondConfig

    @property
    def particles(self) -> int:
        """Number of particles on each shape."""
        return len(self.model.frozen.shape.mean)

    def place(self, mesh: Mesh, name: str) -> Placed:
        """Place the model's particles on a surface.

        Args:
            mesh: Closed, faces outward, LPS mm.
            name: What it is called in messages.

        Raises:
            DataError: If the surface is empty, open or turned inside out.
        """
        try:
            check_surface(mesh, name)
        except ValueError as error:
            raise DataError(str(error)) from error
        pose = self.model.pose(mesh, self.alignment)
        engine = EntropyEngine(self.correspond, self.model.frozen)
        found = engine.fit([mesh.transformed(pose)], [name])
        if found.failed:
            raise DataError(found.failed[name])
        return Placed(
            local=apply_transform(invert_transform(pose), found.particles[0]),
            world=found.world[0],
            transform=found.procrustes[0] @ pose,
            distance_mm=float(found.diagnostics.distance_mean[0]),
            from_span_mm=float(found.diagnostics.residual[0]),
        )

    def place_all(self, meshes: Mapping[str, Mesh]) -> tuple[dict[str, Placed], dict[str, str]]:
        """Place the particles on several surfaces, each on its own, as many at a time as threads.

        What comes out for one does not depend on the others.

        Args:
            meshes: By name; see :meth:`place`.

        Returns:
            The placed ones, and the reasons for the others, by name.
        """
        placed: dict[str, Placed] = {}
        failed: dict[str, str] = {}
        threads = self.correspond.threads
        with (
            _torch_threads(threads),
            threadpool_limits(threads),
            ThreadPoolExecutor(threads) as pool,
        ):
            said = pool.map(self._placed_or_reason, meshes.values(), meshes)
            for done, (name, found) in enumerate(zip(meshes, said, strict=True), start=1):
                if isinstance(found, Placed):
                    placed[name] = found
                    log.info("%d/%d %s is placed", done, len(meshes), name)
                else:
                    failed[name] = found
        return placed, failed

    def _placed_or_reason(self, mesh: Mesh, name: str) -> Placed | str:
        try:
            return self.place(mesh, name)
        except DataError as error:
            return str(error)


@contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    """Let torch use so many threads, as where the model was made: one number, one result."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
