"""What a model folder says of itself beside arrays: how it predicts, and what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from massm.config.correspond import CorrespondConfig
from massm.config.groom import GroomConfig


@dataclass(frozen=True)
class Facts:
    """Facts of a model folder.

    Attributes:
        template: ``medoid``, or ``mean`` where no file holds a single subject's shape.
        precision: Of the stored weights, ``single`` or ``half``.
        change_mm: Of each anatomy, how far surfaces by the mean shape lie from those by the medoid,
            on average over training subjects, mm; 0 where the medoid is the template.
        subjects: Usable subjects of each split.
        organs: Of each anatomy: scans that have it in ``train``, ``validation`` and ``test``, in
            which it is ``absent``, and in which it was ``excluded`` (cut by the field of view, an
            outlier, a damaged mask).
        data: What was said of the data: some of name, citation, license, url.
        metrics: Rows of the run's evaluation of this model, see
            :func:`massm.inference.run_facts.metrics_of`; empty without one.
        confidence: Level of their intervals, 0 to 1.
        groom: How surfaces were made and aligned.
        correspond: How particles were placed.
    """

    template: str
    precision: str
    change_mm: dict[str, float]
    subjects: dict[str, int]
    organs: dict[str, dict[str, int]]
    data: dict[str, str]
    metrics: list[dict[str, Any]]
    confidence: float
    groom: GroomConfig
    correspond: CorrespondConfig

    def document(self) -> dict[str, Any]:
        """Lay all out for a JSON document."""
        plain = {name: value for name, value in vars(self).items() if name not in _SECTIONS}
        return plain | {name: getattr(self, name).model_dump(mode="json") for name in _SECTIONS}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Facts":
        """Read what :meth:`document` laid out.

        Raises:
            KeyError, TypeError, ValueError: If something is missing or of another kind.
        """
        return cls(
            template=str(document["template"]),
            precision=str(document["precision"]),
            change_mm={name: float(value) for name, value in document["change_mm"].items()},
            subjects={name: int(count) for name, count in document["subjects"].items()},
            organs={name: dict(counts) for name, counts in document["organs"].items()},
            data=dict(document["data"]),
            metrics=[dict(row) for row in document["metrics"]],
            confidence=float(document["confidence"]),
            groom=GroomConfig.model_validate(document["groom"]),
            correspond=CorrespondConfig.model_validate(document["correspond"]),
        )


_SECTIONS = ("groom", "correspond")


def without_places(correspond: CorrespondConfig) -> CorrespondConfig:
    """Take out of a section what names places on one machine, or that machine's devices.

    A new shape is fitted by the embedded engine on the CPU, whatever made the particles.
    """
    return correspond.model_copy(
        update={
            "backend": "entropy",
            "device": "cpu",
            "threads": 1,
            "populations": {},
            "shapeworks": correspond.shapeworks.model_copy(update={"keep": None}),
            "project": correspond.project.model_copy(update={"file": None}),
        }
    )
