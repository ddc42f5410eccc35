"""A FAKE `shapeworks` command for tests of the plumbing: it optimizes nothing.

It answers ``--version`` and ``optimize --help``, reads a project or parameter file and writes
particles where the program would: for a new subject its landmarks, else vertices of its surface in
a fixed order. Before version 6.4 it has no ``--progress``, refuses ``.swproj`` and writes particles
beside the project, as old versions do.
"""

FAKE = """#!{python}
import json, sys
import xml.etree.ElementTree as ET
from pathlib import Path
import numpy as np
import openpyxl
import pyvista

OLD = tuple(map(int, "{version}".split(".")[:2])) < (6, 4)

if sys.argv[1:] == ["--version"]:
    print("shapeworks {version} (FAKE, for tests)")
    sys.exit(0)
assert sys.argv[1] == "optimize", sys.argv
if sys.argv[2:] == ["--help"]:
    print("Usage: optimize [args]... --name=NAME" + ("" if OLD else " --progress"))
    sys.exit(0)
if OLD and "--progress" in sys.argv:
    print("no such option: --progress")
    sys.exit(2)
name = Path(sys.argv[sys.argv.index("--name") + 1])
assert name.parent == Path("."), "run in the project's folder"
if "{failure}":
    print("{failure}")
    sys.exit(3)


def surface(file):
    return np.asarray(pyvista.read(file).points)[:: {stride}]


def write(points, file, folder):
    paths = dict()
    for kind in ("local", "world"):
        path = folder / (Path(file).stem + "_" + kind + ".particles")
        np.savetxt(path, points + (0.0 if kind == "local" else 1.5))
        paths[kind] = path.as_posix()
    return paths


def run_parameter_file():
    root = ET.fromstring("<root>" + name.read_text() + "</root>")
    values = dict((element.tag, element.text.split()) for element in root)
    assert values["domain_type"] == ["mesh"]
    assert len(values["fixed_domains"]) == len(values["inputs"]) - 1
    for file, points in zip(values["inputs"], values["point_files"], strict=True):
        surface(file)
        write(np.loadtxt(points), file, Path(values["output_dir"][0]))


def run_spreadsheet():
    book = openpyxl.load_workbook(name)
    parameters = dict(book["optimize"].values)
    columns, *rows = book["data"].values
    for row, values in enumerate(rows, start=2):
        file = values[columns.index("groomed_1")]
        points = surface(file)[: int(parameters["number_of_particles"])]
        for step, (kind, path) in enumerate(write(points, file, Path()).items(), start=1):
            book["data"].cell(1, len(columns) + step, kind + "_particles")
            book["data"].cell(row, len(columns) + step, path)
    book.save(name)


def run_json():
    project = json.loads(name.read_text(encoding="utf-8"))
    parameters = project["optimize"]
    assert all(isinstance(value, str) for value in parameters.values())
    folder = Path(name.stem + "_particles")
    folder.mkdir()
    for step, subject in enumerate(project["data"]):
        if parameters.get("use_fixed_subjects") == "1":
            points = np.loadtxt(subject["landmarks_file_1"])
            assert subject["fixed"] in ("yes", "no")
        else:
            points = surface(subject["groomed_1"])[: int(parameters["number_of_particles"])]
        for kind, path in write(points, subject["groomed_1"], folder).items():
            subject[kind + "_particles_1"] = path
        print(str(100 * (step + 1) // len(project["data"])) + "%", flush=True)
    name.write_text(json.dumps(project))


if name.suffix == ".xml":
    run_parameter_file()
elif name.suffix == ".xlsx":
    run_spreadsheet()
else:
    assert not OLD, "a .swproj is no project of an old version"
    run_json()
"""
