"""What a section of the page is, and what all of them are made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from massm.config.report import ReportConfig
from massm.report.figures.gallery import Gallery
from massm.report.run.claims import ToldClaim
from massm.report.run.model_costs import ModelCost
from massm.report.run.shown import Shown
from massm.report.run.sources import RunTables


@dataclass(frozen=True)
class Material:
    """All that a section may show.

    Attributes:
        run: The run's tables.
        shown: Split and model in the middle of attention.
        config: What the page shows.
        configuration: The whole configuration of the run.
        oracle_modes: Modes of ``pca_oracle``; None: all of the training shapes.
        claims: What the run says of the configuration's claims.
        costs: What each model took.
        gallery: Takes the figures.
        made: When the page is made.
    """

    run: RunTables
    shown: Shown
    config: ReportConfig
    configuration: Mapping[str, Any]
    oracle_modes: int | None
    claims: Sequence[ToldClaim]
    costs: Sequence[ModelCost]
    gallery: Gallery
    made: datetime


@dataclass(frozen=True)
class Fragment:
    """A section's part of the page.

    Attributes:
        html: What stands below its title, safe as it is: made by ``fill``.
        data: For each viewer that it uses, what the elements of that viewer show, by name.
    """

    html: str
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class PageSection:
    """One section of the page.

    Attributes:
        id: Its address within the page.
        title: Its heading.
        label: Its name in the navigation.
        render: Makes it; None where the run has nothing of the kind, and it is left out.
    """

    id: str
    title: str
    label: str
    render: Callable[[Material], Fragment | None]
