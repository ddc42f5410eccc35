"""What is known of each subject's organs: the truth that predictions are measured against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.geometry.boxes import Box, box_of
from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.io.particles import load_set
from massm.io.tables import read_table

_PRESENCE = {"used": True, "absent": False, "excluded": None}


@dataclass(frozen=True)
class TrueParticles:
    """The shape model's particles of one organ.

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
class Organ:
    """One anatomy of one subject.

    Attributes:
        anatomy: Its name.
        present: Whether it is in the image; None if unknown (excluded), which is never a negative.
        mask: File of the segmentation as it was drawn (a mask or distance, a label map, a mesh).
        label: Its value in a label map.
        surface: File of the groomed surface; None if grooming failed.
        particles: None if the shape model has no fit of it.
    """

    anatomy: str
    present: bool | None
    mask: Path
    label: int | None
    surface: Path | None
    particles: TrueParticles | None


@dataclass(frozen=True)
class Subject:
    """A subject and all its organs.

    Attributes:
        name: Its name.
        split: Which it belongs to.
        image: CT file or DICOM folder; None in a cohort of masks or meshes alone.
        organs: All anatomies.
    """

    name: str
    split: str
    image: Path | None
    organs: tuple[Organ, ...]

    @property
    def known(self) -> tuple[Organ, ...]:
        """The organs whose presence is known."""
        return tuple(organ for organ in self.organs if organ.present is not None)

    @property
    def present(self) -> tuple[Organ, ...]:
        """The organs that are in the image."""
        return tuple(organ for organ in self.organs if organ.present)


def read_subjects(
    cohort: Path,
    groomed: Sequence[Path],
    particles: Sequence[Path],
    *,
    results: Path,
    splits: Sequence[str],
) -> list[Subject]:
    """Read the tables and particle sets, and collect the subjects of some splits.

    Args:
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz``, one for each anatomy.
        results: Folder that the surfaces' paths are relative to.
        splits: Splits to collect, in the order wanted.
    """
    index = pd.concat([read_table(path) for path in groomed], ignore_index=True)
    sets = {path.stem: load_set(path) for path in particles}
    return collect_subjects(read_table(cohort), index, sets, results=results, splits=splits)


def collect_subjects(
    cohort: pd.DataFrame,
    groomed: pd.DataFrame,
    particles: Mapping[str, ParticleSet],
    *,
    results: Path,
    splits: Sequence[str],
) -> list[Subject]:
    """Bring together what the stages know of each subject.

    Args:
        cohort: Table of the ``dataset`` stage: one row for each subject and anatomy.
        groomed: Rows of the ``groom`` stage's index tables.
        particles: Particle set of each anatomy; the anatomies not named here are left out.
        results: Folder that the surfaces' paths are relative to.
        splits: Splits to collect, in the order wanted.

    Raises:
        DataError: If a split has no subject.
    """
    done = groomed[groomed["status"] == "groomed"]
    surfaces = {
        (str(row.subject), str(row.anatomy)): results / str(row.surface)
        for row in done.itertuples()
    }
    rows = {name: {s: i for i, s in enumerate(p.subjects)} for name, p in particles.items()}
    subjects = []
    for split in splits:
        wanted = cohort[(cohort["split"] == split) & cohort["anatomy"].isin(list(particles))]
        if wanted.empty:
            raise DataError(f"no subject of the cohort is in the split {split!r}")
        for name, group in wanted.groupby("subject", sort=True):
            organs = []
            for row in group.itertuples():
                anatomy = str(row.anatomy)
                place = rows[anatomy].get(str(name))
                truth = None if place is None else _particles(particles[anatomy], place)
                organs.append(_organ(row, surfaces.get((str(name), anatomy)), truth))
            image = str(group["image"].iloc[0])
            place_of_image = Path(image) if image else None
            subjects.append(Subject(str(name), split, place_of_image, tuple(organs)))
    return subjects


def _organ(row: object, surface: Path | None, particles: TrueParticles | None) -> Organ:
    values = row._asdict()  # type: ignore[attr-defined]
    status = str(values["status"])
    if status not in _PRESENCE:
        known = ", ".join(_PRESENCE)
        raise DataError(
            f"{values['subject']}, {values['anatomy']}: cohort status {status!r}, "
            f"expected one of {known}"
        )
    label = str(values.get("label", ""))
    return Organ(
        str(values["anatomy"]),
        _PRESENCE[status],
        Path(str(values["mask"])),
        int(label) if label else None,
        surface,
        particles,
    )


def _particles(population: ParticleSet, row: int) -> TrueParticles:
    return TrueParticles(population.local[row], population.world[row], population.transforms[row])
