"""``massm predict``: scans and a model in, shapes out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massm.cli import options
from massm.cli.session import FAILED, complain, message_of, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from massm.inference.batch import Job, Outcome
    from massm.inference.bundle import Bundle
    from massm.inference.outputs import OutputOptions


class MeshFormat(StrEnum):
    """Formats of surfaces."""

    vtp = "vtp"
    stl = "stl"
    ply = "ply"
    obj = "obj"
    glb = "glb"


class OnDevice(StrEnum):
    """What the network runs on."""

    cpu = "cpu"
    cuda = "cuda"
