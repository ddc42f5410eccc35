"""The configuration reference, written from the sections' own types and descriptions.

``python -m massm.config.reference docs/config.md`` writes it; with ``--check`` it only tells
whether the file is up to date.
"""

import argparse
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import annotated_types
from pydantic.fields import FieldInfo

from massm.config._section import Section
from massm.config.loading import Config, read_yaml
from massm.config.models import SECTIONS
from massm.config.models.entries import laid_out

_HEAD = """# Configuration

Written by `make reference` from `massm/config/`; the values are those of `config.yaml`, where
each that the paper does not print is marked. A key is set in a file of differences
(`snakemake all --configfile mine.yaml`) or on the command line (`snakemake all --config
dataset='{root: /data/ct}'`). Unknown keys, wrong types and impossible values are refused before
any work starts.
"""


def reference(values: Mapping[str, Any]) -> str:
    """Write the page.

    Args:
        values: The whole configuration, shown as usual values.
    """
    lines = [_HEAD]
    single = [
        name
        for name, field in Config.model_fields.items()
        if name != "models" and not _sections(field.annotation)
    ]
    lines += ["## Top level", "", *_table(Config, values, single), ""]
    for name, field in Config.model_fields.items():
        for section in _sections(field.annotation):
            lines += _chapter(name, section, values[name])
        if name == "models":
            lines += _models(field.description or "", values[name])
    return "\n".join(lines).rstrip() + "\n"


def _models(description: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Describe each model that ``config.yaml`` has, then families of which it has none."""
    yield from ("## `models`", "", description, "")
    for name, entry in laid_out(values).items():
        section, like = SECTIONS[entry["family"]], values[name].get("like")
        yield from (
            _alike(name, values[name]) if like else _chapter(f"models.{name}", section, entry)
        )
    there = {entry["family"] for entry in laid_out(values).values()}
    for family in [name for name in SECTIONS if name not in there]:
        yield from _chapter("models.NAME", SECTIONS[family], None, remark=f", family `{family}`")


def _alike(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Describe an entry that begins with another's values: what differs."""
    yield from (f"### `models.{name}`", "", f"Like `models.{entry['like']}`, but:", "")
    for path, value in _leaves({key: value for key, value in entry.items() if key != "like"}):
        yield f"- `{path}`: `{_shown(value)}`"
    yield ""


def _leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def _chapter(
    path: str, section: type[Section], values: Mapping[str, Any] | None, remark: str = ""
) -> Iterator[str]:
    """Describe a section; one that ``config.yaml`` leaves out or at null shows no values."""
    level = "#" * (2 + path.count("."))
    yield from (f"{level} `{path}`{remark}", "", " ".join((section.__doc__ or "").split()), "")
    inner = {
        name: nested
        for name, field in section.model_fields.items()
        for nested in _sections(field.annotation)
    }
    named = {
        name: nested
        for name, field in section.model_fields.items()
        for nested in _sections_by_name(field.annotation)
    }
    single = [name for name in section.model_fields if name not in inner | named]
    if single:
        yield from (*_table(section, values, single), "")
    for name, nested in inner.items():
        yield from _chapter(f"{path}.{name}", nested, values[name] if values else None)
    for name, nested in named.items():
        yield from (
            f"{level}# `{path}.{name}`",
            "",
            section.model_fields[name].description or "",
            "",
        )
        first = next(iter(values[name].values()), None) if values else None
        yield from _chapter(f"{path}.{name}.NAME", nested, first)


def _table(
    section: type[Section], values: Mapping[str, Any] | None, names: list[str]
) -> Iterator[str]:
    yield from ("| key | type | value | meaning |", "|---|---|---|---|")
    for name in names:
        field = section.model_fields[name]
        value = f"`{_shown(values[name])}`" if values else "(not given)"
        cells = (f"`{name}`", _type_of(field), value, field.description or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sections(annotation: Any) -> list[type[Section]]:
    """Find the section that a field holds, if it holds one."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [s for part in typing.get_args(annotation) for s in _sections(part)]
    return []


def _sections_by_name(annotation: Any) -> list[type[Section]]:
    """Find the section that a field holds several of, by names that the user gives."""
    if typing.get_origin(annotation) is not dict:
        return []
    return _sections(typing.get_args(annotation)[1])


def _type_of(field: FieldInfo) -> str:
    return _named(field.annotation) + _limits(field.metadata)


def _named(annotation: Any) -> str:  # noqa: PLR0911 - one return for each kind
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _named(parts[0]) + _limits(parts[1:])
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_named(part) for part in parts)
    if origin is tuple:
        kinds = [_named(part) for part in parts if part is not Ellipsis]
        return f"list of {kinds[0]}" if Ellipsis in parts else f"[{', '.join(kinds)}]"
    if origin is dict:
        return f"{_named(parts[0])} to {_named(parts[1])}"
    plain = {bool: "true or false", int: "integer", float: "number", str: "text", Path: "path"}
    if annotation is Any:
        return "values"
    if annotation is type(None):
        return "null"
    return plain.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _limits(metadata: Iterable[Any]) -> str:
    signs = {
        annotated_types.Gt: ("gt", ">"),
        annotated_types.Ge: ("ge", "≥"),
        annotated_types.Lt: ("lt", "<"),
        annotated_types.Le: ("le", "≤"),
    }
    found = [
        f"{sign} {getattr(limit, attribute):g}"
        for limit in metadata
        for kind, (attribute, sign) in signs.items()
        if isinstance(limit, kind)
    ]
    return " " + ", ".join(found) if found else ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or check that it is up to date."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    text = reference(read_yaml(options.config))
    if not options.check:
        options.page.write_text(text, encoding="utf-8")
    elif not options.page.is_file() or options.page.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{options.page} is not up to date; run make reference\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
