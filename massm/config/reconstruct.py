"""Config of the ``reconstruct`` stages."""

from pydantic import Field, NonNegativeFloat

from massm.config._section import Section


class ReconstructConfig(Section):
    """Closed surfaces from particles."""

    regularization_mm: NonNegativeFloat = Field(
        description="Smoothing of the thin-plate spline: 0 runs through every particle; larger "
        "values (mm) trade that for a smoother surface."
    )
