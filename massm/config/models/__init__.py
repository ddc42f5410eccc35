"""The models of a run: an entry each, of one of the families in ``SECTIONS``.

``variant`` stands for an entry of another family with changes. A new family is a module with its
section here, its line in ``SECTIONS``, and its package and line in ``massm.models.families``.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from massm.config.models.deepssm import DeepssmConfig
from massm.config.models.family import EntryConfig, FamilyConfig
from massm.config.models.massm import MassmConfig
from massm.config.models.mean_shape import MeanShapeConfig
from massm.config.models.pca_oracle import PcaOracleConfig
from massm.config.models.surface_fit import SurfaceFitConfig
from massm.config.models.truth import TruthConfig
from massm.config.models.unet import UnetConfig
from massm.config.models.variant import VariantConfig

SECTIONS: dict[str, type[EntryConfig]] = {
    "massm": MassmConfig,
    "deepssm": DeepssmConfig,
    "mean_shape": MeanShapeConfig,
    "pca_oracle": PcaOracleConfig,
    "surface_fit": SurfaceFitConfig,
    "truth": TruthConfig,
    "unet": UnetConfig,
    "variant": VariantConfig,
}


def section_of(values: Any) -> Any:
    """Read the values of an entry by the section of its family; what was read stays as it is.

    Raises:
        ValueError: If no such family exists; faults of single keys carry the path of the key.
    """
    if not isinstance(values, Mapping):
        return values
    family = values.get("family")
    if family not in SECTIONS:
        raise ValueError(f"family: {family!r} is none of {', '.join(SECTIONS)}")
    return SECTIONS[family].model_validate(values)


# What the key ``family`` decides: an entry as the configuration has it; a family's section.
WrittenEntry = Annotated[SerializeAsAny[EntryConfig], BeforeValidator(section_of)]
ModelEntry = Annotated[SerializeAsAny[FamilyConfig], BeforeValidator(section_of)]
