"""Models that came with the package: folders below ``massm/pretrained``."""

from importlib import resources
from pathlib import Path

from massm.io.errors import DataError


def names() -> list[str]:
    """Name the models that are there."""
    folder = _folder()
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if (path / "model.json").is_file())


def find(name: str) -> Path:
    """Return the folder of a model.

    Raises:
        DataError: If there is none of that name.
    """
    if name not in names():
        raise DataError(
            f"no model {name} came with massm; there are: {', '.join(names()) or 'none'}"
        )
    return _folder() / name


def _folder() -> Path:
    return Path(str(resources.files("massm"))) / "pretrained"
