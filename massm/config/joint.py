"""Config of the joint shape model of several anatomies."""

from pydantic import Field, PositiveInt, field_validator

from massm.config._section import Section


class JointConfig(Section):
    """One shape space over several anatomies, some of them missing in some subjects."""

    anatomies: tuple[str, ...] = Field(
        description="Anatomies of the joint model, two or more; empty: there is none."
    )
    pose: bool = Field(
        description="true: local particles of all anatomies, aligned together, so that the model "
        "relates where they lie too; false: world particles of each, their shapes alone."
    )
    modes: PositiveInt = Field(
        description="Most modes; training subjects - 2 limit them, and a third of those that have "
        "an anatomy which others lack."
    )
    evidence: float | None = Field(
        gt=0,
        le=1,
        description="Power of a subject's likelihood where a missing anatomy is expected from the "
        "others; less stays nearer to the mean shape. null: the best for left-out training "
        "subjects.",
    )

    @field_validator("anatomies")
    @classmethod
    def _are_several(cls, anatomies: tuple[str, ...]) -> tuple[str, ...]:
        if len(anatomies) == 1 or len(set(anatomies)) < len(anatomies):
            raise ValueError("a joint model has two anatomies or more, each named once")
        return anatomies
