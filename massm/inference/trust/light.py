"""Green, amber or red: what the evidence of a scan says beside what is usual."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from massm.geometry.boxes import Box, box_of
from massm.geometry.volume import Volume
from massm.inference.colors import anatomy_label
from massm.inference.shapes import AnatomyShape, Clue, Light, ScanShapes, Trust
from massm.inference.trust.elsewhere import shares_outside
from massm.inference.trust.evidence import Gathered, SeenAnatomy, gather
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN, EvidenceKind, in_unit, shown
from massm.inference.trust.places import Arrangement
from massm.inference.trust.usual import FEWEST, strangeness
from massm.io.trust import TrustTables

NO_TABLES = "the model folder does not know what is usual"
MOST_OUTSIDE = 0.5
"""An anatomy of which a larger share of the surface lies outside of the scan is red."""

_LOW, _HIGH = 5, 95  # percent, of the quantiles that a reason names


def judged(shapes: ScanShapes, volume: Volume, tables: TrustTables | None) -> ScanShapes:
    """Say of a scan and each anatomy that was found whether to trust it.

    Red of the scan is red of all that was found in it; a scan is red, too, where nothing was found,
    and where more than half of what was found is.

    Args:
        shapes: What was found.
        volume: The scan, HU.
        tables: What is usual; None: that is not known.
    """
    if tables is None or tables.is_empty:
        return replace(shapes, untold=untold(tables))
    evidence = gather_shapes(shapes, volume, tables)
    shapes = _with_expected_cuts(shapes, tables)
    scan = _of_scan(evidence, tables)
    lights = {
        name: _of_anatomy(shapes[name], values, tables)
        for name, values in evidence.anatomies.items()
    }
    known = [light for light in lights.values() if light is not None]
    red = sum(light.light == "red" for light in known)
    if scan.light != "red" and not shapes.found:
        scan = replace(scan, light="red", reason="No anatomy was found.")
    elif scan.light != "red" and 2 * red > len(known):
        scan = replace(scan, light="red", reason=f"{red} of {len(known)} anatomies are red.")
    return replace(
        shapes,
        trust=scan,
        anatomies={
            name: replace(shape, trust=_beside(lights[name], scan) if name in lights else None)
            for name, shape in shapes.anatomies.items()
        },
    )


def untold(tables: TrustTables | None) -> str:
    """Say why nothing tells whether to trust a scan; empty if something does."""
    if tables is None:
        return NO_TABLES
    if tables.is_empty:
        return f"{tables.subjects} subjects were held back, {FEWEST + 1} are needed"
    return ""


def gather_shapes(shapes: ScanShapes, volume: Volume, tables: TrustTables) -> Gathered:
    """Collect the evidence of what was found in a scan."""
    found = {name: _found(shape) for name, shape in shapes.found.items()}
    return gather(found, tables.anatomies, volume, _places(tables))


def _places(tables: TrustTables) -> Arrangement:
    return Arrangement(tables.anatomies, tables.place_mean, tables.place_covariance)


def _with_expected_cuts(shapes: ScanShapes, tables: TrustTables) -> ScanShapes:
    """Add which share of each anatomy the others place outside of the scan."""
    boxes = {
        name: Box(*box_of(shape.local))
        for name, shape in shapes.found.items()
        if shape.local is not None
    }
    scores = {name: shapes[name].score for name in boxes}
    expected = shares_outside(boxes, scores, _places(tables), shapes.grid)
    cuts = {
        name: replace(cut, expected=expected.get(name, 0.0))
        for name, shape in shapes.anatomies.items()
        if (cut := shape.cut) is not None
    }
    return replace(
        shapes,
        anatomies={
            name: replace(shape, cut=cuts.get(name)) for name, shape in shapes.anatomies.items()
        },
    )


def _found(shape: AnatomyShape) -> SeenAnatomy:
    standing = shape.standing
    distance = None if standing is None else standing.mahalanobis
    return SeenAnatomy(
        shape.score, shape.box, shape.local, shape.surface, shape.agreement, distance
    )


def _of_scan(evidence: Gathered, tables: TrustTables) -> Trust:
    clues = _clues(evidence.scan, tables.scan_quantiles, OF_SCAN)
    return _lit(clues, "The scan", tables.scan_amber, tables.scan_red)


def _of_anatomy(
    shape: AnatomyShape, values: Float[np.ndarray, " E"], tables: TrustTables
) -> Trust | None:
    row, label = tables.anatomies.index(shape.anatomy), anatomy_label(shape.anatomy)
    if tables.found[row] < FEWEST:
        return None
    clues = _clues(values, tables.quantiles[row], OF_ANATOMY)
    trust = _lit(clues, label, float(tables.amber[row]), tables.red)
    if shape.cut is None:
        return trust
    outside, expected = shape.cut.surface, shape.cut.expected
    if expected > 0:
        said = f"the other anatomies place {_share(expected)} of it outside of the scan"
        trust = _beyond_edge(trust, f"{label}: {said}.", expected)
    if shape.cut.is_cut:
        said = f"{_share(outside)} of its surface lies outside of the scan"
        trust = _beyond_edge(trust, f"{label}: {said}.", outside)
    return trust


def _beyond_edge(trust: Trust, said: str, share: float) -> Trust:
    """Let an anatomy be red of which most is outside, and amber if anything is."""
    if share > MOST_OUTSIDE and trust.light != "red":
        return replace(trust, light="red", reason=said)
    light: Light = "amber" if trust.light == "green" else trust.light
    return replace(trust, light=light, reason=f"{trust.reason} {said}".strip())


def _clues(
    values: Float[np.ndarray, " E"],
    quantiles: Float[np.ndarray, "E Q"],
    evidence: Mapping[str, EvidenceKind],
) -> list[Clue]:
    """List what is known, the strangest first."""
    last = quantiles.shape[-1] - 1
    strange = strangeness(values, quantiles, evidence)
    found = []
    for name, value, row, by in zip(evidence, values, quantiles, strange, strict=True):
        if np.isfinite(by):
            low, high = (float(row[round(each / 100 * last)]) for each in (_LOW, _HIGH))
            said = _said(name, float(value), low, high, evidence[name])
            at, low, high = (in_unit(name, each) for each in (float(value), low, high))
            found.append(Clue(name, at, low, high, float(by), said))
    return sorted(found, key=lambda clue: -clue.strangeness)


def _said(name: str, value: float, low: float, high: float, evidence: EvidenceKind) -> str:
    usual = {
        "low": f"at least {shown(name, low)}",
        "high": f"at most {shown(name, high)}",
        "both": f"{shown(name, low)} to {shown(name, high)}",
    }[evidence.sides]
    return f"{evidence.says}: {shown(name, value)}, usually {usual}"


def _lit(clues: Sequence[Clue], what: str, amber: float, red: float) -> Trust:
    """Choose the light, and say why: all evidence that reaches it, at most three."""
    most = clues[0].strangeness if clues else 0.0
    amber = min(amber, red)
    light: Light = "red" if most > red else "amber" if most > amber else "green"
    reason = ""
    if light != "green":
        level = red if light == "red" else amber
        causes = [clue.text for clue in clues if clue.strangeness > level][:3]
        reason = f"{what}: {'; '.join(causes)}."
    return Trust(light, reason, most, amber, red, tuple(clues))


def _beside(own: Trust | None, scan: Trust) -> Trust | None:
    """Let an anatomy be red where its scan is, also one that has no light of its own."""
    if scan.light != "red" or (own is not None and own.light == "red"):
        return own
    if own is None:
        return replace(scan, findings=())
    return replace(own, light="red", reason=f"{scan.reason} {own.reason}".strip())


def _share(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
