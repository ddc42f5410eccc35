"""Why a mask is suspicious, in words."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from jaxtyping import Float

from massm.audit.evidence import Evidence, Key
from massm.audit.measures import DIRECTIONS, SIDES
from massm.audit.place import Scans
from massm.audit.score import MOST
from massm.audit.sight import offset

Weights = Mapping[Key, Mapping[str, float]]

_MAIN = 2.5  # evidence that counts so much is named, the most suspicious kind in any case
_SAME = 0.5  # so large a share of common voxels is named first
_NEARER = 0.5  # an anatomy is at another's place if it is so much nearer to that than to its own
_PLACES = (("to the right of", "to the left of"), ("in front of", "behind"), ("below", "above"))


class Reasons:
    """Says why a mask of a cohort is suspicious."""

    def __init__(self, scans: Scans, evidence: Evidence, weights: Weights) -> None:
        """Keep what is known.

        Args:
            scans: Measures by subject and anatomy.
            evidence: Of the same masks.
            weights: The evidence on one scale.
        """
        self._scans, self._evidence, self._weights = scans, evidence, weights

    def why(self, key: Key) -> str:
        """Name what counts most, and a second reason if that counts much, too."""
        mask = self._scans[key[0]][key[1]]
        weights = {k: min(w, MOST) for k, w in self._weights[key].items() if np.isfinite(w)}
        kinds = sorted(weights, key=lambda kind: -weights[kind])
        found = []
        if mask.shared > _SAME:
            found.append(f"shares {mask.shared:.0%} of its voxels with {mask.shared_with}")
        taken = self._exchanged(key)
        if taken:
            found.append(taken)
        for place, kind in enumerate(kinds):
            if place and weights[kind] < _MAIN:
                break
            if not (taken and kind in ("place", "sight", "border")):
                found.append(self._words[kind](key))
        return "; ".join(dict.fromkeys(found[:2]))

    @property
    def _words(self) -> dict[str, Callable[[Key], str]]:
        return {
            "form": self._form,
            "flat": self._flat,
            "place": self._place,
            "size": self._size,
            "values": self._values,
            "rim": self._rim,
            "sight": self._sight,
            "border": self._border,
            "prediction": self._prediction,
            "ends": self._ends,
        }

    def _exchanged(self, key: Key) -> str:
        """Say so if a mask lies where another anatomy is expected."""
        subject, name = key
        masks, placed = self._scans[subject], self._evidence.placed
        if key not in placed or not self._weights[key]["place"] >= _MAIN:
            return ""
        expected = {
            other: masks[other].center - placed[subject, other].off_mm
            for other in masks
            if (subject, other) in placed
        }
        own = float(np.linalg.norm(placed[key].off_mm))
        center = masks[name].center
        gaps = {o: float(np.linalg.norm(center - at)) for o, at in expected.items() if o != name}
        other = min(gaps, key=lambda one: gaps[one], default="")
        if not other or gaps[other] > _NEARER * own:
            return ""
        back = float(np.linalg.norm(masks[other].center - expected[name]))
        if back > _NEARER * float(np.linalg.norm(placed[subject, other].off_mm)):
            return f"lies where {other} is expected"
        sides = "left and right " if are_sides(name, other) else ""
        return f"{sides}exchanged with {other}"

    def _place(self, key: Key) -> str:
        return f"lies {_way(self._evidence.placed[key].off_mm)} where the other anatomies place it"

    def _sight(self, key: Key) -> str:
        off = offset(self._evidence.beyond_mm[key][None])[0]
        return f"lies {_way(off)} where the image around it places it"

    def _border(self, key: Key) -> str:
        beyond = self._evidence.beyond_mm[key]
        most = int(np.abs(beyond).argmax())
        how = "farther than" if beyond[most] > 0 else "short of what"
        side = _side(DIRECTIONS[most])
        return f"reaches {abs(beyond[most]):.0f} mm {how} the image says at the {side}"

    def _ends(self, key: Key) -> str:
        beyond = self._evidence.beyond_predicted_mm[key]
        most = int(np.abs(beyond).argmax())
        how = "farther than" if beyond[most] > 0 else "short of"
        side = _side(DIRECTIONS[most])
        return f"reaches {abs(beyond[most]):.0f} mm {how} its prediction at the {side}"

    def _size(self, key: Key) -> str:
        volume = self._scans[key[0]][key[1]].volume_ml
        expected = volume / float(np.exp(self._evidence.placed[key].larger))
        if max(volume / expected, expected / volume) < 1.2:
            return "other lengths than the other anatomies of the scan make expected"
        return f"{volume:.3g} ml where the other anatomies make {expected:.3g} ml expected"

    def _form(self, key: Key) -> str:
        usually = self._usual_forms
        own = _form_of(self._scans[key[0]][key[1]].support)
        gaps = {name: float(np.linalg.norm(own - form)) for name, form in usually.items()}
        nearest = min(gaps, key=lambda name: gaps[name])
        if gaps[nearest] < _NEARER * gaps[key[1]]:
            return f"shape of another anatomy ({nearest})"
        return "unusual shape"

    def _flat(self, key: Key) -> str:
        flat = self._scans[key[0]][key[1]].flat
        return f"cut flat at the {SIDES[int((flat - self._usual(key, 'flat')).argmax())]}"

    def _values(self, key: Key) -> str:
        hu, usual = self._scans[key[0]][key[1]].hu, self._usual(key, "hu")
        names = ("mean", "standard deviation", "10th percentile", "median", "90th percentile")
        row = int(np.abs(hu - usual).argmax())
        return f"{names[row]} inside {hu[row]:.0f} HU, usual is {usual[row]:.0f}"

    def _rim(self, key: Key) -> str:
        rim, usual = self._scans[key[0]][key[1]].rim, self._usual(key, "rim")
        side = int(np.abs(rim - usual).argmax())
        return f"{rim[side]:.0f} HU just outside at the {SIDES[side]}, usual is {usual[side]:.0f}"

    def _prediction(self, key: Key) -> str:
        logs = self._evidence.raw["prediction"].xs(key[1], level=1)
        own, usual = np.exp([float(logs.loc[key[0]]), float(logs.median())])
        return f"lies {own:.1f} mm from its prediction, usual are {usual:.1f}"

    def _usual(self, key: Key, name: str) -> np.ndarray:
        values = [getattr(masks[key[1]], name) for masks in self._scans.values() if key[1] in masks]
        return np.asarray(np.nanmedian(values, axis=0))

    @cached_property
    def _usual_forms(self) -> dict[str, Float[np.ndarray, "26"]]:
        names = dict.fromkeys(name for masks in self._scans.values() for name in masks)
        return {
            name: np.median(
                [_form_of(m[name].support) for m in self._scans.values() if name in m], axis=0
            )
            for name in names
        }


def _way(off: Float[np.ndarray, "3"]) -> str:
    axis = int(np.abs(off).argmax())
    return f"{np.linalg.norm(off):.0f} mm {_PLACES[axis][int(off[axis] > 0)]}"


def _side(direction: Float[np.ndarray, "3"]) -> str:
    found = [SIDES[2 * axis + int(direction[axis] > 0)] for axis in range(3) if direction[axis]]
    return " ".join(reversed(found))


def _form_of(support: Float[np.ndarray, "26"]) -> Float[np.ndarray, "26"]:
    return np.asarray(support / max(float(support.mean()), 1e-6))


def are_sides(a: str, b: str) -> bool:
    """Tell whether two names differ by left and right alone."""
    other = {"left": "right", "right": "left"}
    mirrored = re.sub("left|right", lambda found: other[found[0]], a.lower())
    return mirrored == b.lower() and a.lower() != b.lower()
