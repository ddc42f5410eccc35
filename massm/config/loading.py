"""The whole configuration, checked before any work starts.

``config.yaml`` holds every value once; the classes hold type, range, unit and meaning but no
defaults, so nothing applies that the file does not show. :func:`load_config` checks a whole
configuration and names every fault by the full path of its key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from massm.config._section import MadePath, Section
from massm.config.agreement import (
    anatomies_have_projects,
    anonymous_weights_can_be_made,
    compared_is_modeled,
    crossed_is_modeled,
    drawn_modes_are_stored,
    intervals_can_be_made,
    joined_is_modeled,
    measured_is_predicted,
    mirror_pairs_are_modeled,
    mirrored_is_modeled,
    models_agree,
    phantom_has_its_layout,
    populations_are_mirror_images,
    sides_are_paired,
    trust_can_be_made,
)
from massm.config.audit import AuditConfig
from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.crossval import CrossvalConfig, FoldConfig
from massm.config.dataset import DatasetConfig
from massm.config.evaluate import EvaluateConfig
from massm.config.faults import described
from massm.config.groom import GroomConfig
from massm.config.intervals import IntervalsConfig
from massm.config.jobs import JobsConfig
from massm.config.merging import merge
from massm.config.models import WrittenEntry
from massm.config.models.entries import ModelName, laid_out
from massm.config.models.family import FamilyConfig, NetworkConfig
from massm.config.names import Anatomy, refuse_doubled
from massm.config.phantom import PhantomConfig
from massm.config.predict import PredictConfig
from massm.config.reconstruct import ReconstructConfig
from massm.config.report import ReportConfig
from massm.config.template import TemplateConfig
from massm.config.tensors import TensorsConfig
from massm.config.train import TrainConfig
from massm.config.trust import TrustConfig

__all__ = ["Config", "ConfigError", "load_config", "load_files", "merge", "read_yaml"]


class ConfigError(ValueError):
    """A configuration that cannot be run; the message lists each fault with its key's path."""


class Config(Section):
    """Everything a run depends on."""

    results: MadePath = Field(description="Folder that all results go to.")
    anatomies: tuple[Anatomy, ...] = Field(
        min_length=1, description="Anatomies to model; the order is that of the network's classes."
    )
    jobs: JobsConfig
    phantom: PhantomConfig
    dataset: DatasetConfig
    groom: GroomConfig
    correspond: CorrespondConfig
    template: TemplateConfig
    tensors: TensorsConfig
    models: dict[ModelName, WrittenEntry] = Field(
        min_length=1,
        description="What is trained, predicted and compared, by name: an entry of a family each. "
        "null takes an entry out; like: NAME begins with the values of another.",
    )
    train: TrainConfig
    predict: PredictConfig
    reconstruct: ReconstructConfig
    bundle: BundleConfig
    evaluate: EvaluateConfig
    intervals: IntervalsConfig
    trust: TrustConfig
    report: ReportConfig
    crossval: CrossvalConfig
    audit: AuditConfig
    fold: FoldConfig | None = Field(
        description="Of a fold's own run, which snakemake crossval starts; null: a run of all."
    )

    @field_validator("models", mode="before")
    @classmethod
    def _models_are_written_out(cls, models: Any) -> Any:
        return laid_out(models)

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
            *mirror_pairs_are_modeled(self.tensors, self.anatomies),
            *anatomies_have_projects(self.correspond, self.anatomies),
            *joined_is_modeled(self.correspond, self.anatomies),
            *models_agree(self.models, self.tensors),
            *self._training_faults(),
            *compared_is_modeled(self.evaluate, self.models),
            *crossed_is_modeled(self.crossval, self.models),
            *measured_is_predicted(self.predict, self.evaluate),
            *intervals_can_be_made(self.intervals, self.models, self._crossed, self.predict),
            *trust_can_be_made(self.trust, self._carried, self._crossed, self.predict),
            *anonymous_weights_can_be_made(self.bundle, self.models),
        ]
        if faults:
            raise ValueError("\n  ".join(faults))
        return self

    @property
    def _crossed(self) -> tuple[str, ...]:
        return self.crossval.made(self.evaluate.reference_model)

    @property
    def intervals_of(self) -> tuple[str, ...]:
        """Names of the models that get intervals."""
        return self.intervals.made(self.entries, self._crossed, self.predict.splits)

    @property
    def trust_of(self) -> tuple[str, ...]:
        """Names of the models that get tables of what is usual."""
        return self.trust.made(self.entries, self._carried, self._crossed, self.predict.splits)

    @property
    def _carried(self) -> tuple[str, ...]:
        return tuple(name for name, entry in self.models.items() if entry.carried)

    @property
    def entries(self) -> dict[str, FamilyConfig]:
        """What each model predicts by: its section, with values in the place of models' names."""
        families = {name: entry.meant(self.models) for name, entry in self.models.items()}
        return {name: entry.resolved(families) for name, entry in families.items()}

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the models that predict by another's weights."""
        return tuple(name for name, entry in self.models.items() if entry.weights_of)

    def entry(self, name: str) -> FamilyConfig:
        """Return what one model predicts by."""
        return self.entries[name]

    def training(self, name: str) -> TrainConfig:
        """Return how a model is trained: the section ``train``, with the model's own differences.

        A variant is trained as the entry whose weights it has.

        Raises:
            ValidationError: If these do not fit it.
        """
        entry = self.models[self.models[name].weights_of or name]
        own = entry.train if isinstance(entry, NetworkConfig) else {}
        return TrainConfig.model_validate(merge(self.train.model_dump(mode="json"), own))

    def _training_faults(self) -> Iterator[str]:
        """Say what is wrong with how models are trained, by the paths of the keys."""
        trained = {n: e for n, e in self.models.items() if isinstance(e, NetworkConfig)}
        augmentations = {}
        for name, entry in trained.items():
            path = f"models.{name}.train"
            try:
                augment = self.training(name).augment
            except ValidationError as error:
                yield from (f"{path}.{described(fault)}" for fault in error.errors())
            else:
                augmentations[path if "augment" in entry.train else "train"] = augment
        sections = {f"{path}.augment": augment for path, augment in augmentations.items()}
        yield from drawn_modes_are_stored(self.tensors, sections)
        yield from sides_are_paired(self.tensors, sections, self.anatomies)


def load_config(values: Mapping[str, Any]) -> Config:
    """Check a whole configuration.

    Args:
        values: Nested mappings as YAML gives them.

    Raises:
        ConfigError: Naming each unknown key, wrong type and impossible value by its full path.
    """
    try:
        return Config.model_validate(_without_null_texts(json.loads(json.dumps(values))))
    except ValidationError as error:
        faults = [described(fault) for fault in error.errors()]
        raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(faults)) from None


def load_files(paths: Sequence[Path]) -> Config:
    """Read a complete configuration and files of differences, each laid over those before it.

    Raises:
        ConfigError: As :func:`load_config` and :func:`read_yaml` do.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values = merge(values, read_yaml(path))
    return load_config(values)


def _without_null_texts(values: Any) -> Any:
    """Put None in the place of the text ``null``.

    Snakemake's ``--config`` hands over all that is nested as texts. No key has a use for that text
    itself: a folder or label called so can be written otherwise (``./null``, ``Null``).
    """
    if isinstance(values, dict):
        return {key: _without_null_texts(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_without_null_texts(value) for value in values]
    return None if values == "null" else values


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no mapping of keys to values")
    return values
