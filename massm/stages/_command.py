"""The command line of a stage, made from the signature of its ``run`` function."""

import argparse
import inspect
import json
import logging
import os
import stat
import sys
import traceback
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from massm.io.errors import DataError

log = logging.getLogger("massm")

_STDERR = 2  # its number, whatever has taken the name
_SHIELD = "\0"  # cannot stand in an argument, so it marks one without doubt


def stage_main(run: Callable[..., None], arguments: list[str] | None = None) -> None:
    """Run a stage with the arguments of the command line; exit with 1 on bad input.

    Each parameter of ``run`` becomes an option: a config section takes JSON, ``list[...]`` takes
    several values, ``X | None`` may be left out, a parameter with a default too.

    Args:
        run: The stage; all parameters annotated.
        arguments: Used in place of ``sys.argv[1:]``.
    """
    _start_logging()
    try:
        run(**parse(run, arguments))
    except (DataError, ValueError, OSError) as error:
        reason = "\n  ".join([str(error), *getattr(error, "__notes__", [])])
        with _heard(reason, beside=len("00:00:00 ERROR   ")):
            log.error("%s", reason)
        log.debug("where it happened", exc_info=True)
        sys.exit(1)


def parse(run: Callable[..., None], arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the values of ``run``'s parameters from a command line."""
    hints = typing.get_type_hints(run, include_extras=True)
    parser = argparse.ArgumentParser(description=inspect.getdoc(run))
    for name, parameter in inspect.signature(run).parameters.items():
        _add_option(parser, name, hints[name], parameter)
    given = sys.argv[1:] if arguments is None else arguments
    return vars(parser.parse_args([_shielded(word) for word in given]))


def _shielded(word: str) -> str:
    """Mark a value that begins with a dash, as names and folders may, so that it is no option."""
    is_value = word.startswith("-") and not word.startswith("--") and word != "-h"
    return _SHIELD + word if is_value else word


def _add_option(
    parser: argparse.ArgumentParser, name: str, hint: Any, parameter: inspect.Parameter
) -> None:
    options: dict[str, Any] = {"dest": name}
    if parameter.default is inspect.Parameter.empty:
        options["required"] = True
    else:
        options["default"] = parameter.default
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is list:
        options["nargs"] = "*"
        hint = typing.get_args(hint)[0]
    if hint is bool:
        options["action"] = argparse.BooleanOptionalAction
    else:
        options["type"] = _reader(hint)
    parser.add_argument(f"--{name.replace('_', '-')}", **options)


def _reader(hint: Any) -> Callable[[str], Any]:
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        return lambda text: _section(hint, text.removeprefix(_SHIELD))
    if typing.get_origin(hint) is typing.Annotated:
        return lambda text: _section(hint, text.removeprefix(_SHIELD))
    if hint in (str, int, float, Path):
        return lambda text: hint(text.removeprefix(_SHIELD))
    raise TypeError(f"a stage cannot take a {hint} from its command line")


def _section(hint: Any, text: str) -> Any:
    try:
        return TypeAdapter(hint).validate_python(json.loads(text))
    except (ValidationError, json.JSONDecodeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _start_logging() -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    sys.excepthook = _show


def _show(
    kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
) -> None:
    """Write a traceback as Python does; to the terminal if it found no place."""
    with _heard("".join(traceback.format_exception(kind, error, trace))):
        sys.__excepthook__(kind, error, trace)


@contextmanager
def _heard(text: str, beside: int = 0) -> Iterator[None]:
    """Let a text be written to stderr; write it to the terminal if it did not get there.

    Stderr is a rule's log, which may lie on a full disk. ``MASSM_TERMINAL`` is the number of an
    open file, which the rules set; without it, as where a stage is called by hand, stderr is the
    terminal itself.

    Args:
        text: What is written.
        beside: Bytes that are written besides: time and level.
    """
    before = _log_size()
    yield
    terminal = os.environ.get("MASSM_TERMINAL", "")
    if before is None or not terminal.isdecimal():
        return
    grown = (_log_size() or 0) - before
    if grown < beside + len(text.encode()):
        with suppress(OSError):
            os.write(int(terminal), f"{text.rstrip()}\n(the log took no more)\n".encode())


def _log_size() -> int | None:
    """Return how much stderr holds, bytes; None if it is no file."""
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
