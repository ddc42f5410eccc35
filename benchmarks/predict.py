"""Where the time of massm predict goes: start-up, each part of a scan, peak memory.

usage: python -m benchmarks.predict [SCAN ...] [--model NAME_OR_FOLDER] [--synthetic [X Y Z]]
                                    [--threads N] [--repeat N]

SCAN is anything that massm predict takes; --synthetic makes one more of 512 x 512 x 700 voxels (a
body in air, noise). Without --model the model that came with the package is taken. Everything runs
in fresh processes: Python with torch alone, which nothing here can make faster; Python up to the
loaded model (start-up to first work); and one process for each scan, in which it is predicted
--repeat times and written with all default outputs; its peak resident memory is what the system
tells. Of the repeats the fastest of each part is printed, wall and processor seconds: on a busy
machine only the latter say something. The last line is the same network without the direct
convolutions of one scan, to compare within one run.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.scan_memory import ROOT, machine, peak_of, put_ellipsoid

SPACING_MM = (0.9, 0.9, 1.0)
SIZE = (512, 512, 700)
WRITING = ("particles, surfaces, shape.json", "label map", "page")
Times = dict[str, tuple[float, float]]  # wall and processor seconds by part


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("scans", type=Path, nargs="*")
    parser.add_argument("--model")
    parser.add_argument("--synthetic", type=int, nargs="*", metavar="N")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--job", choices=["torch", "model", "scan", "write"], help=argparse.SUPPRESS
    )
    parser.add_argument("--times", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        times = {
            "torch": load_torch,
            "model": load_model,
            "scan": predict,
            "write": write_scan_file,
        }[given.job](given)
        given.times.write_text(json.dumps(times), encoding="utf-8")
        return
    if not given.scans and given.synthetic is None:
        parser.error("name a scan, or --synthetic")
    print(f"{machine()}, {given.threads} threads")
    with tempfile.TemporaryDirectory() as folder:
        scans = list(given.scans)
        if given.synthetic is not None:
            scans.append(write_synthetic(tuple(given.synthetic) or SIZE, Path(folder)))
        show("start-up", *measured(given, "torch"))
        show("start-up", *measured(given, "model"))
        for scan in scans:
            show(str(scan), *measured(given, "scan", scan))


def measured(given: argparse.Namespace, job: str, *scans: Path) -> tuple[Times, float]:
    """Run a job in a process of its own; return its times and its peak memory, GB."""
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder) / "times.json"
        command = ["-m", "benchmarks.predict", *map(str, scans), "--job", job]
        command += ["--times", str(times), "--threads", str(given.threads)]
        command += ["--repeat", str(given.repeat)]
        command += ["--model", given.model] if given.model else []
        peak = peak_of(ROOT, command, Path.cwd())
        return json.loads(times.read_text(encoding="utf-8")), peak


def show(title: str, times: Times, peak: float) -> None:
    """Print the times of one process."""
    print(f"\n{title}: peak memory {peak:.2f} GB\n  {'':42}{'wall s':>8}{'cpu s':>8}")
    for name, (wall, cpu) in times.items():
        print(f"  {name:42}{wall:8.3f}{cpu:8.3f}")


def load_torch(_: argparse.Namespace) -> Times:
    """Tell how long torch takes to be imported."""
    times: Times = {}
    with part("import of torch alone", times):
        import torch  # noqa: F401
    return times


def load_model(given: argparse.Namespace) -> Times:
    """Tell how long it takes until the first scan could be read."""
    times: Times = {}
    with part("import of all that a scan needs", times):
        from massm.inference import api, outputs  # noqa: F401 - what writes is loaded, too
    with part("model folder", times):
        api.load(given.model)
    return times | {"start-up": total(times)}


def predict(given: argparse.Namespace) -> Times:
    """Predict one scan some times; return the least of each part, and of all together."""
    import torch

    from massm.inference import api
    from massm.models.saved import load_model

    torch.set_num_threads(given.threads)
    bundle = api.load(given.model).bundle
    path = bundle.folder
    once: Times = {}
    with part("once: warps of the templates", once):
        for shapes in bundle.shapes.values():
            shapes.warp  # noqa: B018 - made when it is first asked for
    torchs = replace(bundle, model=load_model(path)[0])
    usual = least([images_and_network(given.scans[0], torchs) for _ in range(given.repeat)])
    runs = []
    for _ in range(given.repeat):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(parts_of_scan(given.scans[0], bundle, Path(folder)))
    first = {"all writing, the first time": total({name: runs[0][name] for name in WRITING})}
    parts = apart(least(runs))
    compared = {"(network, torch's convolutions)": usual["network"]}
    return once | first | parts | {"one scan": total(parts)} | compared


def images_and_network(scan: Path, bundle: Any) -> Times:
    """Read a scan and let the network see it."""
    times: Times = {}
    with open_scan(scan) as source:
        see(source.volume, bundle, times)
    return times


def parts_of_scan(scan: Path, bundle: Any, folder: Path) -> Times:
    """Read, predict and write a scan as massm predict does, part by part."""
    from massm.inference.describe import describe
    from massm.inference.outputs import OutputOptions, write_scan
    from massm.inference.shapes import ScanGrid

    times: Times = {}
    start = now()
    with open_scan(scan) as source:
        times["reading"] = since(start)
        prediction = see(source.volume, bundle, times)
        with part("surfaces", times):
            surfaces = {
                name: bundle.shapes[name].warp.surface(prediction.local_of(name))
                for name in prediction.found
            }
        with part("measures", times):
            grid = ScanGrid.of(source.volume)
            shapes = describe(prediction, surfaces, grid, bundle, source.name)
        choices = ((False, False), (True, False), (True, True))
        for name, (label_map, page) in zip(WRITING, choices, strict=True):
            with part(name, times):
                options = OutputOptions(label_map=label_map, page=page)
                write_scan(shapes, source, bundle, folder / name, options)
    return times


def see(volume: Any, bundle: Any, times: Times) -> Any:
    """Preprocess a scan and let the network see it."""
    from massm.models.predict import predict_subjects
    from massm.tensors.preprocessing import images_of, scan_of

    preprocessing = bundle.description.preprocessing
    with part("grids of the network", times):
        scan = scan_of("scan", volume, preprocessing)
    with part("normalization", times):
        images = images_of([scan], preprocessing, multiple=bundle.model.stride)
    with part("network", times):
        said = predict_subjects(
            bundle.model,
            bundle.description,
            [images],
            device="cpu",
        )
        _, prediction = next(said)
    return prediction


def open_scan(scan: Path) -> Any:
    """Read a scan as massm predict does; imported late, since other jobs measure the import."""
    from massm.inference import sources

    return sources.open_scan(scan)


def write_synthetic(size: tuple[int, ...], folder: Path) -> Path:
    """Write a body in air with noise, int16; in a process of its own, for its memory's sake."""
    path = folder / f"synthetic-{'x'.join(map(str, size))}.nii.gz"
    command = ["-m", "benchmarks.predict", str(path), "--job", "write", "--times"]
    peak_of(ROOT, [*command, str(folder / "none"), "--synthetic", *map(str, size)], Path.cwd())
    return path


def write_scan_file(given: argparse.Namespace) -> Times:
    """Write the synthetic scan to the path that is given."""
    import nibabel
    import numpy as np

    size = tuple(given.synthetic)
    rng = np.random.default_rng(0)
    array = np.full(size[::-1], -1000, np.int16)
    put_ellipsoid(array, SPACING_MM, (0, 0, 0), (190, 130, 400), 40)
    put_ellipsoid(array, SPACING_MM, (60, 0, 0), (50, 70, 120), -850)
    for k in range(len(array)):
        array[k] += rng.integers(-12, 13, array[k].shape, np.int16)
    affine = np.diag([*(-spacing for spacing in SPACING_MM[:2]), SPACING_MM[2], 1.0])
    nibabel.save(nibabel.Nifti1Image(array.T, affine, dtype=array.dtype), given.scans[0])
    return {}


def least(runs: list[Times]) -> Times:
    """Take the fastest of each part."""
    return {
        name: (min(run[name][0] for run in runs), min(run[name][1] for run in runs))
        for name in runs[0]
    }


def total(times: Times) -> tuple[float, float]:
    """Add up the parts."""
    return sum(wall for wall, _ in times.values()), sum(cpu for _, cpu in times.values())


def apart(times: Times) -> Times:
    """Take from each way of writing the one before it, which was done in it once more."""
    own = dict(times)
    for before, after in itertools.pairwise(WRITING):
        own[after] = (times[after][0] - times[before][0], times[after][1] - times[before][1])
    return own


def now() -> tuple[float, float]:
    """Read both clocks: wall, and processor of all threads, s."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    """Tell what passed on both."""
    wall, cpu = now()
    return wall - start[0], cpu - start[1]


@contextmanager
def part(name: str, times: Times) -> Iterator[None]:
    """Measure a block."""
    start = now()
    yield
    times[name] = since(start)


if __name__ == "__main__":
    main()
