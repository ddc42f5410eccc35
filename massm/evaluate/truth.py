"""What is known of each subject's anatomies: the truth that predictions are measured against."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.geometry.boxes import Box, box_of
from massm.geometry.particles import ParticleSet
from massm.io.cohort import AnatomyRecord, GroomRecord, Status, read_cohort, read_groomed
from massm.io.errors import DataError
from massm.io.particles import load_set
from massm.io.sources import Source

_PRESENCE: dict[Status, bool | None] = {"used": True, "absent": False, "excluded": None}


@dataclass(frozen=True)
class TrueParticles:
    """The shape model's particles of one anatomy of one subject.

    Attributes:
        local: Particles, image frame, LPS mm.
        world: The same particles, population frame, mm.
        transform: Matrix from image to world.
    """

    local: Float[np.ndarray, "M 3"]
    world: Float[np.ndarray, "M 3"]
    transform: Float[np.ndarray, "4 4"]

    @property
    def box(self) -> Box:
        """The box of the local particles, LPS mm."""
        return Box(*box_of(self.local))


@dataclass(frozen=True)
class TrueAnatomy:
    """One anatomy of one subject.

    Attributes:
        name: Of the anatomy.
        present: Whether it is in the image; None if unknown (excluded), which is never a negative.
        source: File of the segmentation as it was drawn; None if it is not in the image, or if that
            is unknown.
        surface: File of the groomed surface; None if grooming failed.
        particles: None if the shape model has no fit of it.
    """

    name: str
    present: bool | None
    source: Source | None
    surface: Path | None
    particles: TrueParticles | None


@dataclass(frozen=True)
class TrueSubject:
    """A subject and all its anatomies.

    Attributes:
        name: Its name.
        split: Which it belongs to.
        image: CT file or DICOM folder; None in a cohort of masks or meshes alone.
        anatomies: All of them.
    """

    name: str
    split: str
    image: Path | None
    anatomies: tuple[TrueAnatomy, ...]

    @property
    def known(self) -> tuple[TrueAnatomy, ...]:
        """The anatomies whose presence is known."""
        return tuple(one for one in self.anatomies if one.present is not None)

    @property
    def present(self) -> tuple[TrueAnatomy, ...]:
        """The anatomies that are in the image."""
        return tuple(one for one in self.anatomies if one.present)


def read_subjects(
    cohort: Path,
    groomed: Sequence[Path],
    particles: Sequence[Path],
    *,
    results: Path,
    splits: Sequence[str],
) -> list[TrueSubject]:
    """Read the tables and particle sets, and collect the subjects of some splits.

    Args:
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz``, one for each anatomy.
        results: Folder that the surfaces' paths are relative to.
        splits: Splits to collect, in the order wanted.
    """
    sets = {path.stem: load_set(path) for path in particles}
    return collect_subjects(
        *(read_cohort(cohort), read_groomed(groomed), sets), results=results, splits=splits
    )


def collect_subjects(
    cohort: Sequence[AnatomyRecord],
    groomed: Sequence[GroomRecord],
    particles: Mapping[str, ParticleSet],
    *,
    results: Path,
    splits: Sequence[str],
) -> list[TrueSubject]:
    """Bring together what the stages know of each subject.

    Args:
        cohort: Rows of ``dataset/cohort.tsv``.
        groomed: Rows of ``groom/index/*.tsv``.
        particles: Particle set of each anatomy; the anatomies not named here are left out.
        results: Folder that the surfaces' paths are relative to.
        splits: Splits to collect, in the order wanted.

    Raises:
        DataError: If a split has no subject.
    """
    surfaces = {
        (row.subject, row.anatomy): row.surface_in(results)
        for row in groomed
        if row.status == "groomed"
    }
    places = {name: {s: i for i, s in enumerate(p.subjects)} for name, p in particles.items()}

    def known(row: AnatomyRecord) -> TrueAnatomy:
        place = places[row.anatomy].get(row.subject)
        truth = None if place is None else _particles(particles[row.anatomy], place)
        return _anatomy(row, surfaces.get((row.subject, row.anatomy)), truth)

    return [
        TrueSubject(name, split, rows[0].image, tuple(map(known, rows)))
        for split in splits
        for name, rows in _by_subject(cohort, split, particles)
    ]


def _by_subject(
    cohort: Sequence[AnatomyRecord], split: str, anatomies: Container[str]
) -> list[tuple[str, list[AnatomyRecord]]]:
    """Collect the rows of each subject of a split, in the order of their names."""
    found: dict[str, list[AnatomyRecord]] = {}
    for row in cohort:
        if row.split == split and row.anatomy in anatomies:
            found.setdefault(row.subject, []).append(row)
    if not found:
        raise DataError(f"no subject of the cohort is in the split {split!r}")
    return sorted(found.items())


def _anatomy(
    row: AnatomyRecord, surface: Path | None, particles: TrueParticles | None
) -> TrueAnatomy:
    source = row.file if row.is_used else None
    return TrueAnatomy(row.anatomy, _PRESENCE[row.status], source, surface, particles)


def _particles(population: ParticleSet, row: int) -> TrueParticles:
    return TrueParticles(population.local[row], population.world[row], population.transforms[row])
