"""What the optimization adds to the registered template that it is initialized by.

usage: python -m benchmarks.pdm_registration RESULTS ANATOMY [ANATOMY ...]

RESULTS is the folder of a run whose `correspond` stage is done. The same training surfaces, the
same template and as many particles: transferred by registration alone, and as the run has them.
Held-out subjects (all but the training split) are fitted in both ways. ``whole_surface_K``: of the
template moved along rebuilt particles, so that what no particle is near counts too.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.pdm import machine
from massm.config.correspond import CorrespondConfig
from massm.config.loading import read_yaml
from massm.geometry.alignment import apply_transform, fit_similarity
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.warp import warp_weights
from massm.io.particles import load_set
from massm.pdm import quality
from massm.pdm.diagnostics import diagnose
from massm.pdm.embedded.ensemble import TrainingEnsemble
from massm.pdm.embedded.initialization import transfer_particles
from massm.pdm.embedded.placement import Placement
from massm.pdm.embedded.registration import choose_reference, make_template
from massm.pdm.frames import normals_in_world, to_world
from massm.pdm.groomed import GroomedShapes, read_member
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet

MODES = (1, 3, 5, 10)
SAMPLES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("anatomies", nargs="+")
    options = parser.parse_args()
    print(machine())
    config = CorrespondConfig.model_validate(read_yaml(Path("config.yaml"))["correspond"])
    for anatomy in options.anatomies:
        table = compare(options.results, anatomy, config)
        print(f"{anatomy}\n{table.to_string(float_format=lambda value: f'{value:.4f}')}\n")


def compare(results: Path, anatomy: str, config: CorrespondConfig) -> pd.DataFrame:
    """Measure both ways; one column each."""
    index = sorted((results / "groom" / "index").glob("*.tsv"))
    alignment = results / "groom" / "alignment" / f"{anatomy}.json"
    member = read_member(anatomy, index, alignment, results)
    parts = (member.training, member.others)
    population = load_set(results / "correspond" / f"{anatomy}.npz")
    rows = {name: row for row, name in enumerate(population.subjects)}
    optimized = []
    for part in parts:
        part_rows = [rows[name] for name in part.names if name in rows]
        matrices = [part.alignments[population.subjects[row]] for row in part_rows]
        local = [
            apply_transform(matrix, population.local[row])
            for matrix, row in zip(matrices, part_rows, strict=True)
        ]
        optimized.append(np.stack(local))
    training, others = (_surfaces(part, rows) for part in parts)
    registered = register_alone(training, others, config, optimized[0].shape[1])
    return pd.DataFrame(
        {
            "registered": measure(training, others, *registered),
            "optimized": measure(training, others, *optimized),
        }
    )


def register_alone(
    training: SurfaceSet, others: SurfaceSet, config: CorrespondConfig, count: int
) -> tuple[Float[np.ndarray, "N M 3"], Float[np.ndarray, "K M 3"]]:
    """Transfer the particles of the reference surface to all, and leave them there."""
    placement = Placement(config)
    reference = choose_reference(training)
    vertices = config.entropy.initialization.template_vertices
    template = make_template(training.meshes[reference], vertices)
    own = placement.even(training, reference, count)
    transferred = [
        transfer_particles(template, own, placement.deformed(template, surfaces), surfaces)
        for surfaces in (training, others)
    ]
    return transferred[0].points.numpy(), transferred[1].points.numpy()


def measure(
    training: SurfaceSet,
    others: SurfaceSet,
    particles: Float[np.ndarray, "N M 3"],
    new: Float[np.ndarray, "K M 3"],
) -> pd.Series:
    """Measure a model of the training particles, and how it holds new ones; mm."""
    placed = training.project(torch.from_numpy(particles))
    ensemble = TrainingEnsemble(scale=False)
    transforms = ensemble.align(placed.points)
    aligned = to_world(placed.points, transforms)
    normals = normals_in_world(placed.normals, transforms)
    spacing = training.spacing(particles.shape[1])
    found = diagnose(aligned, normals, spacing, ensemble.pattern(aligned, normals))
    world = aligned.numpy()
    model = fit_shape_model(world)
    general = quality.generalization(training, world, transforms.numpy(), MODES)
    target = torch.from_numpy(model.mean).expand(len(new), -1, -1)
    matrix = fit_similarity(torch.from_numpy(new), target, allow_scale=False).matrix()
    joined = to_world(torch.from_numpy(new), matrix).numpy()
    values: dict[str, float] = {
        **quality.spread_measures(training, particles),
        "swapped_pairs": int(found.pairs("swapped").sum()),
        "collapsed_pairs": int(found.pairs("collapsed").sum()),
        **quality.compactness_measures(model),
    }
    for count in MODES:
        values[f"compactness_{count}"] = float(model.compactness[count - 1])
        values[f"generalization_{count}"] = general["particles"][count]
        values[f"to_surface_{count}"] = general["surface"][count]
    for count, (there, back) in whole_surfaces(training, particles, world, transforms).items():
        values[f"whole_surface_{count}"] = (there + back) / 2
        values[f"true_surface_to_rebuilt_{count}"] = there
    values |= {f"held_out_{k}": v for k, v in quality.spread_measures(others, new).items()}
    for count in MODES:
        gap = np.linalg.norm(joined - model.project(joined, count), axis=2)
        values[f"held_out_residual_{count}"] = float(gap.mean())
    return pd.Series(values)


def whole_surfaces(
    training: SurfaceSet,
    particles: Float[np.ndarray, "N M 3"],
    world: Float[np.ndarray, "N M 3"],
    transforms: Float[Tensor, "N 4 4"],
) -> dict[int, tuple[float, float]]:
    """Rebuild each shape by the first modes of all others, and its surface from that.

    The reference surface is moved along by the thin-plate spline through the particles.

    Returns:
        By number of modes: mean distance of the true surface to the rebuilt one, and of the
        rebuilt one to the true one, mm.
    """
    reference = choose_reference(training)
    rest = make_template(training.meshes[reference], SAMPLES)
    faces = rest.faces.numpy()
    weights = warp_weights(rest.vertices.numpy(), particles[reference])
    samples, _ = training.sample(SAMPLES, seed=0)
    distances: dict[int, list[tuple[float, float]]] = {count: [] for count in MODES}
    for row in range(len(world)):
        model = fit_shape_model(np.delete(world, row, 0), max(MODES))
        back = np.linalg.inv(transforms[row].numpy())
        for count in MODES:
            vertices = weights @ apply_transform(back, model.project(world[row], count))
            rebuilt = Mesh(vertices, faces)
            there = SurfaceIndex(rebuilt).closest(samples[row]).distance.mean()
            onto = training.take([row]).project(torch.from_numpy(vertices)[None])
            distances[count].append((float(there), float(onto.distance.mean())))
    return {
        count: (float(np.mean([d[0] for d in pairs])), float(np.mean([d[1] for d in pairs])))
        for count, pairs in distances.items()
    }


def _surfaces(part: GroomedShapes, known: dict[str, int]) -> SurfaceSet:
    chosen = [row for row, name in enumerate(part.names) if name in known]
    return SurfaceSet([part.surfaces[row] for row in chosen], [part.names[row] for row in chosen])


if __name__ == "__main__":
    main()
