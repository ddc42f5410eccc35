"""Particles of a left and a right anatomy as one population: surfaces in, particles of each out."""

from dataclasses import replace
from pathlib import Path

from massm.config.correspond import CorrespondConfig
from massm.io.errors import DataError
from massm.pdm.fit import Fit
from massm.pdm.origin import Origin
from massm.stages._command import stage_main
from massm.stages.correspond import Parts, Subjects, place, read_subjects, write_results


def run(
    config: CorrespondConfig,
    *,
    anatomies: list[str],
    index: list[Path],
    alignments: list[Path],
    results: Path,
    particles: list[Path],
    folders: list[Path],
    truth: Path | None = None,
) -> None:
    """Optimize the training subjects of all anatomies together, then fit all others.

    Args:
        config: Engine and its settings.
        anatomies: Those that are pooled; alignment has made mirror images of each other alike.
        index: Tables of the groomed batches.
        alignments: ``groom/alignment/{anatomy}.json`` of each.
        results: Folder that the tables' paths start from.
        particles: The particle set to write, of each.
        folders: As for ``correspond``, of each; the model and its quality are the same in all.
        truth: Folder ``{subject}/{anatomy}.npz`` of known material points, of a phantom.
    """
    parts = {
        anatomy: read_subjects(anatomy, index, alignment, results)
        for anatomy, alignment in zip(anatomies, alignments, strict=True)
    }
    for anatomy in anatomies:
        if not parts[anatomy][0].names:
            raise DataError(f"{anatomy}: no training subject has a groomed and aligned surface")
    pool = (_pooled(parts, 0), _pooled(parts, 1))
    matrices = pool[0].alignments | pool[1].alignments
    checkpoint = folders[0] / "checkpoint"
    origin = Origin(" and ".join(anatomies), matrices, checkpoint=checkpoint)
    subjects = {name: _split(name)[0] for name in pool[0].names}
    fits, measured = place(config, origin, pool, subjects)
    for anatomy, file, folder in zip(anatomies, particles, folders, strict=True):
        own = (_of(fits[0], anatomy), _of(fits[1], anatomy))
        write_results(anatomy, own, parts[anatomy], measured, file, folder, truth)


def _pooled(parts: dict[str, Parts], split: int) -> Subjects:
    """Put the subjects of all anatomies together, named ``subject/anatomy``."""
    pool = Subjects([], {}, {}, [], {})
    for anatomy, both in parts.items():
        part = both[split]
        for name, surface in zip(part.names, part.surfaces, strict=True):
            shape = f"{name}/{anatomy}"
            pool.names.append(shape)
            pool.splits[shape] = part.splits[name]
            pool.files[shape] = part.files[name]
            pool.surfaces.append(surface)
            pool.alignments[shape] = part.alignments[name]
    return pool


def _of(fit: Fit, anatomy: str) -> Fit:
    """Take the shapes of one anatomy, named by their subjects again."""
    own = fit.ordered([name for name in fit.names if _split(name)[1] == anatomy])
    failed = {_split(name): reason for name, reason in fit.failed.items()}
    return replace(
        own,
        names=tuple(_split(name)[0] for name in own.names),
        failed={name: reason for (name, side), reason in failed.items() if side == anatomy},
    )


def _split(name: str) -> tuple[str, str]:
    subject, _, anatomy = name.rpartition("/")
    return subject, anatomy


if __name__ == "__main__":
    stage_main(run)
