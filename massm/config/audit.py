"""Section ``audit``: masks that fit least, for a person to look at."""

from pydantic import Field, PositiveInt

from massm.config._section import Section


class RankingConfig(Section):
    """How masks are compared."""

    fewest: int = Field(
        ge=8,
        description="Subjects that must have an anatomy; with fewer nothing says what is usual.",
    )


class AuditPageConfig(Section):
    """What the page of the audit shows."""

    look_at: float = Field(
        gt=0, le=1, description="Share of the list that a person should look at; the page lists it."
    )
    shown: PositiveInt = Field(description="Most suspicious masks that the page draws.")


class AuditConfig(RankingConfig, AuditPageConfig):
    """Which masks fit least (snakemake audit)."""
