"""Config of a ShapeWorks project that is taken as a result."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, field_validator

from massm.config._section import Section, expand_home


class ProjectConfig(Section):
    """An existing ShapeWorks project whose particles are taken as they are."""

    file: str | None = Field(
        description="The project, .swproj or .xlsx, relative to the working directory or absolute; "
        "{anatomy} in it stands for the anatomy's name."
    )
    frame: Literal["image", "aligned"] = Field(
        description="Where the local particles lie: image, in scanner coordinates (LPS mm), where "
        "ShapeWorks leaves what it grooms; aligned, on surfaces that groom.alignment has moved, "
        "as in the projects of correspond.shapeworks.keep."
    )
    distance_mm: PositiveFloat = Field(
        description="Largest mean distance of a subject's particles to its groomed surface, mm; "
        "subjects with more are left out."
    )

    @field_validator("file")
    @classmethod
    def _can_be_filled_in(cls, file: str | None) -> str | None:
        if file is None:
            return None
        file = expand_home(file)
        if Path(file).suffix.lower() not in (".swproj", ".xlsx"):
            raise ValueError("a ShapeWorks project ends in .swproj or .xlsx")
        if re.search(r"[{}]", file.replace("{anatomy}", "")):
            raise ValueError("{anatomy} is the only placeholder that can stand in it")
        return file

    def of(self, anatomy: str) -> Path:
        """Name the project of one anatomy.

        Raises:
            ValueError: If none is configured.
        """
        if self.file is None:
            raise ValueError("correspond.project.file is null, expected the name of a project")
        return Path(self.file.replace("{anatomy}", anatomy))
