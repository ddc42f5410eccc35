"""What is known of one scan's anatomies after a model has seen it: typed, with units and frames."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from massm.geometry.boxes import Box
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume


@dataclass(frozen=True)
class ScanGrid:
    """The grid of a scan without its values: its field of view.

    Attributes:
        size: Number of voxels along x, y, z.
        spacing: Voxel size along the x, y, z index axes, mm.
        origin: LPS millimeters of the center of voxel (0, 0, 0).
        direction: Columns are the unit directions of the x, y, z index axes in LPS.
    """

    size: tuple[int, int, int]
    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3 3"]

    @classmethod
    def of(cls, volume: Volume) -> "ScanGrid":
        """Take the grid of a scan."""
        return cls(volume.size, volume.spacing, volume.origin, volume.direction)

    def empty(self) -> Volume:
        """Make a label map of zeros on this grid."""
        array = np.zeros(self.size[::-1], np.uint8)
        return Volume(array, self.spacing, self.origin, self.direction)

    def outside_mm(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Measure how far points lie beyond the nearest face of the grid; negative inside, mm.

        The grid ends half a voxel beyond the centers of its outer voxels.
        """
        along = (points - self.origin) @ self.direction
        low = -0.5 * self.spacing
        high = (np.array(self.size) - 0.5) * self.spacing
        return np.asarray(np.maximum(low - along, along - high).max(1))


@dataclass(frozen=True)
class Cut:
    """How much of an anatomy lies outside of the scan, where the model had nothing to see.

    Attributes:
        surface: Share of the surface's area, 0 to 1.
        particles: Share of the particles, 0 to 1.
        expected: Share of it that would lie outside where the other anatomies say that it is, if it
            was found elsewhere; 0 if not, or if nothing tells.
    """

    surface: float
    particles: float
    expected: float = 0.0

    @property
    def is_cut(self) -> bool:
        """Whether anything lies outside."""
        return self.surface > 0 or self.particles > 0


@dataclass(frozen=True)
class Standing:
    """Where an anatomy stands among those of the training subjects; percentiles are 0 to 100.

    The particles of one world head are written in the model's modes: score j is the distance from
    the mean along mode j in standard deviations of the training shapes. The Mahalanobis distance
    is the length of these scores.

    Attributes:
        head: The world head that the scores are of; None if the model gives no world particles:
            scores are empty then, and the distance is None.
        scores: Of the J modes that the training statistics hold, standard deviations.
        score_percentiles: Of each.
        mahalanobis: Distance from the mean, standard deviations.
        mahalanobis_percentile: Its percentile.
        volume_percentile: Of the surface's volume.
        area_percentile: Of its area.
        subjects: Number of training subjects behind the percentiles.
    """

    head: str | None
    scores: Float[np.ndarray, " J"]
    score_percentiles: Float[np.ndarray, " J"]
    mahalanobis: float | None
    mahalanobis_percentile: float | None
    volume_percentile: float
    area_percentile: float
    subjects: int


@dataclass(frozen=True)
class Band:
    """How far the true surface may lie from an anatomy's particles, with a stated coverage.

    Attributes:
        level: Coverage, 0 to 1.
        share_mm: Radius of each particle, mm: a share ``level`` of the particles lies within
            theirs, on average over scans. None: not promised.
        whole_mm: Radius of each particle, mm: all lie within theirs with a chance of ``level``.
            None: not promised.
        share_at_vertices_mm: The first at each vertex of the surface, mm.
        whole_at_vertices_mm: The second.
        subjects: Calibration subjects that have the anatomy.
        pooled: Whether all anatomies together say how much, for want of subjects.
    """

    level: float
    share_mm: Float[np.ndarray, " M"] | None
    whole_mm: Float[np.ndarray, " M"] | None
    share_at_vertices_mm: Float[np.ndarray, " V"] | None
    whole_at_vertices_mm: Float[np.ndarray, " V"] | None
    subjects: int
    pooled: bool


Light = Literal["green", "amber", "red"]


@dataclass(frozen=True)
class Clue:
    """One evidence for or against trusting an anatomy or a scan.

    Attributes:
        name: For programs.
        value: In the unit of :mod:`massm.inference.trust.evidence`, volumes in ml.
        low: What 5 % of the subjects that the model did not learn from lie below.
        high: What 5 % of them lie above.
        strangeness: Distance from their median, that to ``low`` or ``high`` being 1; 0 where the
            value lies on the side that is no cause for alarm.
        text: For people.
    """

    name: str
    value: float
    low: float
    high: float
    strangeness: float
    text: str


@dataclass(frozen=True)
class Trust:
    """Whether an anatomy, or a scan, is like those that the model was tried on.

    Attributes:
        light: green: usual; amber: look at it; red: do not use it.
        reason: Why it is not green, the leading cause first; empty if it is.
        strangeness: The largest of the findings.
        amber: From which strangeness on it is amber.
        red: From which on it is red.
        findings: All that is known, the strangest first.
    """

    light: Light
    reason: str
    strangeness: float
    amber: float
    red: float
    findings: tuple[Clue, ...]


@dataclass(frozen=True)
class AnatomyShape:
    """One anatomy of one scan.

    What follows ``threshold`` is None, or empty, where the anatomy was not found.

    Attributes:
        anatomy: Its name.
        label: Its value in the label map, its place among the model's anatomies from 1 on.
        present: Whether the model says that it is in the scan.
        score: How sure the model is of that, 0 to 1.
        threshold: Score from which it counts as present.
        box: Middle and half extents along x, y, z, LPS mm; None for a model without boxes.
        local: Particles on the anatomy, LPS mm.
        world: Particles in the population's frame, mm, by name of the world head.
        surface: Closed surface, LPS mm.
        volume_ml: What the surface encloses, ml.
        area_mm2: The surface's area, mm^2.
        cut: How much of it lies outside of the scan.
        standing: Where it stands in the training population; None also where the model folder
            holds no statistics of it.
        agreement: How far what the model sees voxel by voxel agrees with its particles, 0 to 1;
            None also for a model that does not look so.
        band: How far off it may be; None also where nothing is promised.
        unsure: Why nothing, or not all, is promised; empty if all is.
        trust: Whether it is like those that the model was tried on; None where nothing tells.
    """

    anatomy: str
    label: int
    present: bool
    score: float
    threshold: float
    box: Box | None
    local: Float[np.ndarray, "M 3"] | None
    world: dict[str, Float[np.ndarray, "M 3"]]
    surface: Mesh | None
    volume_ml: float | None
    area_mm2: float | None
    cut: Cut | None
    standing: Standing | None
    agreement: float | None = None
    band: Band | None = None
    unsure: str = ""
    trust: Trust | None = None


@dataclass(frozen=True)
class ScanShapes:
    """All that a model says of one scan. Points are LPS mm of the scan unless said otherwise.

    Attributes:
        name: What the scan is called.
        grid: Where its voxels lie.
        anatomies: Of each anatomy that the model knows, in its order, also of those not found.
        trust: Whether the scan is like those that the model was tried on; None where nothing tells.
        untold: Why nothing tells; empty if something does.
    """

    name: str
    grid: ScanGrid
    anatomies: dict[str, AnatomyShape]
    trust: Trust | None = None
    untold: str = ""

    def __getitem__(self, anatomy: str) -> AnatomyShape:
        return self.anatomies[anatomy]

    @property
    def found(self) -> dict[str, AnatomyShape]:
        """The anatomies that are present."""
        return {name: shape for name, shape in self.anatomies.items() if shape.present}

    @property
    def surfaces(self) -> dict[str, Mesh]:
        """The closed surface of each anatomy that has one, LPS mm."""
        return {
            name: shape.surface
            for name, shape in self.anatomies.items()
            if shape.surface is not None
        }
