"""What code runs here: versions of packages, and the commit of a checkout."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "massm", "torch", "lightning", "itk", "vtk", "numpy", "scipy", "pandas", "scikit-learn",
    "scikit-image", "libigl", "fast-simplification", "pydantic", "snakemake", "matplotlib",
    "plotly",
)  # fmt: skip
_CHECKOUT = Path(__file__).resolve().parents[2]


def package_versions() -> dict[str, str]:
    """List the versions of the packages that results depend on, as installed here."""
    versions = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # run from a checkout, or an optional package
    return versions


def commit(checkout: Path = _CHECKOUT) -> str | None:
    """Name the commit that a folder is checked out at; None if it is no checkout, or without git.

    Args:
        checkout: The folder; that of this package by default.
    """
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "--verify", "HEAD"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
