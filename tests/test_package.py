"""What the package declares is what it uses: its dependencies, its public names, its types."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN_AS_PROGRAMS = {"snakemake", "snakemake-executor-plugin-slurm"}
CHECKING_TOOLS = {
    *("import-linter", "mypy", "pre-commit", "ruff", "snakefmt"),
    *("pandas-stubs", "types-pyyaml", "pytest-cov", "pytest-xdist"),
}
COMMAND = ("massm.cli.app", "massm.inference.api", "massm.inference.fit")
BROUGHT_BY_USERS = {"SimpleITK"}  # whoever hands one of its images has it
# For --dicom-seg; to make shape models, which no command does; for U-Nets, which it does not load.
OPTIONAL = {"highdicom", "sklearn", "monai"}
NAMED_IN_A_TEXT = {"beartype"}  # tests/conftest.py
CALLED_FROM_ELSEWHERE = {
    "load_bundle": "who has a model folder",
    "predict_scan": "the same",
    "fit_shape": "the same",
    "surface_of": "the same",
    "write_fit": "the same",
    "source_of_volume": "who writes results of a scan that is in memory",
    "pin_memory": "torch's DataLoader",
    "surface_of_mask": "models that predict masks, which are still to come",
}


def modules(folder: str) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_bytes()) for path in sorted((ROOT / folder).rglob("*.py"))}


def imported(trees: dict[Path, ast.Module]) -> dict[str, Path]:
    """Name the top-level modules from elsewhere, each with a file that imports it."""
    found = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {name.split(".")[0]: path.relative_to(ROOT) for name in names}
    own = {"massm", "tests", "benchmarks", *sys.stdlib_module_names}
    return {name: path for name, path in found.items() if name not in own}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Name what is declared for everybody, or for some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [line for extra in extras for line in project["optional-dependencies"][extra]]
    lines = lines if extras else project["dependencies"]
    return {normal(re.match(r"[\w.-]+", line).group()) for line in lines}


def file_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def reached(*starts: str) -> dict[Path, ast.Module]:
    """Follow imports inside of the package, those inside of functions too."""
    found: dict[Path, ast.Module] = {}
    left = list(starts)
    while left:
        file = file_of(left.pop())
        if file is None or file in found:
            continue
        found[file] = ast.parse(file.read_bytes())
        for node in ast.walk(found[file]):
            if isinstance(node, ast.Import):
                left += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                left += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@cache
def installed() -> dict[str, set[str]]:
    """Name the distributions behind each module; itk's are ``itk-core``, ``itk-io``, ..."""
    return {
        module: {normal(name) for name in names} | {normal(name).split("-")[0] for name in names}
        for module, names in packages_distributions().items()
    }


def distributions(module: str) -> set[str]:
    return installed().get(module, {module})


@pytest.mark.parametrize(
    ("folders", "extras"),
    [(["massm"], ["pipeline", "dicom"]), (["tests", "benchmarks"], ["pipeline", "dicom", "dev"])],
)
def test_every_import_is_declared(folders, extras):
    allowed = declared() | declared(*extras)
    missing = {
        module: str(path)
        for folder in folders
        for module, path in imported(modules(folder)).items()
        if not distributions(module) & allowed and module not in BROUGHT_BY_USERS
    }
    assert not missing


def test_the_command_needs_the_light_install_alone():
    found = imported(reached(*COMMAND))
    needed = {
        module: str(path)
        for module, path in found.items()
        if not distributions(module) & declared() and module not in BROUGHT_BY_USERS | OPTIONAL
    }
    assert not needed


def test_every_declared_dependency_is_imported():
    used = set().union(*map(distributions, imported(reached(*COMMAND))))
    assert declared() <= used
    used = set().union(*map(distributions, imported(modules("massm"))))
    assert declared("pipeline", "dicom") - used == RUN_AS_PROGRAMS


def test_every_dependency_for_development_is_used():
    used = set().union(*map(distributions, imported(modules("tests"))))
    assert declared("dev") - used == CHECKING_TOOLS | NAMED_IN_A_TEXT


def test_the_types_are_shipped():
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in shipped["tool"]["setuptools"]["package-data"]["massm"]
    assert (ROOT / "massm" / "py.typed").is_file()


def public(tree: ast.Module) -> Iterator[str]:
    """Name functions, classes and methods that somebody of the package has to call.

    A method of a class with a base from elsewhere may be called from there, and a decorated
    function by what decorates it; properties are looked at like methods.
    """
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef) and not node.bases:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and all(
                    isinstance(mark, ast.Name) for mark in method.decorator_list
                ):
                    yield method.name


def mentioned(tree: ast.Module) -> Iterator[str]:
    """Name what a module uses: names, attributes, and texts, which templates and getattr may."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_nothing_public_is_unused():
    trees = modules("massm")
    used = {name for tree in trees.values() for name in mentioned(tree)}
    others = [ROOT / "Snakefile", *ROOT.glob("workflow/**/*.smk"), *ROOT.glob("massm/**/*.j2")]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in others)
    used |= set(re.findall(r"\w+", texts))
    unused = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees.items()
        for name in public(tree)
        if not name.startswith("_") and name not in used | CALLED_FROM_ELSEWHERE.keys()
    }
    assert not unused


def test_no_two_classes_have_one_name():
    places: dict[str, list[str]] = {}
    for path, tree in modules("massm").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    doubled = {name: found for name, found in places.items() if len(found) > 1}
    assert not doubled
