"""The tissues of a body painted on voxels, back to front, in Hounsfield units."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from massm.dataset.phantom.anatomies import horizontal_fissure, oblique_fissure
from massm.dataset.phantom.implicit import Points, Values
from massm.dataset.phantom.tables import Table

AIR, FAT, LUNG, SOFT = -1000.0, -100.0, -865.0, 45.0
CHUNK = 16384  # voxels painted at a time, so that they stay in the processor's cache

# HU by contrast phase. Left and right: blood of the heart's sides.
TISSUES: dict[str, dict[str, float]] = {
    "native": {
        "left": 42, "right": 41, "aorta": 42, "veins": 40, "muscle of the heart": 52,
        "spleen": 48, "liver": 58, "kidneys": 33, "muscle": 50,
    },
    "arterial": {
        "left": 310, "right": 235, "aorta": 325, "veins": 130, "muscle of the heart": 98,
        "spleen": 118, "liver": 70, "kidneys": 150, "muscle": 55,
    },
    "venous": {
        "left": 158, "right": 150, "aorta": 155, "veins": 148, "muscle of the heart": 104,
        "spleen": 122, "liver": 112, "kidneys": 178, "muscle": 60,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Tissue:
    """What one scan shows its tissues as.

    Attributes:
        hu: By tissue, HU.
        lung_shift: Of this scan's lungs against the usual, HU: how deep the breath was.
        absent: Anatomies that were removed.
    """

    hu: dict[str, float]
    lung_shift: float
    absent: frozenset[str]


@dataclass
class Canvas:
    """Voxels inside the body, and the HU painted on them so far.

    Attributes:
        atlas: Where each voxel's center lies in the atlas, mm.
        hu: Values so far.
        edge_mm: Width over which a surface fades, about a voxel (partial volume).
    """

    atlas: Points
    hu: Values
    edge_mm: float

    def __post_init__(self) -> None:
        self._low, self._high = self.atlas.min(axis=0), self.atlas.max(axis=0)

    def sees(self, table: Table) -> bool:
        """Tell whether any voxel may lie in a solid."""
        return bool((table.low <= self._high).all() and (table.high >= self._low).all())

    def paint(self, table: Table, value: float | Values, grow_mm: float = 0.0) -> None:
        """Fill a solid, grown by ``grow_mm``, with a value or one value per voxel."""
        if not self.sees(table):
            return
        near = table.near(self.atlas)
        covered = coverage(table(self.atlas[near]) - grow_mm, self.edge_mm)
        fill = value if np.isscalar(value) else np.asarray(value)[near]
        self.hu[near] += covered * (fill - self.hu[near])


def coverage(distance: Values, edge_mm: float) -> Values:
    """Tell which share of a voxel lies in a solid, from the signed distance of its center."""
    return np.clip(0.5 - distance / edge_mm, 0.0, 1.0)


def chunks(count: int) -> Iterator[slice]:
    """Part voxels into runs that are painted one after the other."""
    for first in range(0, count, CHUNK):
        yield slice(first, first + CHUNK)


def draw_tissue(phase: str, absent: frozenset[str], random: np.random.Generator) -> Tissue:
    """Draw a scan's HU: each tissue's rise over native varies, and the scanner a little."""
    dose = float(np.exp(random.normal(0, 0.12)))
    native, values = TISSUES["native"], TISSUES[phase]
    hu = {
        name: native[name] + dose * (values[name] - native[name]) + random.normal(0, 3)
        for name in sorted(values)
    }
    return Tissue(hu, float(random.normal(0, 15)), absent)


def paint_body(canvas: Canvas, tissue: Tissue, tables: dict[str, Table], outside: Values) -> None:
    """Paint everything within the skin.

    Args:
        canvas: Painted on; what it held is lost.
        tissue: Values of the scan.
        tables: Solids of the atlas.
        outside: Signed distance of each voxel to the skin, mm.
    """
    canvas.hu[:] = np.where(outside > -2.0, 10.0, FAT)
    canvas.paint(tables["muscle"], tissue.hu["muscle"])
    canvas.paint(tables["shoulder_blades"], 420.0)
    canvas.paint(tables["ribs"], 430.0)
    canvas.paint(tables["ribs"], 190.0, grow_mm=-2.2)
    canvas.paint(tables["cartilage"], 95.0)
    canvas.paint(tables["breastbone"], 260.0)
    canvas.paint(tables["cage"], FAT + 12)
    canvas.paint(tables["vertebrae"], 75.0, grow_mm=5.0)  # discs, ligaments, short muscles
    canvas.paint(tables["vertebrae"], 420.0)
    canvas.paint(tables["vertebrae"], 185.0, grow_mm=-2.5)
    canvas.paint(tables["spinal_canal"], 25.0)
    _paint_abdomen(canvas, tissue, tables)
    _paint_lungs(canvas, tissue, tables)
    _paint_chest(canvas, tables, tissue.hu)


def _paint_abdomen(canvas: Canvas, tissue: Tissue, tables: dict[str, Table]) -> None:
    hu = tissue.hu
    canvas.paint(tables["abdomen"], 48.0)  # the diaphragm
    canvas.paint(tables["abdomen"], FAT, grow_mm=-3.5)
    x, y, z = canvas.atlas.T
    gas = np.sin(x / 14 + y / 11) + np.sin(z / 13) > 1.1
    canvas.paint(tables["bowel"], np.where(gas, -600.0, 30.0))
    canvas.paint(tables["kidneys"], hu["kidneys"])
    canvas.paint(tables["stomach"], 55.0)
    canvas.paint(tables["stomach"], 18.0, grow_mm=-4.0)
    canvas.paint(tables["stomach_gas"], -930.0)
    canvas.paint(tables["liver"], hu["liver"])
    if "spleen" not in tissue.absent:
        canvas.paint(tables["spleen"], hu["spleen"])


def _paint_lungs(canvas: Canvas, tissue: Tissue, tables: dict[str, Table]) -> None:
    if not canvas.sees(tables["lungs"]):
        return
    near = tables["lungs"].near(canvas.atlas)
    points = canvas.atlas[near]
    air = LUNG + tissue.lung_shift + 0.45 * points[:, 1]  # denser in the back, which lies below
    values = np.zeros(len(canvas.hu))
    values[near] = air + 210 * _fissures(points, canvas.edge_mm)
    canvas.paint(tables["lungs"], values)
    for lobe in sorted(tissue.absent - {"spleen"}):  # fluid fills the room of a removed lobe
        canvas.paint(tables[lobe], 12.0)


def _fissures(points: Points, edge_mm: float) -> Values:
    left = points[:, 0] > 0
    oblique = np.where(left, oblique_fissure(points, 1), oblique_fissure(points, -1))
    flat = np.where(left | (oblique < 0), np.inf, horizontal_fissure(points))
    nearest = np.minimum(np.abs(oblique), np.abs(flat))
    return np.exp(-np.square(nearest / (0.6 * edge_mm)))


def _paint_chest(canvas: Canvas, tables: dict[str, Table], hu: dict[str, float]) -> None:
    canvas.paint(tables["gullet"], 40.0)
    canvas.paint(tables["caval_veins"], hu["veins"])
    canvas.paint(tables["pulmonary_arteries"], hu["right"])
    canvas.paint(tables["aorta"], 45.0, grow_mm=1.5)
    canvas.paint(tables["aorta"], hu["aorta"])
    canvas.paint(tables["windpipe_wall"], 40.0)
    canvas.paint(tables["windpipe"], -995.0)
    canvas.paint(tables["heart_muscle"], hu["muscle of the heart"])
    canvas.paint(tables["heart_atrium_left"], hu["left"])
    canvas.paint(tables["heart_atrium_right"], hu["right"])
    canvas.paint(tables["heart_ventricle_right"], hu["right"])
    canvas.paint(tables["heart_ventricle_left"], hu["left"])
