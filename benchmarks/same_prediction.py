"""Compare what a model folder says of a run's subjects with what the run itself has written.

usage: python -m benchmarks.same_prediction RESULTS MODEL_FOLDER DATA [--model massm]

For every subject of RESULTS/predict/MODEL the scan (DATA/SUBJECT/ct.nii.gz, or another image or
DICOM folder called ct there) is read anew and goes through the model folder, as massm predict does.
Of the results nothing is read but predict/MODEL and reconstruct/MODEL, to compare: presence and
score, boxes, local and world particles, surfaces. Prints the largest difference of each, and ends
with 1 if an anatomy is found in one of both alone or anything is more than 0.001 mm apart.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from massm.geometry.mesh import Mesh
from massm.inference.bundle import load_bundle
from massm.inference.scan import predict_scan
from massm.io import meshes, predictions
from massm.io.images import read_scan
from massm.io.predictions import SubjectPrediction

LIMIT = 1e-3  # mm, and of the score


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("results", "folder", "data"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--model", default="massm")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    files = sorted((given.results / "predict" / given.model).glob("*.npz"))
    if not files:
        sys.exit(f"no predictions in {given.results / 'predict' / given.model}")
    bundle = load_bundle(given.folder)
    largest: defaultdict[str, float] = defaultdict(float)
    surfaces = 0
    for path in files:
        expected = predictions.read(path)
        scan = read_scan(scan_of(given.data, path.stem)).volume
        found, meshes_found = predict_scan(scan, bundle, name=path.stem)
        folder = given.results / "reconstruct" / given.model / path.stem
        for name, difference in differences(expected, found, folder, meshes_found):
            largest[name] = max(largest[name], difference)
        surfaces += len(meshes_found)
    print(f"{len(files)} subjects, {surfaces} surfaces; largest difference:")
    for name, difference in largest.items():
        print(f"  {name:24}{difference:12.2e}{'' if name == 'score' else ' mm'}")
    if not all(difference <= LIMIT for difference in largest.values()):
        sys.exit(f"more than {LIMIT} apart")


def scan_of(data: Path, subject: str) -> Path:
    """Find a subject's CT."""
    found = sorted(path for path in (data / subject).glob("ct*") if path.name.split(".")[0] == "ct")
    if len(found) != 1:
        sys.exit(f"{data / subject} holds {len(found)} images called ct, expected one")
    return found[0]


def differences(
    expected: SubjectPrediction, found: SubjectPrediction, folder: Path, surfaces: dict[str, Mesh]
) -> Iterator[tuple[str, float]]:
    """Yield by how much a subject's predictions differ; infinite where something is missing.

    Args:
        expected: What the run predicted.
        found: What the model folder predicts.
        folder: The run's surfaces of the subject.
        surfaces: The model folder's.
    """
    yield "score", float(np.abs(expected.score - found.score).max())
    if expected.found != found.found:
        yield f"found in {folder.name}", np.inf
        return
    for anatomy in expected.found:
        one, other = expected.box(anatomy), found.box(anatomy)
        if one is not None and other is not None:
            yield "box", apart(np.array([*one]), np.array([*other]))
        yield "local particles", apart(expected.local_of(anatomy), found.local_of(anatomy))
        worlds = expected.world_of(anatomy), found.world_of(anatomy)
        for head in worlds[0]:
            yield f"world particles, {head}", apart(*(world[head] for world in worlds))
        mesh = meshes.read(folder / f"{anatomy}.vtp")
        yield "surface", apart(mesh.vertices, surfaces[anatomy].vertices)
    written = {path.stem for path in folder.glob("*.vtp") if "-" not in path.stem}
    if written != surfaces.keys():
        yield f"surfaces of {folder.name}", np.inf


def apart(one: np.ndarray | None, other: np.ndarray | None) -> float:
    """Return the largest distance of corresponding points, mm; infinite if one set is missing."""
    if one is None or other is None or one.shape != other.shape:
        return 0.0 if one is other else np.inf
    return float(np.linalg.norm(one - other, axis=-1).max())


if __name__ == "__main__":
    main()
