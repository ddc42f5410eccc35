"""``massm doctor``: whether massm can run here, and on what; a look at a cohort."""

import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from massm.cli import options
from massm.cli.session import FAILED, session

if TYPE_CHECKING:
    from massm.dataset.overview import Overview

State = Literal["ok", "missing", "note"]

_MARKS: dict[State, str] = {
    "ok": "[green]ok[/]     ",
    "missing": "[red]MISSING[/]",
    "note": "[yellow]-[/]      ",
}
_EXTRAS = {"pipeline": "the pipeline (snakemake all)", "dicom": "predict --dicom-seg"}  # what for
_REQUIREMENT = re.compile(r"^([\w.-]+).*?(?:extra == ['\"](\w+)['\"])?$")  # distribution, extra
_SMALL_GB, _FREE_GB = 4, 2  # memory for the largest scans; disk for results
_SHOWN = 8  # oddities of a cohort


class Finding(NamedTuple):
    """One line of the screen."""

    state: State
    what: str
    said: str


def doctor(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="ROOT", help="Look at a cohort, too: its folder, or its table."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Configuration (YAML) that names anatomies, layout and root."
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Tell what is installed, what is missing and what it is for; look at a cohort.

    Nothing is run and nothing is written. Exit status: 0 if massm can predict here (and the cohort
    can be read), else 1.
    """
    with session(debug=debug):
        groups = {"Software": list(_software()), "Machine": list(_machine())}
        groups["Models"] = list(_models())
        if data is not None or config is not None:
            groups["Cohort"] = list(_cohort(data, config))
        _show(groups)
    if any(line.state == "missing" for lines in groups.values() for line in lines):
        raise typer.Exit(FAILED)


def _show(groups: dict[str, list[Finding]]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(line.what) for lines in groups.values() for line in lines)
    for title, lines in groups.items():
        console.print(f"[bold]{title}[/]")
        for line in lines:
            console.print(f"  {_MARKS[line.state]} {line.what:{width}}  {escape(line.said)}")


def _software() -> Iterator[Finding]:
    import massm

    yield Finding("ok", "massm", f"{massm.__version__}, {Path(massm.__file__).parent}")
    yield Finding("ok", "Python", f"{platform.python_version()}, {platform.platform()}")
    declared = _declared()
    there, absent = _versions(declared.get(None, []))
    yield Finding("ok", "to predict", ", ".join(there))
    if absent:
        yield Finding("missing", "to predict", f"{', '.join(absent)}: install massm again")
    for extra, use in _EXTRAS.items():
        there, absent = _versions(declared.get(extra, []))
        if absent:
            said = f"{', '.join(absent)} not there; for {use}: install massm's extra {extra}"
            yield Finding("note", extra, said)
        else:
            yield Finding("ok", extra, f"{', '.join(there)}, for {use}")
    program = shutil.which("shapeworks")
    use = "only needed for correspond.backend: shapeworks"
    yield Finding("ok" if program else "note", "ShapeWorks", program or f"not on PATH; {use}")


def _declared() -> dict[str | None, list[str]]:
    """List the distributions that massm was installed with, by extra; None: what all need."""
    found: dict[str | None, list[str]] = {}
    for requirement in metadata.requires("massm") or []:
        match = _REQUIREMENT.match(requirement)
        if match:
            found.setdefault(match[2], []).append(match[1])
    return found


def _versions(distributions: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split distributions into those that are there, with their version, and those that are not."""
    there, absent = [], []
    for name in distributions:
        try:
            there.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            absent.append(name)
    return there, absent


def _machine() -> Iterator[Finding]:
    from massm.machine.cores import usable_cores
    from massm.machine.resources import free_disk, memory

    yield Finding("ok", "cores", f"{usable_cores()} usable")
    found = memory()
    total = _gigabytes(found.total)
    is_small = found.total is not None and found.total < _SMALL_GB * 1e9
    advice = f"; scans of 512 x 512 x 700 take up to {_SMALL_GB} GB" if is_small else ""
    text = f"{total}, {_gigabytes(found.free)} free{advice}"
    yield Finding("note" if is_small else "ok", "memory", text)
    yield _gpu()
    for what, folder in (("disk", Path.cwd()), ("disk, temporary", Path(tempfile.gettempdir()))):
        free = free_disk(folder)
        state: State = "note" if free < _FREE_GB * 1e9 else "ok"
        yield Finding(state, what, f"{_gigabytes(free)} free in {folder}")


def _gigabytes(count: int | None) -> str:
    return "not known" if count is None else f"{count / 1e9:.1f} GB"


def _gpu() -> Finding:
    if _versions(["torch"])[1]:
        return Finding("note", "GPU", "not known without torch")
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("ok", "GPU", f"{', '.join(names)}: predict --device cuda")
    if shutil.which("nvidia-smi") and torch.version.cuda is None:
        return Finding(
            "note", "GPU", f"torch {torch.__version__} is a CPU build; it cannot use one"
        )
    return Finding("note", "GPU", "none found; the CPU is used")


def _models() -> Iterator[Finding]:
    if _versions(_declared().get(None, []))[1]:
        return
    from massm.inference import api, pretrained
    from massm.io.errors import DataError

    names = pretrained.names()
    if not names:
        yield Finding("note", "with massm", "none; predict needs --model FOLDER")
    for name in names:
        try:
            loaded = api.load(name)
        except DataError as error:
            yield Finding("missing", name, str(error))
        else:
            yield Finding("ok", name, ", ".join(loaded.anatomies))


def _cohort(data: Path | None, config: Path | None) -> Iterator[Finding]:
    from massm.dataset.overview import look_at
    from massm.io.errors import DataError

    try:
        values = _configured(config)
        section = values.get("dataset") or {}
        root = data or (Path(section["root"]).expanduser() if section.get("root") else None)
        if root is None:
            raise DataError(f"{config} names no dataset.root; give --data ROOT")
        found = look_at(root, section.get("layout"), values.get("anatomies") or ())
    except (DataError, ValueError, OSError) as error:
        yield Finding("missing", "data", str(error))
        return
    yield from _overview(root, found)


def _configured(config: Path | None) -> dict[str, Any]:
    """Read what a configuration, or a file of differences from one, says."""
    if config is None:
        return {}
    import yaml

    from massm.config.loading import read_yaml

    try:
        return read_yaml(config)
    except yaml.YAMLError as error:
        raise ValueError(f"{config} is no YAML: {' '.join(str(error).split())}") from error


def _overview(root: Path, found: "Overview") -> Iterator[Finding]:
    yield Finding("ok", "data", f"{root}, layout {found.layout}")
    splits = ", ".join(f"{count} {split}" for split, count in found.splits.items())
    yield Finding(
        "ok",
        "subjects",
        f"{found.subjects}, {found.with_image} with a CT; split: {splits or 'none given, drawn'}",
    )
    formats = ", ".join(f"{count} {ending}" for ending, count in found.formats.items())
    yield Finding("ok", "files", formats or "none")
    for name, count in found.masks.items():
        state: State = "ok" if count else "missing"
        yield Finding(state, name, f"{count} of {found.subjects} subjects")
    for text in found.odd[:_SHOWN]:
        yield Finding("note", "odd", text)
    if len(found.odd) > _SHOWN:
        yield Finding("note", "odd", f"and {len(found.odd) - _SHOWN} more")
