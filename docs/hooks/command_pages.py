"""The reference of the command ``massm``, written from its functions and their annotations.

That is what typer itself is given: nothing of its inner parts, which change, is asked.
"""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.models import ArgumentInfo, OptionInfo

_MARKUP = re.compile(r"\[/?[a-z ]*\]")


class Parameter(NamedTuple):
    """A parameter of a command: its name, its type, what typer is told of it, its default."""

    name: str
    kind: Any
    told: ArgumentInfo | OptionInfo
    default: Any

    @property
    def words(self) -> list[str]:
        """How it is written on the command line."""
        if isinstance(self.told, ArgumentInfo):
            return [self.told.metavar or self.name.upper()]
        dashed = self.name.replace("_", "-")
        both = f"--{dashed}/--no-{dashed}" if self.is_flag else f"--{dashed}"
        # Inside of Annotated the first name that an option is given stands where a default would.
        given = [self.told.default] if isinstance(self.told.default, str) else []
        names = [*given, *(self.told.param_decls or [])] or [both]
        return [word for name in names for word in name.split("/")]

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value."""
        return self.kind is bool


def page_of_commands(app: typer.Typer) -> str:
    """Write usage, arguments and options of every command of an application."""
    lines: list[str] = []
    for command in app.registered_commands:
        if command.callback:
            lines += _chapter(f"{app.info.name} {command.callback.__name__}", command.callback)
    if app.registered_callback and app.registered_callback.callback:
        parameters = list(_parameters(app.registered_callback.callback))
        lines += [f"## Options of `{app.info.name}` itself", "", *_table(parameters)]
    return "\n".join(lines)


def _chapter(called: str, function: Callable[..., Any]) -> Iterator[str]:
    parameters = list(_parameters(function))
    arguments = [p for p in parameters if isinstance(p.told, ArgumentInfo)]
    words = [p.words[0] + ("..." if typing.get_origin(p.kind) is list else "") for p in arguments]
    yield from (f"## `{called}`", "", inspect.getdoc(function) or "", "")
    yield from ("```text", " ".join([called, "[OPTIONS]", *words]), "```", "")
    yield from (*_table(parameters), "")


def _parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, told = typing.get_args(hints[name])[:2]
        yield Parameter(name, kind, told, parameter.default)


def _table(parameters: list[Parameter]) -> Iterator[str]:
    yield from ("| option | value | default | meaning |", "|---|---|---|---|")
    for parameter in parameters:
        cells = (
            ", ".join(f"`{word}`{{.whole}}" for word in parameter.words),
            _value(parameter),
            _default(parameter),
            _MARKUP.sub("", parameter.told.help or "").replace("|", "\\|"),
        )
        yield "| " + " | ".join(cells) + " |"


def _value(parameter: Parameter) -> str:
    if parameter.is_flag:
        return ""
    if isinstance(parameter.told, OptionInfo) and parameter.told.metavar:
        return f"`{parameter.told.metavar}`"
    return _kind(parameter.kind)


def _kind(kind: Any) -> str:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (list, typing.Union, types.UnionType):
        return " or ".join(_kind(part) for part in parts if part is not type(None))
    return {str: "text", int: "integer", Path: "path"}.get(kind, str(kind))


def _default(parameter: Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "required"
    shown = parameter.told.show_default
    if isinstance(shown, str):
        return shown
    if parameter.is_flag:
        return f"`{parameter.words[0]}`" if parameter.default else ""
    return f"`{parameter.default}`" if parameter.default else ""
