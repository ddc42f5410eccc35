"""How much a shape model moves with the subset of subjects, their order and the seed.

usage: python -m benchmarks.pdm_stability --shapes DIR [--runs 50] [--particles 128]
           [--share 0.75]

Every run takes a random share of DIR's shapes (.ply or .vtp, aligned) in random order, with a seed
of its own, and leaves the others out. Printed: mean, standard deviation, least and largest value of
each measure over the runs; the left-out shapes are fitted to the frozen model.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from benchmarks.pdm import machine, read_shapes
from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.pdm import quality
from massm.pdm.correspondence import Correspondence
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.fixed import FrozenModel
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--particles", type=int, default=128)
    parser.add_argument("--share", type=float, default=0.75)
    arguments = parser.parse_args()
    values = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["correspond"]
    surfaces, names = read_shapes(arguments.shapes)
    print(machine())
    kept = max(3, round(arguments.share * len(surfaces)))
    print(
        f"{arguments.runs} runs, {kept} of {len(surfaces)} shapes, {arguments.particles} particles"
    )
    rows = []
    for run in range(arguments.runs):
        config = CorrespondConfig.model_validate(
            values | {"particles": arguments.particles, "seed": run}
        )
        torch.set_num_threads(config.threads)
        order = np.random.default_rng(run).permutation(len(surfaces))
        rows.append(measures(config, surfaces, names, order[:kept], order[kept:]))
    print(f"{'':54}{'mean':>10}{'sd':>10}{'least':>10}{'largest':>10}")
    for name in rows[0]:
        column = np.array([row[name] for row in rows])
        numbers = (column.mean(), column.std(), column.min(), column.max())
        print(f"{name:54}" + "".join(f"{number:10.4f}" for number in numbers))


def measures(
    config: CorrespondConfig,
    surfaces: list[Mesh],
    names: list[str],
    train: np.ndarray,
    new: np.ndarray,
) -> dict[str, float]:
    engine = EntropyEngine(config)
    fit = engine.optimize([surfaces[i] for i in train], [names[i] for i in train])
    there = SurfaceSet([surfaces[i] for i in train], list(fit.names))
    model = fit_shape_model(fit.world)
    spread = quality.spread_measures(there, fit.particles)
    modes = min(10, len(train) - 2)
    general = quality.generalization(there, fit.world, fit.procrustes, (1, 3, modes))
    result = {
        "variance in the first mode": float(model.compactness[0]),
        "variance in three modes": float(model.compactness[2]),
        "nearest-neighbor variation": spread["nearest_variation"],
        "covering radius, mm": spread["covering_radius"],
    }
    for count, value in general["surface"].items():
        result[f"left out, to surface, {count} modes, mm"] = value
    result["swapped and collapsed pairs"] = float(
        fit.diagnostics.swapped.sum() + fit.diagnostics.collapsed.sum()
    )
    if len(new):
        unseen, began = [surfaces[i] for i in new], time.process_time()
        fitted = engine.fit(unseen, [names[i] for i in new])
        result["new subjects, CPU s each"] = (time.process_time() - began) / len(new)
        distance = fitted.diagnostics.distance_max.max()
        result["new subjects, farthest particle from its surface, mm"] = float(distance)
        result[f"new subjects by {modes} modes, to surface, mm"] = rebuilt_distance(
            unseen, fitted, engine.model, modes
        )
        result["new subjects, from the span, mm"] = float(fitted.diagnostics.residual.mean())
        result["new subjects, called outside"] = float(fitted.diagnostics.outside_span.mean())
    return result


def rebuilt_distance(
    surfaces: list[Mesh], fitted: Correspondence, frozen: FrozenModel, modes: int
) -> float:
    """Rebuild new subjects by some modes; mean distance of their particles to the surfaces, mm."""
    back = np.linalg.inv(fitted.procrustes)
    rebuilt = frozen.shape.project(fitted.world, modes)
    local = rebuilt @ back[:, :3, :3].transpose(0, 2, 1) + back[:, None, :3, 3]
    there = SurfaceSet(surfaces, list(fitted.names)).project(torch.from_numpy(local))
    return float(there.distance.mean())


if __name__ == "__main__":
    main()
