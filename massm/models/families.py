"""The families of models: how each is built, or what it predicts without training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from massm.config.models.deepssm import DeepssmConfig
from massm.config.models.family import FamilyConfig
from massm.config.models.massm import MassmConfig
from massm.config.models.mean_shape import MeanShapeConfig
from massm.config.models.pca_oracle import PcaOracleConfig
from massm.config.models.surface_fit import SurfaceFitConfig
from massm.config.models.truth import TruthConfig
from massm.config.models.unet import UnetConfig
from massm.models.bounds import mean_shapes, projections, true_particles
from massm.models.deepssm.model import build as build_deepssm
from massm.models.interface import Model
from massm.models.known import Known, Predictions
from massm.models.massm.model import build as build_massm
from massm.models.unet.model import build as build_unet
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Template

Entry = TypeVar("Entry", bound=FamilyConfig)


@dataclass(frozen=True)
class Family(Generic[Entry]):
    """One family; what it reads and gives is said by its section (``FamilyConfig.facts``).

    Attributes:
        config: Its section, an entry of ``massm.config.models.SECTIONS``.
        build: Makes the untrained network; None for a family without training.
        predict: Says what it has to say without training; None for one with a network.
    """

    config: type[Entry]
    build: Callable[[Entry, Template, Preprocessing], Model] | None = None
    predict: Callable[[Entry, Known], Predictions] | None = None


def _fitted_surfaces(entry: SurfaceFitConfig, known: Known) -> Predictions:
    # The particle engine takes long to import, and a network needs none of it.
    from massm.models.surface_fit import fitted_surfaces

    return fitted_surfaces(entry, known)


FAMILIES: dict[str, Family[Any]] = {
    "massm": Family(MassmConfig, build=build_massm),
    "deepssm": Family(DeepssmConfig, build=build_deepssm),
    "mean_shape": Family(MeanShapeConfig, predict=mean_shapes),
    "pca_oracle": Family(PcaOracleConfig, predict=projections),
    "surface_fit": Family(SurfaceFitConfig, predict=_fitted_surfaces),
    "truth": Family(TruthConfig, predict=true_particles),
    "unet": Family(UnetConfig, build=build_unet),
}


def build_model(entry: FamilyConfig, template: Template, preprocessing: Preprocessing) -> Model:
    """Build the untrained network of an entry.

    Raises:
        ValueError: If its family has none.
    """
    build = FAMILIES[entry.family].build
    if build is None:
        raise ValueError(f"{entry.family} is a family without training: there is no network")
    return build(entry, template, preprocessing)


def predict_untrained(entry: FamilyConfig, known: Known) -> Predictions:
    """Yield what a family without training says of each subject, under its name.

    Raises:
        ValueError: If it has to be trained.
    """
    predict = FAMILIES[entry.family].predict
    if predict is None:
        raise ValueError(f"{entry.family} predicts by a trained network alone")
    return predict(entry, known)
