"""A FAKE `shapeworks` command for tests of the plumbing: it optimizes nothing.

It answers ``--version``, reads a project and writes particles where the program would: for a new
subject its landmarks, else vertices of its surface in a fixed order.
"""

FAKE = """#!{python}
import json, sys
from pathlib import Path
import numpy as np
import pyvista

if sys.argv[1:] == ["--version"]:
    print("shapeworks {version} (FAKE, for tests)")
    sys.exit(0)
assert sys.argv[1] == "optimize", sys.argv
name = Path(sys.argv[sys.argv.index("--name") + 1])
assert name.parent == Path("."), "run in the project's folder"
project = json.loads(name.read_text(encoding="utf-8"))
parameters = project["optimize"]
assert all(isinstance(value, str) for value in parameters.values())
count = int(parameters["number_of_particles"])
if "{failure}":
    print("{failure}")
    sys.exit(3)
folder = Path(name.stem + "_particles")
folder.mkdir()
for step, subject in enumerate(project["data"]):
    if parameters.get("use_fixed_subjects") == "1":
        points = np.loadtxt(subject["landmarks_file_1"])
        assert subject["fixed"] in ("yes", "no")
    else:
        points = np.asarray(pyvista.read(subject["groomed_1"]).points)[:: {stride}][:count]
    for kind in ("local", "world"):
        shift = 0.0 if kind == "local" else 1.5
        path = folder / (Path(subject["groomed_1"]).stem + "_" + kind + ".particles")
        np.savetxt(path, points + shift)
        subject[kind + "_particles_1"] = path.as_posix()
    print(str(100 * (step + 1) // len(project["data"])) + "%", flush=True)
name.write_text(json.dumps(project))
"""
