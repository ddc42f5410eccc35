"""What the values of one section demand of another: found before any work starts, not hours in.

Each function says of values that contradict each other what is needed; first comes the key's path.
"""

from collections.abc import Iterator, Mapping, Sequence

from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.dataset import DatasetConfig
from massm.config.evaluate import EvaluateConfig
from massm.config.groom import AlignmentConfig
from massm.config.models.family import FamilyConfig
from massm.config.models.massm import MassmConfig
from massm.config.phantom import PhantomConfig
from massm.config.predict import PredictConfig
from massm.config.tensors import TensorsConfig
from massm.config.train import AugmentConfig


def measured_is_predicted(predict: PredictConfig, evaluate: EvaluateConfig) -> Iterator[str]:
    """Check that evaluation asks for no split that prediction leaves out."""
    missing = [name for name in evaluate.splits if name not in predict.splits]
    if missing:
        yield (
            f"evaluate.splits: {', '.join(missing)} is measured but not predicted; add it to "
            f"predict.splits, found {_listed(predict.splits)}"
        )


def anonymous_weights_can_be_made(
    bundle: BundleConfig, models: Mapping[str, FamilyConfig]
) -> Iterator[str]:
    """Check that the local heads can be given mean shapes in the medoids' place."""
    for name, entry in models.items():
        if bundle.template == "medoid" or not entry.carried:
            continue
        if not isinstance(entry, MassmConfig):
            yield (
                f"bundle.template: mean is not known to models.{name}, of the family "
                f"{entry.family}; take medoid"
            )
        elif not (entry.local.basis_modes or entry.local.class_wise):
            yield (
                "bundle.template: mean needs a local head with something of its own for each "
                "anatomy, that takes up how the mean differs from the medoid: set "
                f"models.{name}.local.basis_modes or models.{name}.local.class_wise, found neither"
            )


def mirrored_is_modeled(alignment: AlignmentConfig, anatomies: Sequence[str]) -> Iterator[str]:
    """Check that the anatomies to mirror are there; a name with a typo would change nothing."""
    unknown = [name for name in alignment.reflect if name not in anatomies]
    if unknown:
        yield (
            f"groom.alignment.reflect: {', '.join(unknown)} is not among anatomies, "
            f"found {_listed(anatomies)}"
        )


def populations_are_mirror_images(
    correspond: CorrespondConfig, alignment: AlignmentConfig, anatomies: Sequence[str]
) -> Iterator[str]:
    """Check that members are there, and that mirroring makes one of each two the other."""
    for population, pair in correspond.populations.items():
        key = f"correspond.populations.{population}"
        unknown = [name for name in pair if name not in anatomies]
        mirrored = [name for name in pair if name in alignment.reflect]
        if population.lower() in [name.lower() for name in anatomies]:
            yield f"{key}: an anatomy is called so too; give the population a name of its own"
        elif unknown:
            yield f"{key}: {', '.join(unknown)} is not among anatomies, found {_listed(anatomies)}"
        elif len(mirrored) != 1:
            yield (
                f"{key}: of {' and '.join(pair)} one must be mirrored onto the other; "
                f"name one of the two in groom.alignment.reflect, found {_listed(mirrored)}"
            )


def anatomies_have_projects(
    correspond: CorrespondConfig, anatomies: Sequence[str]
) -> Iterator[str]:
    """Check that a ShapeWorks project is named for each anatomy where particles come from such."""
    file = correspond.project.file
    used = correspond.backend == "project" and file is not None
    if used and len(anatomies) > 1 and "{anatomy}" not in str(file):
        yield (
            f"correspond.project.file: {file} is one project for {len(anatomies)} anatomies; put "
            "{anatomy} into it"
        )


def joined_is_modeled(correspond: CorrespondConfig, anatomies: Sequence[str]) -> Iterator[str]:
    """Check that the anatomies of the joint model are there."""
    joined = correspond.joint.anatomies
    unknown = [name for name in joined if name not in anatomies]
    if unknown:
        yield (
            f"correspond.joint.anatomies: {', '.join(unknown)} is not among anatomies, "
            f"found {_listed(anatomies)}"
        )


def drawn_modes_are_stored(
    tensors: TensorsConfig, augmentations: Mapping[str, AugmentConfig]
) -> Iterator[str]:
    """Check that augmentation draws from no more shape modes than the tensors hold.

    Args:
        tensors: Says how many are stored.
        augmentations: By the path of their section.
    """
    for path, augment in augmentations.items():
        modes = augment.shape_modes
        used = augment.probability > 0 and augment.shape_std > 0
        if used and modes > tensors.modes:
            yield f"{path}.shape_modes: of tensors.modes = {tensors.modes} stored, found {modes}"


def models_agree(models: Mapping[str, FamilyConfig], tensors: TensorsConfig) -> Iterator[str]:
    """Check what models ask of each other and of the tensors, and that labels tell them apart."""
    for name, entry in models.items():
        for key, reason in entry.faults(models, tensors):
            yield f"models.{name}.{key}: {reason}"
        twins = [
            other for other, same in models.items() if same.label and same.label == entry.label
        ]
        if twins and twins[0] != name:
            yield f"models.{name}.label: {entry.label!r} is the label of {twins[0]} too; change one"


def compared_is_modeled(
    evaluate: EvaluateConfig, models: Mapping[str, FamilyConfig]
) -> Iterator[str]:
    """Check that the model with which the others are compared is there."""
    if evaluate.reference_model not in models:
        yield (
            f"evaluate.reference_model: {evaluate.reference_model} is not among models, "
            f"found {_listed(list(models))}"
        )


def phantom_has_its_layout(dataset: DatasetConfig, phantom: PhantomConfig) -> Iterator[str]:
    """Check that the synthetic cohort is read as what it is written as."""
    is_phantom = dataset.root is not None and dataset.root.resolve() == phantom.root.resolve()
    if is_phantom and dataset.layout != "totalsegmentator":
        yield (
            "dataset.layout: dataset.root is phantom.root, whose cohort is laid out as "
            f"totalsegmentator, found {dataset.layout!r}"
        )


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"
