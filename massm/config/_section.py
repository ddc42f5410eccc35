"""What all config sections share."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from massm.config.names import Split

Part = TypeVar("Part", bound="Section")
FieldsAbove = Any  # of a validator: pydantic's ValidationInfo, a protocol that no test can check


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values cannot change.

    Attributes:
        execution_only: Keys that say where and how fast a stage runs, not what comes out of it.
        renamed: What to write in place of keys that there were before, by the old key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    execution_only: ClassVar[frozenset[str]] = frozenset()
    renamed: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _no_key_has_its_old_name(cls, values: Any) -> Any:
        old = [key for key in cls.renamed if isinstance(values, dict) and key in values]
        if old:
            raise ValueError("; ".join(f"{key} is {cls.renamed[key]} now" for key in old))
        return values

    def part(self, kind: type[Part]) -> Part:
        """Take the values of one of the classes that this section is put together from."""
        return kind.model_validate({name: getattr(self, name) for name in kind.model_fields})

    def result_relevant(self) -> dict[str, Any]:
        """Return what the results depend on: a change of anything else needs no rerun."""
        return self.model_dump(mode="json", exclude=set(self.execution_only))


def expand_home(text: str) -> str:
    """Put the home folder in the place of a leading ``~``, as a shell does.

    Raises:
        ValueError: If it names the home of a user that there is not.
    """
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:
        raise ValueError("no such user, whose home folder it should lie in") from None


def _no_pattern(path: Path) -> Path:
    found = re.search(r"\{\s*\w+[^{}]*\}|<[a-z][a-z0-9_]*>", str(path))
    if found:
        raise ValueError(
            f"holds {found[0]}, which Snakemake takes for a pattern; name it otherwise"
        )
    return path


# A file or folder that the user names; one that Snakemake makes files in.
UserPath = Annotated[Path, AfterValidator(lambda path: Path(expand_home(str(path))))]
MadePath = Annotated[UserPath, AfterValidator(_no_pattern)]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a split is listed twice")
    return names


Splits = Annotated[
    tuple[Split, ...],
    Field(min_length=1),
    AfterValidator(_distinct),
]
