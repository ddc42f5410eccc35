"""A new subject beside the training subjects, which stay as they are ("fixed domains").

Training subjects lie where the program's Procrustes alignment moved them, their landmarks are their
world particles. The new subject starts from the mean shape laid rigidly on its surface, and the
program aligns it to the others as it goes, if it aligned them. Projects can say so from version 6.4
on; where they are older, a parameter file says the same.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.geometry.alignment import fit_similarity
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.io.shapeworks import DOMAIN, ShapeWorksProject, write_project
from massm.io.shapeworks_parameters import Value, write_parameters
from massm.pdm.fixed import limit_of
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.pdm.shapeworks.program import (
    Program,
    optimize_parameters,
    read_file,
    read_particles,
    run_program,
)
from massm.pdm.shapeworks.subjects import groomed_row, write_groomed, write_landmarks

ROUNDS = 30  # of alignment to the surface; it settles in about 20


class Trained(NamedTuple):
    """What new subjects are fitted to.

    Attributes:
        names: The training subjects.
        surfaces: Their surfaces in the world frame, where their particles are fixed.
        world: Their particles, mm.
        shape: The model of these.
        residual_limit: Residual above which a shape lies outside of it, mm.
        is_aligned: Whether the program's Procrustes alignment made the world frame.
        is_scaled: Whether it scaled, too.
    """

    names: list[str]
    surfaces: list[Mesh]
    world: Float[np.ndarray, "N M 3"]
    shape: ShapeModel
    residual_limit: float
    is_aligned: bool
    is_scaled: bool

    @classmethod
    def of(
        cls,
        names: list[str],
        surfaces: list[Mesh],
        world: Float[np.ndarray, "N M 3"],
        config: CorrespondConfig,
    ) -> "Trained":
        """Make the model of training particles."""
        limit = limit_of(leave_one_out_residuals(world))
        is_aligned = config.shapeworks.procrustes_interval > 0
        is_scaled = is_aligned and config.entropy.scale
        return cls(names, surfaces, world, fit_shape_model(world), limit, is_aligned, is_scaled)

    def beside(
        self, new: Mesh, name: str
    ) -> tuple[list[str], list[Mesh], list[Float[np.ndarray, "M 3"]]]:
        """Give names, surfaces and first particles of the training subjects, then the new one's."""
        start = self._lay_mean_on(new) if self.is_aligned else self.shape.mean
        return [*self.names, name], [*self.surfaces, new], [*self.world, start]

    def align(self, local: Float[np.ndarray, "n M 3"]) -> Float[np.ndarray, "n M 3"]:
        """Align particles of new subjects to the mean, as the training subjects were."""
        if not self.is_aligned:
            return local
        points = torch.from_numpy(local)
        mean = torch.from_numpy(self.shape.mean).expand_as(points)
        return fit_similarity(points, mean, allow_scale=self.is_scaled).apply(points).numpy()

    def _lay_mean_on(self, surface: Mesh) -> Float[np.ndarray, "M 3"]:
        """Move the mean to where it lies nearest to a surface, starting where it is.

        Besl and McKay, "A method for registration of 3-D shapes", IEEE TPAMI 14(2), 1992.
        """
        index, mean = SurfaceIndex(surface), torch.from_numpy(self.shape.mean)
        moved = self.shape.mean
        for _ in range(ROUNDS):
            nearest = torch.from_numpy(index.closest(moved).point)
            moved = fit_similarity(mean, nearest, allow_scale=self.is_scaled).apply(mean).numpy()
        return moved


def fit_by_project(
    program: Program, config: CorrespondConfig, trained: Trained, new: Mesh, name: str, folder: Path
) -> Float[np.ndarray, "M 3"]:
    """Fit a new subject by a project with fixed subjects; returns its local particles, mm."""
    rows = []
    for each, mesh, points in zip(*trained.beside(new, name), strict=True):
        rows.append(
            groomed_row(mesh, each, folder)
            | {
                f"landmarks_file_{DOMAIN}": write_landmarks(points, each, folder),
                "fixed": "no" if each == name else "yes",
            }
        )
    changes = {
        "use_landmarks": "1",
        "use_fixed_subjects": "1",
        "fixed_subjects_column": "fixed",
        "fixed_subjects_choice": "yes",
        "narrow_band": "1e10",
        "multiscale": "0",
        "optimization_iterations": str(config.shapeworks.fixed_iterations),
    }
    parameters = {"optimize": optimize_parameters(config) | changes}
    project = folder / f"fixed.{config.shapeworks.project}"
    write_project(ShapeWorksProject(tuple(rows), parameters), project)
    run_program(program, project)
    local, _ = read_particles(project, [name], config.particles)
    return np.asarray(local[0])


def fit_by_parameter_file(
    program: Program, config: CorrespondConfig, trained: Trained, new: Mesh, name: str, folder: Path
) -> Float[np.ndarray, "M 3"]:
    """Fit a new subject by a parameter file with fixed domains; returns its local particles, mm."""
    settings, output = config.shapeworks, folder / "particles"
    names, surfaces, starts = trained.beside(new, name)
    files = [f"{row:04d}" for row in range(len(names))]  # names may hold white space
    output.mkdir(exist_ok=True)
    values: dict[str, Value] = {
        "number_of_particles": config.particles,
        "domain_type": "mesh",
        "inputs": [write_groomed(m, f, folder) for m, f in zip(surfaces, files, strict=True)],
        "point_files": [write_landmarks(p, f, folder) for p, f in zip(starts, files, strict=True)],
        "fixed_domains": range(len(names) - 1),
        "output_dir": output.name,
        "optimization_iterations": settings.fixed_iterations,
        "relative_weighting": settings.relative_weighting,
        "starting_regularization": settings.starting_regularization,
        "ending_regularization": settings.ending_regularization,
        "procrustes_interval": settings.procrustes_interval,
        "procrustes_scaling": int(trained.is_scaled),
        "checkpointing_interval": 0,
        "verbosity": 0,
    }
    path = folder / "fixed.xml"
    write_parameters(values, path)
    run_program(program, path)
    return read_file(output / f"{files[-1]}_local.particles", name, config.particles)
