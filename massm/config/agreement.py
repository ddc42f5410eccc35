"""What the values of one section demand of another: found before any work starts, not hours in.

Each function says of values that contradict each other what is needed; first comes the key's path.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.crossval import CrossvalConfig
from massm.config.dataset import DatasetConfig
from massm.config.evaluate import EvaluateConfig
from massm.config.groom import AlignmentConfig
from massm.config.intervals import IntervalsConfig, can_have
from massm.config.models.family import EntryConfig, FamilyConfig
from massm.config.models.massm import MassmConfig
from massm.config.models.variant import VariantConfig
from massm.config.phantom import PhantomConfig
from massm.config.predict import PredictConfig
from massm.config.tensors import TensorsConfig
from massm.config.train import AugmentConfig
from massm.config.trust import TrustConfig


def measured_is_predicted(predict: PredictConfig, evaluate: EvaluateConfig) -> Iterator[str]:
    """Check that evaluation asks for no split that prediction leaves out."""
    missing = [name for name in evaluate.splits if name not in predict.splits]
    if missing:
        yield (
            f"evaluate.splits: {', '.join(missing)} is measured but not predicted; add it to "
            f"predict.splits, found {_listed(predict.splits)}"
        )


def anonymous_weights_can_be_made(
    bundle: BundleConfig, models: Mapping[str, EntryConfig]
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


def mirror_pairs_are_modeled(tensors: TensorsConfig, anatomies: Sequence[str]) -> Iterator[str]:
    """Check that the anatomies of pairs are there."""
    pairs = tensors.mirror_pairs
    unknown = [name for name in (*pairs, *pairs.values()) if name not in anatomies]
    if unknown:
        yield (
            f"tensors.mirror_pairs: {', '.join(unknown)} is not among anatomies, "
            f"found {_listed(anatomies)}"
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


def sides_are_paired(
    tensors: TensorsConfig, augmentations: Mapping[str, AugmentConfig], anatomies: Sequence[str]
) -> Iterator[str]:
    """Check that no left anatomy is still called left where subjects are seen in a mirror.

    Args:
        tensors: Says which anatomies are each other's mirror images.
        augmentations: By the path of their section.
        anatomies: Those that are modeled; of a side is what says left or right in its name.
    """
    paired = {name for pair in tensors.mirror_pairs.items() for name in pair}
    sided = [name for name in anatomies if re.search("left|right", name, re.IGNORECASE)]
    alone = [name for name in sided if name not in paired]
    for path, augment in augmentations.items():
        if alone and augment.mirror_probability > 0:
            yield (
                f"{path}.mirror_probability: in a mirror {', '.join(alone)} would keep the name of "
                "the wrong side; name the other side's anatomy in tensors.mirror_pairs, or set 0"
            )


def models_agree(models: Mapping[str, EntryConfig], tensors: TensorsConfig) -> Iterator[str]:
    """Check what models ask of each other and of the tensors, and that labels tell them apart."""
    unmade = [
        f"models.{name}.{key}: {reason}"
        for name, entry in models.items()
        if isinstance(entry, VariantConfig)
        for key, reason in entry.faults_of_changes(models)
    ]
    yield from unmade or _asked_of_others(models, tensors)
    for name, entry in models.items():
        twins = [
            other for other, same in models.items() if same.label and same.label == entry.label
        ]
        if twins and twins[0] != name:
            yield f"models.{name}.label: {entry.label!r} is the label of {twins[0]} too; change one"


def _asked_of_others(models: Mapping[str, EntryConfig], tensors: TensorsConfig) -> Iterator[str]:
    """Say what is wrong with what each model predicts by; of a variant, what its changes do."""
    families = {name: entry.meant(models) for name, entry in models.items()}
    faults = {
        name: [*entry.faults(families, tensors), *_circles(name, families)]
        for name, entry in families.items()
    }
    for name, entry in models.items():
        base = entry.weights_of
        place = f"models.{name}.changes" if base else f"models.{name}"
        for key, reason in faults[name]:
            if base is None or (key, reason) not in faults[base]:
                yield f"{place}.{key}: {reason}"


def _circles(name: str, models: Mapping[str, FamilyConfig]) -> Iterator[tuple[str, str]]:
    """Say by which keys a model needs predictions that need its own: the key, then the circle."""
    for key, asked in models[name].asked.items():
        ways = [[name, asked]]
        while ways:
            way = ways.pop()
            if way[-1] == name:
                yield key, f"{' -> '.join(way)} is a circle"
                break
            if way[-1] in models and way[-1] not in way[:-1]:
                ways += [[*way, other] for other in models[way[-1]].asked.values()]


def compared_is_modeled(
    evaluate: EvaluateConfig, models: Mapping[str, EntryConfig]
) -> Iterator[str]:
    """Check that the model with which the others are compared is there."""
    if evaluate.reference_model not in models:
        yield (
            f"evaluate.reference_model: {evaluate.reference_model} is not among models, "
            f"found {_listed(list(models))}"
        )


def crossed_is_modeled(
    crossval: CrossvalConfig, models: Mapping[str, EntryConfig]
) -> Iterator[str]:
    """Check that the models that are made without each fold are there."""
    unknown = [name for name in crossval.models or () if name not in models]
    if unknown:
        yield (
            f"crossval.models: {', '.join(unknown)} is not among models, "
            f"found {_listed(list(models))}"
        )


def intervals_can_be_made(
    intervals: IntervalsConfig,
    models: Mapping[str, EntryConfig],
    crossed: Sequence[str],
    predict: PredictConfig,
) -> Iterator[str]:
    """Check that the models that get intervals have particles, and that calibration is predicted.

    Args:
        intervals: Their section.
        models: All models.
        crossed: Those that cross-validation makes.
        predict: Says who is predicted.
    """
    for name in intervals.models or ():
        entry = models.get(name)
        family = models.get(entry.weights_of) if entry and entry.weights_of else entry
        if entry is None:
            yield f"intervals.models: {name} is not among models, found {_listed(list(models))}"
        elif isinstance(family, FamilyConfig) and not can_have(family.facts):
            yield (
                f"intervals.models: {name} gives no particles in the image, or knows the truth; "
                "take it out"
            )
        elif intervals.calibration == "crossval" and name not in crossed:
            yield (
                f"intervals.models: {name} is not predicted out of fold; add it to "
                f"crossval.models, found {_listed(crossed)}"
            )
    of_validation = intervals.models and intervals.calibration == "validation"
    if of_validation and "validation" not in predict.splits:
        yield (
            "intervals.calibration: validation is not predicted; add it to predict.splits, found "
            f"{_listed(predict.splits)}"
        )


def trust_can_be_made(
    trust: TrustConfig, carried: Sequence[str], crossed: Sequence[str], predict: PredictConfig
) -> Iterator[str]:
    """Check that the models that get tables of what is usual have a folder, and predictions.

    Args:
        trust: Their section.
        carried: Models that get a model folder.
        crossed: Those that cross-validation makes.
        predict: Says who is predicted.
    """
    for name in trust.models or ():
        if name not in carried:
            yield f"trust.models: {name} gets no model folder, those are {_listed(carried)}"
        elif trust.calibration == "crossval" and name not in crossed:
            yield (
                f"trust.models: {name} is not predicted out of fold; add it to "
                f"crossval.models, found {_listed(crossed)}"
            )
    of_validation = trust.models and trust.calibration == "validation"
    if of_validation and "validation" not in predict.splits:
        yield (
            "trust.models: validation is not predicted; add it to predict.splits, found "
            f"{_listed(predict.splits)}"
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
