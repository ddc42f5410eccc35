"""What the stages up to correspond make of a small cohort of ellipsoids, as files."""

import numpy as np

from massm.config.loading import load_config, read_yaml
from massm.geometry.boxes import box_of
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.cohort import GroomRecord, write_groomed
from massm.stages import correspond, groom_align
from tests.pdm.shapes import PAPER, engine_settings, sphere
from tests.toy_cohort import ANATOMIES, PARTICLES, Cohort

ALIGNMENT = load_config(read_yaml(PAPER)).groom.alignment.model_copy(
    update={"points": 100, "reference_candidates": 2, "reflect": ("dark",)}
)
ENGINE = engine_settings(iterations=20, fixed_iterations=15).model_copy(
    update={"particles": PARTICLES}
)
HELD_OUT = ("t5", "t6", "t7")  # the last lacks the dark one


def write_run(folder):
    """Write tensors, groomed surfaces, alignments and particles; return the cohort."""
    cohort = Cohort(train=5, validation=len(HELD_OUT))
    cohort.write(folder / "tensors")
    index = folder / "groom" / "index" / "0000.tsv"
    rows = []
    for name in ANATOMIES:
        for subject in cohort.particles[name].subjects:
            file = surface_file(folder, subject, name)
            meshes.write(bent_ellipsoid(cohort, subject, name), file)
            split = cohort.splits[cohort.subjects.index(subject)]
            surface = file.relative_to(folder)
            rows.append(GroomRecord(subject, name, split, "groomed", surface=surface))
    write_groomed(rows, index)
    for name in ANATOMIES:
        alignment = folder / "groom" / "alignment" / f"{name}.json"
        groom_align.run(ALIGNMENT, anatomy=name, index=[index], results=folder, alignment=alignment)
        correspond.run(
            ENGINE,
            population=name,
            anatomies=[name],
            index=[index],
            alignments=[alignment],
            results=folder,
            particles=[folder / "correspond" / f"{name}.npz"],
            folders=[folder / "correspond" / name],
        )
    return cohort


def surface_file(folder, subject, anatomy):
    """Name the file of a groomed surface."""
    return folder / "groom" / "surfaces" / subject / f"{anatomy}.vtp"


def bent_ellipsoid(cohort, subject, anatomy):
    """The surface of an anatomy of a subject, LPS mm: bent, so that its sides differ."""
    particles = cohort.particles[anatomy]
    center, radii = box_of(particles.local[particles.row(subject)])
    ball = sphere(3)
    points = ball.vertices * radii
    points[:, 2] += 0.02 * points[:, 0] ** 2 + 0.2 * np.abs(points[:, 0]) * (points[:, 0] > 0)
    return Mesh(points + center, ball.faces)
