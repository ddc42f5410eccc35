"""Config of the ``correspond`` stage."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from massm.config._section import FieldsAbove, Section
from massm.config.joint import JointConfig
from massm.config.names import Anatomy
from massm.config.project import ProjectConfig
from massm.config.shapeworks import ShapeWorksConfig


class InitializationConfig(Section):
    """How particles come to a first correspondence."""

    method: Literal["template", "splitting"] = Field(
        description="template: one surface's particles transferred to all shapes by non-rigid "
        "registration; splitting: from one particle, doubled level by level."
    )
    template_vertices: int = Field(ge=50, description="Vertices of the mesh that is registered.")
    samples: int = Field(ge=100, description="Points of each surface that draw the template.")
    rounds: PositiveInt = Field(description="Registration rounds, from coarse to fine.")
    coarsest: PositiveFloat = Field(description="Smoothing of the first round, in shape sizes.")
    finest: PositiveFloat = Field(description="Smoothing of the last round, in shape sizes.")


class EntropyConfig(Section):
    """The embedded particle engine."""

    renamed: ClassVar[dict[str, str]] = {"start": "initialization"}

    initialization: InitializationConfig
    iterations: PositiveInt = Field(
        description="Most iterations of the last level, at 256 particles and more; how many fewer "
        "particles, and those that transfer others, get of them: `length_of` in "
        "`massm/pdm/embedded/schedule.py`."
    )
    coarse_particles: int = Field(
        ge=8,
        description="Where at least twice as many particles are asked for, so many find the "
        "correspondence first and transfer the others.",
    )
    fine_iterations: PositiveInt = Field(
        description="Most iterations of these others, instead of `iterations`."
    )
    level_iterations: PositiveInt = Field(
        description="Most iterations of each level before the last (splitting)."
    )
    fixed_iterations: PositiveInt = Field(
        description="Most iterations for new subjects and a frozen model."
    )
    tolerance: float = Field(
        ge=0,
        description="Mean movement of the particles in one iteration at which a level ends, in "
        "particle spacings; 0 runs all iterations.",
    )
    correspondence_weight: PositiveFloat = Field(
        description="Weight of the ensemble entropy against the sampling entropy, at 256 "
        "particles; what it is at other numbers: `weight_of` in `massm/pdm/embedded/schedule.py`."
    )
    regularization_start: PositiveFloat = Field(
        description="Regularization of the ensemble entropy at the start of a level, as a fraction "
        "of the population's variance."
    )
    regularization_end: PositiveFloat = Field(
        description="The same near the end of a level, at 256 particles and more; how it decays, "
        "and where with fewer: `regularization_at` in `massm/pdm/embedded/schedule.py`."
    )
    step: float = Field(
        gt=0, le=0.5, description="Step size: fraction of the particle spacing per unit of force."
    )
    momentum: float = Field(ge=0, lt=1, description="Share of the last movement that goes on.")
    adaptivity: float = Field(
        ge=0,
        le=2,
        description="How much closer particles lie where the surfaces bend: 0 is even; 1 brings "
        "neighbors at places of mean bending twice as near as on flat ones.",
    )
    scale: bool = Field(description="Let Procrustes alignment scale shapes to a common size.")


# Sections that each backend reads; subjects that a project lacks are fitted by the engine.
USES = {
    "entropy": {"entropy"},
    "shapeworks": {"shapeworks"},
    "project": {"project", "entropy"},
}


class CorrespondConfig(Section):
    """Particle-based shape models, one of each population."""

    # Which anatomies share a job shows in its rule's own name, inputs and outputs.
    execution_only: ClassVar[frozenset[str]] = frozenset({"populations"})
    renamed: ClassVar[dict[str, str]] = {
        "pooled": "populations: {kidney: [kidney_left, kidney_right]}, each pair with a name,"
    }

    backend: Literal["entropy", "shapeworks", "project"] = Field(
        description="entropy: the embedded engine; shapeworks: the program ShapeWorks; project: "
        "particles that are there already, in a ShapeWorks project."
    )
    particles: int = Field(
        ge=8, description="Particles on each surface; any number (of a project: what it holds)."
    )
    seed: int = Field(ge=0, description="Start of the random generators.")
    device: str = Field(description="cpu, cuda or cuda:N; surfaces are always queried on the CPU.")
    threads: PositiveInt = Field(description="Threads of torch; one number, one result.")
    populations: dict[Anatomy, tuple[str, str]] = Field(
        description="Left and right anatomies that are one population, by its name: one model of "
        "all their training shapes, one frame. `groom.alignment.reflect` names one of each two. "
        "Every other anatomy is a population of its own."
    )
    entropy: EntropyConfig
    shapeworks: ShapeWorksConfig
    project: ProjectConfig
    joint: JointConfig

    @field_validator("particles")
    @classmethod
    def _can_be_made_by_the_backend(cls, particles: int, above: FieldsAbove) -> int:
        if above.data.get("backend") == "shapeworks" and particles & (particles - 1):
            raise ValueError("ShapeWorks doubles particles, so it makes powers of two alone")
        return particles

    @field_validator("populations")
    @classmethod
    def _every_anatomy_is_in_one(
        cls, populations: dict[str, tuple[str, str]], above: FieldsAbove
    ) -> dict[str, tuple[str, str]]:
        names = [name for members in populations.values() for name in members]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(twice)} is named twice; an anatomy is in one population alone"
            )
        backend = above.data.get("backend", "entropy")
        if populations and backend != "entropy":
            raise ValueError(
                f"backend {backend} makes one model for each anatomy; use backend entropy, or "
                "name no populations"
            )
        return populations

    @model_validator(mode="after")
    def _the_project_is_named(self) -> "CorrespondConfig":
        if self.backend == "project" and self.project.file is None:
            raise ValueError(
                "backend project needs correspond.project.file, the ShapeWorks project of each "
                "anatomy, such as shapeworks/{anatomy}.swproj"
            )
        return self

    def pool_of(self, anatomy: str) -> tuple[str, ...]:
        """Return the members of the population that an anatomy is in."""
        named = self.populations.values()
        return next((members for members in named if anatomy in members), (anatomy,))

    def populations_of(self, anatomies: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Name every population of a run, and its members: an anatomy alone is called as it is."""
        alone = [name for name in anatomies if self.pool_of(name) == (name,)]
        return {**self.populations, **{name: (name,) for name in alone}}

    def result_relevant(self) -> dict[str, Any]:
        """Return what the particles depend on: nothing of an engine that is not used."""
        unused = {name for name, value in self if isinstance(value, Section)} - USES[self.backend]
        return {
            name: value for name, value in super().result_relevant().items() if name not in unused
        }
