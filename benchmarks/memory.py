"""Peak memory of tensors and training against the number of subjects: does it grow?

usage: python benchmarks/memory.py [--subjects 8 32 128] [--anatomies 4] [--particles 1024]

Random cohorts of small CTs with ellipsoids in them, and particles as many as the paper's. For each
size the stages tensors (jobs of 16 subjects, the largest counts), tensors_manifest and train (one
epoch, so that every subject is seen) run one after the other as the workflow runs them, each in a
fresh process whose peak resident memory the system tells. A network of few weights leaves nothing
to hide behind. The last column is the slope between the smallest and the largest cohort.

The manifest's job holds the particles of one anatomy's training subjects, since their modes are
computed from all of them; the other two should not grow.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STAGES = ("tensors", "tensors_manifest", "train")
BATCH = 16  # jobs.tensors_subjects
# Differences from config.yaml.
CHANGES = {
    "tensors": {"spacing_mm": 4.0, "modes": 10},
    "models": {
        "massm": {
            "backbone": {
                "name": "resnet10",
                "width": 8,
                "norm": "group",
                "levels": 2,
                "channels": 8,
            },
            "detection": {"channels": 8},
            "roi": {"size": 3, "channels": 4},
            "local": {"hidden": [32], "basis_modes": 8},
            "world": {"hidden": [32], "decoder_hidden": [32], "pretrain_steps": 50},
            "objective": {
                "weights": {
                    name: {"first": 1.0, "from_epoch": 0, "step": 0.0, "last": 1.0}
                    for name in ("heatmap", "radius", "offset", "local", "world")
                },
            },
        }
    },
    "train": {
        "epochs": 1,
        "batch_size": 2,
        "validate_every": 1,
        "accelerator": "cpu",
        "threads": 1,
        "precision": "32-true",
        "workers": 0,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--subjects", type=int, nargs="+", default=[8, 32, 128])
    parser.add_argument("--anatomies", type=int, default=4)
    parser.add_argument("--particles", type=int, default=1024)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = [f"organ{k}" for k in range(arguments.anatomies)]
    if arguments.write is not None:
        (count,) = arguments.subjects
        write_cohort(arguments.write, count, names, arguments.particles)
        return
    print(machine())
    print(f"{len(names)} anatomies of {arguments.particles} particles, peak resident memory in MB")
    columns = {}
    for count in sorted(arguments.subjects):
        with tempfile.TemporaryDirectory() as folder:
            columns[count] = measure(Path(folder), count, names, arguments.particles)
    print_table(columns)


def machine() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{pages * size / 2**30:.0f} GiB, Python {platform.python_version()}"
    )


def measure(folder: Path, count: int, names: list[str], particles: int) -> dict[str, float]:
    """Run the stages on a cohort; this process stays small, since children inherit its peak."""
    sizes = ["--subjects", str(count), "--anatomies", str(len(names)), "--particles"]
    peak_of([__file__, *sizes, str(particles), "--write", str(folder)])
    sections = json.loads((folder / "sections.json").read_text(encoding="utf-8"))
    peaks = {}
    for stage in STAGES:
        start = time.monotonic()
        jobs = options_of(stage, folder, count, names, sections)
        peaks[stage] = max(peak_of(["-m", f"massm.stages.{stage}", *job]) for job in jobs)
        print(
            f"  {count} subjects, {stage}: {peaks[stage]:.0f} MB, {time.monotonic() - start:.0f} s"
        )
    return peaks


def options_of(
    stage: str, folder: Path, count: int, names: list[str], sections: dict[str, str]
) -> list[list[str]]:
    """The command lines of a stage's jobs, as the workflow's rule gives them."""
    subjects = subject_names(count)
    tensors = folder / "tensors"
    table = ["--subject-table", str(folder / "subjects.tsv")]
    anatomies = ["--anatomies", *names]
    sets = ["--correspond", *(str(folder / f"{name}.npz") for name in names)]
    if stage == "tensors":
        config = ["--config", sections["export"], *anatomies, *table, *sets]
        places = ["--cohort", str(folder / "cohort.tsv"), "--output", str(tensors)]
        batches = [subjects[first : first + BATCH] for first in range(0, count, BATCH)]
        return [[*config, *places, "--subjects", *batch] for batch in batches]
    if stage == "tensors_manifest":
        config = ["--config", sections["tensors"], *anatomies, *table, *sets]
        templates = ["--templates", *(str(folder / f"{name}.vtp") for name in names)]
        files = [str(tensors / f"{name}.safetensors") for name in subjects]
        outputs = ["--manifest", str(tensors / "manifest.json")]
        outputs += ["--template", str(tensors / "template.safetensors")]
        return [[*config, *templates, "--subjects", *files, *outputs]]
    config = ["--config", sections["train"], "--model", sections["model"]]
    return [[*config, "--tensors", str(tensors), "--output", str(folder / "train")]]


def peak_of(command: list[str]) -> float:
    """Run Python with a command line; return its peak resident memory, MB."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(command[:2])} failed:\n{log.read()[-3000:]}")
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def subject_names(count: int) -> list[str]:
    return [f"s{number:04d}" for number in range(count)]


def write_cohort(folder: Path, count: int, names: list[str], particles: int) -> None:
    """Write all that the stages read; in a process of its own."""
    import numpy as np

    from massm.config.loading import load_config, merge, read_yaml
    from massm.config.tensors import ExportConfig
    from massm.geometry.particles import ParticleSet
    from massm.io import cohort as tables
    from massm.io import images, meshes
    from massm.io import particles as particle_files
    from massm.io.documents import write_json
    from tests.toy_cohort import hull, sphere_points

    config = load_config(merge(read_yaml(ROOT / "config.yaml"), CHANGES))
    sections = {"train": config.training("massm").model_dump_json()}
    sections["model"] = config.entry("massm").model_dump_json()
    sections["tensors"] = config.tensors.model_dump_json()
    sections["export"] = config.tensors.part(ExportConfig).model_dump_json()
    write_json(sections, folder / "sections.json")

    rng = np.random.default_rng(0)
    subjects = subject_names(count)
    splits = ["validation" if place % 8 == 7 else "train" for place in range(count)]
    unit = sphere_points(particles)
    centers = np.linspace(40, 240, len(names))[:, None] * [1, 0, 0] + [0, 120.0, 100.0]
    centers = centers + rng.uniform(-5, 5, (count, len(names), 3))
    radii = rng.uniform(15, 22, (count, len(names), 3))
    for row, name in enumerate(subjects):
        images.write_image(small_ct(centers[row], radii[row]), folder / "ct" / f"{name}.nii.gz")
    for k, name in enumerate(names):
        world = unit * radii[:, k, None]
        transforms = np.tile(np.eye(4), (count, 1, 1))
        transforms[:, :3, 3] = -centers[:, k]
        local = world + centers[:, k, None]
        found = ParticleSet(tuple(subjects), tuple(splits), local, world, transforms)
        particle_files.save_set(found, folder / f"{name}.npz")
        meshes.write(hull(local[0]), folder / f"{name}.vtp")
        write_json({"subject": subjects[0]}, folder / f"{name}.json")
    table = [
        tables.SubjectRecord(name, split, "used", "", image=folder / "ct" / f"{name}.nii.gz")
        for name, split in zip(subjects, splits, strict=True)
    ]
    tables.write_subject_table(table, folder / "subjects.tsv")
    rows = [
        tables.AnatomyRecord(subject.subject, name, subject.split, "used")
        for subject in table
        for name in names
    ]
    tables.write_cohort(rows, folder / "cohort.tsv")


def small_ct(centers: Any, radii: Any) -> Any:
    """A CT of 3 mm voxels with bright ellipsoids; centers and radii (K, 3) in mm."""
    import numpy as np

    from massm.geometry.volume import Volume

    z, y, x = np.meshgrid(*[3.0 * np.arange(n) for n in (68, 80, 94)], indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    array = np.zeros(x.shape, np.float32)
    for center, radius in zip(centers, radii, strict=True):
        array[np.square((points - center) / radius).sum(-1) < 1] = 200
    return Volume(array, np.full(3, 3.0), np.zeros(3))


def print_table(columns: dict[int, dict[str, float]]) -> None:
    counts = list(columns)
    slope = len(counts) > 1
    head = "".join(f"{f'N = {count}':>12}" for count in counts)
    print(f"\n{'':20}{head}" + (f"{'MB per 100':>14}" if slope else ""))
    for stage in STAGES:
        peaks = [columns[count][stage] for count in counts]
        line = f"{stage:20}" + "".join(f"{peak:12.0f}" for peak in peaks)
        if slope:
            line += f"{100 * (peaks[-1] - peaks[0]) / (counts[-1] - counts[0]):14.1f}"
        print(line)


if __name__ == "__main__":
    main()
