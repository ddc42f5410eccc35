"""Peak memory of survey, grooming and export for one large scan, per process.

usage: python benchmarks/scan_memory.py [--size 512 512 800] [--code CHECKOUT ...]

Writes a synthetic scan (int16 NIfTI, air, a body, noise) with the masks of a lung-sized and of a
spleen-sized organ and a label map of both, and runs the stages dataset, groom and tensors on it as
the workflow's rules do, each in a fresh process whose peak resident memory the system tells. With
--code other checkouts are measured on the same files, such as the one before a change.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ANATOMIES = {
    "lung": ((-70.0, 0.0, 60.0), (60.0, 85.0, 130.0)),
    "spleen": ((90, 40, -90), (35, 28, 50)),
}
SPACING_MM = (0.75, 0.75, 0.8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs=3, default=[512, 512, 800])
    parser.add_argument("--code", type=Path, nargs="+", default=[ROOT])
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = [str(n) for n in arguments.size]
    if arguments.write is not None:
        write_scan(arguments.write, tuple(arguments.size))
        return
    print(machine())
    print(f"a scan of {' x '.join(size)} voxels, int16; peak resident memory of one process, GB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(ROOT, [__file__, "--size", *size, "--write", str(folder)])
        for code in arguments.code:
            for masks in ("masks", "labels"):
                measure(code.resolve(), folder, masks)


def measure(code: Path, folder: Path, masks: str) -> None:
    """Run the three stages of a checkout; print a line for each."""
    sections = json.loads(run(code, ["-c", _SECTIONS], folder).splitlines()[-1])
    survey = sections["dataset"] | {"root": str(folder / f"{masks}.tsv"), "layout": "table"}
    out = folder / "results"
    cohort, subjects = str(out / "cohort.tsv"), str(out / "subjects.tsv")
    names = list(ANATOMIES)
    jobs = {
        "dataset": ["--config", json.dumps(survey), "--anatomies", *names]
        + ["--cohort", cohort, "--subjects", subjects, "--threads", "1"],
        "groom": ["--config", json.dumps(sections["groom"]), "--cohort", cohort, "--subjects", "s0"]
        + ["--results", str(out), "--index", str(out / "index.tsv"), "--threads", "1"],
        "tensors": ["--config", json.dumps(sections["tensors"]), "--anatomies", *names]
        + ["--subjects", "s0", "--cohort", cohort, "--subject-table", subjects]
        + ["--correspond", *(str(folder / f"{name}.npz") for name in names)]
        + ["--output", str(out / "tensors")],
    }
    if "done: Path" in (code / "massm/stages/tensors.py").read_text(encoding="utf-8"):
        jobs["tensors"] += ["--done", str(out / "tensors.tsv")]
    for stage, job in jobs.items():
        start = time.monotonic()
        peak = peak_of(code, ["-m", f"massm.stages.{stage}", *job], folder)
        print(
            f"  {code.name:12} {masks:8} {stage:8} {peak:6.2f} GB {time.monotonic() - start:5.0f} s"
        )


_SECTIONS = """
import json
from pathlib import Path
from massm.config.loading import load_config, read_yaml
from massm.config.dataset import SurveyConfig
from massm.config.tensors import ExportConfig
import massm
config = load_config(read_yaml(Path(massm.__file__).parents[1] / "config.yaml"))
print(json.dumps({
    "dataset": config.dataset.part(SurveyConfig).model_dump(mode="json"),
    "groom": config.groom.surface.model_dump(mode="json"),
    "tensors": config.tensors.part(ExportConfig).model_dump(mode="json"),
}))
"""


def machine() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{pages * size / 2**30:.0f} GiB, Python {platform.python_version()}"
    )


def run(code: Path, command: list[str], folder: Path = ROOT) -> str:
    """Run Python on a checkout's code and return what it prints."""
    done = subprocess.run(
        [sys.executable, *command],
        env=environment(code),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command[:2])} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def peak_of(code: Path, command: list[str], folder: Path) -> float:
    """Run Python with a command line; return its peak resident memory, GB."""
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(
            [sys.executable, *command],
            env=environment(code),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(command[:2])} failed:\n{log.read()[-3000:]}")
    return usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e9 / 1024)


def environment(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def write_scan(folder: Path, size: tuple[int, int, int]) -> None:
    """Write scan, masks, label map, tables and particles; in a process of its own."""
    import nibabel
    import numpy as np

    from massm.geometry.particles import ParticleSet
    from massm.io.particles import save_set

    spacing = np.array(SPACING_MM)
    affine = np.diag([*(-spacing[:2]), spacing[2], 1.0])
    affine[:3, 3] = spacing * (np.array(size) - 1) / 2 * [1, 1, -1]
    labels = np.zeros(size[::-1], np.uint8)
    rng = np.random.default_rng(0)
    scan = np.full(size[::-1], -1000, np.int16)
    put_ellipsoid(scan, spacing, (0, 0, 0), (180, 130, 400), 40)
    for label, (name, (center, radii)) in enumerate(ANATOMIES.items(), start=1):
        put_ellipsoid(labels, spacing, center, radii, label)
        put_ellipsoid(scan, spacing, center, radii, -850 if name == "lung" else 110)
    for k in range(size[2]):
        scan[k] += rng.integers(-12, 13, scan[k].shape, np.int16)

    def save(array: Any, name: str) -> None:
        nibabel.save(nibabel.Nifti1Image(array.T, affine, dtype=array.dtype), folder / name)

    save(scan, "ct.nii.gz")
    save(labels, "labels.nii.gz")
    rows: dict[str, list[str]] = {"masks": [], "labels": []}
    for label, name in enumerate(ANATOMIES, start=1):
        save((labels == label).astype(np.uint8), f"{name}.nii.gz")
        rows["masks"].append(f"s0\t{name}\tct.nii.gz\t{name}.nii.gz\t\ttrain")
        rows["labels"].append(f"s0\t{name}\tct.nii.gz\tlabels.nii.gz\t{label}\ttrain")
        world = rng.normal(size=(1, 1024, 3)) * 20
        middle = np.array(ANATOMIES[name][0], float)
        transform = np.eye(4)[None].copy()
        transform[0, :3, 3] = -middle
        save_set(
            ParticleSet(("s0",), ("train",), world + middle, world, transform),
            folder / f"{name}.npz",
        )
    for kind, lines in rows.items():
        head = "subject\tanatomy\timage\tmask\tlabel\tsplit"
        (folder / f"{kind}.tsv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")


def put_ellipsoid(
    array: Any,
    spacing: Iterable[float],
    center: Sequence[float],
    radii: Sequence[float],
    value: float,
) -> None:
    """Fill an ellipsoid around a center (mm from the middle of the scan), slice by slice."""
    import numpy as np

    axes = [
        s * (np.arange(n) - (n - 1) / 2) for s, n in zip(spacing, array.shape[::-1], strict=True)
    ]
    x, y, z = ((a - c) / r for a, c, r in zip(axes, center, radii, strict=True))
    disk = x[None, :] ** 2 + y[:, None] ** 2
    for k, height in enumerate(z):
        array[k][disk + height**2 < 1] = value


if __name__ == "__main__":
    main()
