"""Find the template of one anatomy: particles and surfaces in, the medoid's surface out."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from massm.config.template import TemplateConfig
from massm.geometry.mesh import Mesh
from massm.io import meshes, particles
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.stages._command import stage_main
from massm.template.medoid import find_medoid

log = logging.getLogger(__name__)


def run(
    config: TemplateConfig,
    *,
    anatomy: str,
    particles_file: Path,
    results: Path,
    mesh: Path,
    record: Path,
) -> None:
    """Take the training subject nearest to the average shape.

    Args:
        config: Grid of the average.
        anatomy: Which anatomy.
        particles_file: ``correspond/{anatomy}.npz``.
        results: Results folder; surfaces lie in ``groom/surfaces/{subject}/{anatomy}.vtp``.
        mesh: Where the medoid's surface goes, image space.
        record: JSON document with its name, transform, all distances and rejected subjects.
    """
    population = particles.load_set(particles_file).of_split("train")
    transforms = dict(zip(population.subjects, population.transforms, strict=True))
    surfaces = _Surfaces(results / "groom" / "surfaces", anatomy, population.subjects)
    try:
        medoid = find_medoid(surfaces, transforms, spacing_mm=config.spacing_mm)
    except ValueError as error:
        raise DataError(f"{anatomy}: {error}") from error
    for subject, reason in medoid.rejected.items():
        log.warning("%s: %s cannot be the template: %s", anatomy, subject, reason)
    log.info(
        "%s: %s is the template, %.2f mm from the average of %d",
        *(anatomy, medoid.subject, medoid.distances[medoid.subject], len(surfaces)),
    )
    meshes.write(medoid.mesh, mesh)
    write_json(
        {
            "anatomy": anatomy,
            "subject": medoid.subject,
            "transform": transforms[medoid.subject].ravel().tolist(),
            "distances": {name: round(mm, 4) for name, mm in medoid.distances.items()},
            "rejected": medoid.rejected,
        },
        record,
    )


class _Surfaces(Mapping[str, Mesh]):
    """The groomed surfaces of one anatomy, read when asked for."""

    def __init__(self, folder: Path, anatomy: str, subjects: tuple[str, ...]) -> None:
        self._paths = {name: folder / name / f"{anatomy}.vtp" for name in subjects}

    def __getitem__(self, subject: str) -> Mesh:
        return meshes.read(self._paths[subject])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


if __name__ == "__main__":
    stage_main(run)
