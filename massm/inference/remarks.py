"""What somebody who looks at the shapes of a scan has to know of them first."""

from dataclasses import dataclass
from typing import Literal

from massm.inference.colors import anatomy_label
from massm.inference.label_map import LabelMap
from massm.inference.shapes import AnatomyShape, ScanShapes
from massm.inference.statistics import FEW_SUBJECTS

Kind = Literal[
    "not_found", "cut", "elsewhere", "unlike_training", "size", "no_voxels", "overlap", "scan"
]

_SHARE_OF_OVERLAP = 0.05  # of the smaller anatomy's voxels


@dataclass(frozen=True)
class Remark:
    """One sentence, and what it is about.

    Attributes:
        kind: For programs.
        anatomy: None where it is about the scan or about several anatomies.
        text: For people.
    """

    kind: Kind
    anatomy: str | None
    text: str


def remarks_on(shapes: ScanShapes, labels: LabelMap | None, notes: tuple[str, ...]) -> list[Remark]:
    """List what is noteworthy of a scan's shapes, anatomy by anatomy.

    Args:
        shapes: What was found.
        labels: Their label map, if one was made.
        notes: What is odd about the scan itself.
    """
    remarks = [Remark("scan", None, f"Scan: {note}.") for note in notes]
    for shape in shapes.anatomies.values():
        remarks += _of_anatomy(shape)
    if labels is not None:
        remarks += _of_labels(labels)
    return remarks


def _of_anatomy(shape: AnatomyShape) -> list[Remark]:
    label = anatomy_label(shape.anatomy)
    if not shape.present:
        said = f"{label} was not found (score {shape.score:.2f}, needed {shape.threshold:.2f})."
        return [Remark("not_found", shape.anatomy, said)]
    remarks = []
    if shape.cut is not None and shape.cut.is_cut:
        share = "less than 1" if shape.cut.surface < 0.01 else f"{100 * shape.cut.surface:.0f}"
        said = (
            f"{label} is cut by the field of view: {share} % of its surface lies outside of "
            "the scan, where the model guesses."
        )
        remarks.append(Remark("cut", shape.anatomy, said))
    if shape.cut is not None and shape.cut.expected > 0:
        said = (
            f"{label} was found where the other anatomies do not expect it; where they do, "
            f"{max(1, round(100 * shape.cut.expected))} % of it would lie outside of the scan."
        )
        remarks.append(Remark("elsewhere", shape.anatomy, said))
    return remarks + _of_standing(shape, label)


def _of_standing(shape: AnatomyShape, label: str) -> list[Remark]:
    standing = shape.standing
    if standing is None or standing.subjects < FEW_SUBJECTS:
        return []
    remarks = []
    if standing.mahalanobis_percentile == 100:
        said = (
            f"{label}: its shape is farther from the mean ({standing.mahalanobis:.1f} SD) than "
            f"that of each of the {standing.subjects} training subjects; look at it closely."
        )
        remarks.append(Remark("unlike_training", shape.anatomy, said))
    if standing.volume_percentile in (0, 100):
        word = "smaller" if standing.volume_percentile == 0 else "larger"
        said = (
            f"{label}: with {shape.volume_ml:.3g} ml it is {word} than that of each of the "
            f"{standing.subjects} training subjects."
        )
        remarks.append(Remark("size", shape.anatomy, said))
    return remarks


def _of_labels(labels: LabelMap) -> list[Remark]:
    remarks = [
        Remark(
            "no_voxels",
            name,
            f"{anatomy_label(name)} has no voxel in the label map: it is smaller than voxels or "
            "lies outside of the scan.",
        )
        for name, count in labels.voxels.items()
        if count == 0
    ]
    for (one, other), count in labels.overlaps.items():
        smaller = max(1, min(labels.voxels[one], labels.voxels[other]))
        if count > _SHARE_OF_OVERLAP * smaller:
            said = (
                f"{anatomy_label(one)} and {anatomy_label(other).lower()} overlap in {count} "
                "voxels, which the label map gives to the one they lie deeper in."
            )
            remarks.append(Remark("overlap", None, said))
    return remarks
