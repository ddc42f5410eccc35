"""What a family without training may be told of the subjects that it predicts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io.predictions import SubjectPrediction
from massm.tensors.sample import Template

if TYPE_CHECKING:
    from massm.fitting.placing import Fitter  # with the particle engine, which few families need

Predictions = Iterator[tuple[str, SubjectPrediction]]


@dataclass(frozen=True)
class Known:
    """What there is; a family takes what its section says it reads.

    Attributes:
        subjects: Names of those to predict.
        particles: Correspondence of each anatomy, in their order; empty for what knows no truth.
        boxes: Reads the prediction of the model whose boxes or surfaces are asked for, by the
            subject's name.
        surfaces: Reads the surface that this model made in the image of a subject (first name) of
            an anatomy (second), LPS mm; None where it made none.
        fitters: Place surfaces of each anatomy in its frozen shape model; empty for what reads no
            surfaces.
        template: Shapes of the training split.
    """

    subjects: tuple[str, ...]
    particles: Mapping[str, ParticleSet]
    boxes: Callable[[str], SubjectPrediction]
    surfaces: Callable[[str, str], Mesh | None]
    fitters: "Mapping[str, Fitter]"
    template: Template
