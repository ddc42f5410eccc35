"""A new subject beside the training subjects, which stay as they are ("fixed domains").

Landmarks of the training subjects are their world particles, those of the new one the mean shape's.
Projects can say so from version 6.4 on; where they are older, a parameter file says the same.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
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


class Trained(NamedTuple):
    """What new subjects are fitted to."""

    names: list[str]
    surfaces: list[Mesh]  # world frame, where their particles are fixed
    world: Float[np.ndarray, "N M 3"]
    shape: ShapeModel
    residual_limit: float

    @classmethod
    def of(
        cls, names: list[str], surfaces: list[Mesh], world: Float[np.ndarray, "N M 3"]
    ) -> "Trained":
        """Make the model of aligned training particles, mm."""
        limit = limit_of(leave_one_out_residuals(world))
        return cls(names, surfaces, world, fit_shape_model(world), limit)

    def beside(
        self, new: Mesh, name: str
    ) -> tuple[list[str], list[Mesh], list[Float[np.ndarray, "M 3"]]]:
        """Give names, surfaces and first particles of the training subjects, then the new one's."""
        return [*self.names, name], [*self.surfaces, new], [*self.world, self.shape.mean]


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
        "procrustes": "0",
        "multiscale": "0",
        "optimization_iterations": str(config.shapeworks.fixed_iterations),
    }
    parameters = {"optimize": optimize_parameters(config) | changes}
    project = folder / f"fixed.{config.shapeworks.project}"
    write_project(ShapeWorksProject(tuple(rows), parameters), project)
    run_program(program, project)
    return read_particles(project, [name], config.particles)[0][0]


def fit_by_parameter_file(
    program: Program, config: CorrespondConfig, trained: Trained, new: Mesh, name: str, folder: Path
) -> Float[np.ndarray, "M 3"]:
    """Fit a new subject by a parameter file with fixed domains; returns its local particles, mm."""
    names, surfaces, starts = trained.beside(new, name)
    files = [f"{row:04d}" for row in range(len(names))]  # names may hold white space
    settings, output = config.shapeworks, folder / "particles"
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
        "procrustes_interval": 0,
        "procrustes_scaling": 0,
        "checkpointing_interval": 0,
        "verbosity": 0,
    }
    path = folder / "fixed.xml"
    write_parameters(values, path)
    run_program(program, path)
    return read_file(output / f"{files[-1]}_local.particles", name, config.particles)
