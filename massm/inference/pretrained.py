"""Models that came with the package: folders below ``massm/pretrained``."""

from importlib import resources
from os import PathLike
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


def folder_of(model: str | PathLike[str] | None) -> Path:
    """Find a model's folder.

    Args:
        model: Name of a model that came with the package, which goes before a folder of that name
            (``./NAME`` is the folder); else its folder. None: the only one that came with it.

    Raises:
        DataError: If there is none, or None is given and there are several.
    """
    known = names()
    if model is None:
        if len(known) == 1:
            return find(known[0])
        raise DataError(
            f"which model? Give --model FOLDER, or one of: {', '.join(known) or 'none'}"
        )
    if str(model) in known:
        return find(str(model))
    folder = Path(model)
    if folder.is_dir():
        return folder
    raise DataError(
        f"{model} is no folder and no model that came with massm ({', '.join(known) or 'none did'})"
    )


def _folder() -> Path:
    return Path(str(resources.files("massm"))) / "pretrained"
