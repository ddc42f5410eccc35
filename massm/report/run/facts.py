"""What was run, with what, and on what: the facts that make a result repeatable."""

import os
import platform
from pathlib import Path

from massm.io.fingerprint import digest
from massm.machine.cores import usable_cores

_HASHED = (
    "dataset/subjects.tsv", "dataset/cohort.tsv", "correspond/*.npz", "template/*.vtp",
    "tensors/manifest.json", "train/*/model.safetensors", "evaluate/summary.csv",
    "evaluate/tests.csv",
)  # fmt: skip


def machine() -> dict[str, str]:
    """Describe the machine that the report was made on."""
    facts = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": str(usable_cores()),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        facts["memory"] = f"{memory / 2**30:.1f} GiB"
    return facts


def file_hashes(results: Path) -> dict[str, str]:
    """Hash (SHA-256) the files that fix cohort, split, shape models, weights and results."""
    paths = [path for pattern in _HASHED for path in sorted(results.glob(pattern))]
    return {str(path.relative_to(results)): digest(path) for path in paths}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
