"""A copy of the project by links, so that a test's Snakemake keeps its records to itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from massm.config.merging import merge

ROOT = Path(__file__).parents[2]


class Project:
    """A folder with links to the workflow, in which snakemake is run as a user would."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "massm"):
            (folder / name).symlink_to(ROOT / name)
        self.configure()

    def configure(self, **changes):
        """Write the file of differences that every run uses, with changes of single sections."""
        values = yaml.safe_load((ROOT / "tests" / "phantom.yaml").read_text(encoding="utf-8"))
        values["dataset"]["root"] = "data/phantom"
        for section, keys in changes.items():
            values[section] = merge(values.get(section, {}), keys)
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(values))

    def snakemake(self, *arguments, preset="tiny.yaml"):
        """Run snakemake; outputs of both streams are joined."""
        configfile = ["--configfile", preset] if preset else []
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments, *configfile],
            cwd=self.folder,
            env=environment,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def planned(self, target="all"):
        """Names of the rules that a run would execute."""
        done = self.snakemake("--dry-run", target)
        assert done.returncode == 0, done.stdout
        table = re.search(r"^Job stats:\n.*?\n\n", done.stdout, re.MULTILINE | re.DOTALL)
        rows = table.group().splitlines()[3:] if table else []
        return {row.split()[0] for row in rows if row} - {"total", target}
