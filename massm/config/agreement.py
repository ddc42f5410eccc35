"""What the values of one section demand of another: found before any work starts, not hours in.

Each function says of values that contradict each other what is needed; first comes the key's path.
"""

from collections.abc import Iterator, Sequence

from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.dataset import DatasetConfig
from massm.config.evaluate import EvaluateConfig
from massm.config.groom import AlignmentConfig
from massm.config.model import LocalConfig
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


def anonymous_weights_can_be_made(bundle: BundleConfig, local: LocalConfig) -> Iterator[str]:
    """Check that the local head can be given mean shapes in the medoids' place."""
    if bundle.template == "mean" and not (local.basis_modes or local.class_wise):
        yield (
            "bundle.template: mean needs a local head with something of its own for each anatomy, "
            "that takes up how the mean differs from the medoid: set model.local.basis_modes or "
            "model.local.class_wise, found neither"
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


def used_modes_are_stored(
    tensors: TensorsConfig, local: LocalConfig, augment: AugmentConfig
) -> Iterator[str]:
    """Check that no one uses more shape modes than the tensors hold: they would be fewer."""
    users = {"model.local.basis_modes": local.basis_modes}
    if augment.probability > 0 and augment.shape_std > 0:
        users["train.augment.shape_modes"] = augment.shape_modes
    for key, modes in users.items():
        if modes > tensors.modes:
            yield f"{key}: of tensors.modes = {tensors.modes} stored modes, found {modes}"


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
