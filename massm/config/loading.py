"""The whole configuration, checked before any work starts.

``config.yaml`` holds every value once; the classes hold type, range, unit and meaning but no
defaults, so nothing applies that the file does not show. :func:`load_config` checks a whole
configuration and names every fault by the full path of its key.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from massm.config._section import MadePath, Section
from massm.config.agreement import (
    anatomies_have_projects,
    anonymous_weights_can_be_made,
    joined_is_modeled,
    measured_is_predicted,
    mirrored_is_modeled,
    phantom_has_its_layout,
    populations_are_mirror_images,
    used_modes_are_stored,
)
from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.dataset import DatasetConfig
from massm.config.evaluate import EvaluateConfig
from massm.config.groom import GroomConfig
from massm.config.jobs import JobsConfig
from massm.config.model import ModelConfig
from massm.config.names import Anatomy, refuse_doubled
from massm.config.phantom import PhantomConfig
from massm.config.predict import PredictConfig
from massm.config.reconstruct import ReconstructConfig
from massm.config.report import ReportConfig
from massm.config.template import TemplateConfig
from massm.config.tensors import TensorsConfig
from massm.config.train import TrainConfig

__all__ = ["Config", "ConfigError", "load_config", "merge", "read_yaml"]


class ConfigError(ValueError):
    """A configuration that cannot be run; the message lists each fault with its key's path."""


class Config(Section):
    """Everything a run depends on."""

    results: MadePath = Field(description="Folder that all results go to.")
    anatomies: tuple[Anatomy, ...] = Field(
        min_length=1, description="Organs to model; the order is that of the network's classes."
    )
    jobs: JobsConfig
    phantom: PhantomConfig
    dataset: DatasetConfig
    groom: GroomConfig
    correspond: CorrespondConfig
    template: TemplateConfig
    tensors: TensorsConfig
    model: ModelConfig
    train: TrainConfig
    predict: PredictConfig
    reconstruct: ReconstructConfig
    bundle: BundleConfig
    evaluate: EvaluateConfig
    report: ReportConfig

    @model_validator(mode="after")
    def _anatomies_are_distinct(self) -> "Config":
        refuse_doubled(self.anatomies)
        return self

    @model_validator(mode="after")
    def _sections_agree(self) -> "Config":
        faults = [
            *phantom_has_its_layout(self.dataset, self.phantom),
            *mirrored_is_modeled(self.groom.alignment, self.anatomies),
            *populations_are_mirror_images(self.correspond, self.groom.alignment, self.anatomies),
            *anatomies_have_projects(self.correspond, self.anatomies),
            *joined_is_modeled(self.correspond, self.anatomies),
            *used_modes_are_stored(self.tensors, self.model.local, self.train.augment),
            *measured_is_predicted(self.predict, self.evaluate),
            *anonymous_weights_can_be_made(self.bundle, self.model.local),
        ]
        if faults:
            raise ValueError("\n  ".join(faults))
        return self


def load_config(values: Mapping[str, Any]) -> Config:
    """Check a whole configuration.

    Args:
        values: Nested mappings as YAML gives them.

    Raises:
        ConfigError: Naming each unknown key, wrong type and impossible value by its full path.
    """
    try:
        return Config.model_validate(json.loads(json.dumps(values)))
    except ValidationError as error:
        faults = [_describe(fault) for fault in error.errors()]
        raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(faults)) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no mapping of keys to values")
    return values


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a file of differences over a configuration, as ``snakemake --configfile`` does."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _describe(fault: Any) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{path}: unknown key; see config.yaml for the keys there are"
    if fault["type"] == "missing":
        return f"{path}: missing; config.yaml shows its usual value"
    message = fault["msg"].removeprefix("Value error, ")
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    return f"{path}: {message}{found}" if path else message
