"""Plant faults in 10 % of a cohort's masks: how many are in the first 15 % of the audit's list?

usage: python -m benchmarks.audit COHORT ANATOMY ... [--seeds 0 1 2] [--scratch FOLDER] [--as-is N]
                                  [--surfaces FOLDER ...]

COHORT is a folder of TotalSegmentator's layout. For each seed a copy is made in the scratch folder:
links to all that stays, new files of the masks with faults, `planted.csv` with what they are.
Kinds, dealt in turn: two masks of left and right exchanged (both are faults), moved by 10 to 20 mm
in any direction, a third cut off along an axis of the grid, the voxels of another subject's mask of
the same anatomy, dilated by two voxels, the voxels of the nearest other anatomy. All masks are
audited, the survey's verdicts aside. Prints recall of each kind; with --as-is the first N of the
cohort as it is. A mask of which the kind whose turn it is cannot be made is passed over.

--surfaces names folders of SUBJECT/ANATOMY.vtp, predicted by a model that has not learned from
them (results/NAME/reconstruct/massm of validation and test subjects): their distance counts then,
and the recall of masks that have one is printed again without it, for comparison.
"""

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from massm.audit.evidence import Key
from massm.audit.files import MeasuredMask
from massm.audit.prediction import PredictedMask, predicted_mask
from massm.audit.ranking import rank
from massm.audit.reading import measure_subject, read_mask
from massm.audit.reasons import are_sides
from massm.dataset.cohort import FoundSubject
from massm.dataset.layouts import LAYOUTS
from massm.evaluate.surface import mask_surface, surface_measures
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes
from massm.io.cohort import AnatomyRecord
from massm.io.errors import FAILURES
from massm.io.images import write_image
from massm.io.sources import MaskFile

KINDS = ("swapped", "shifted", "cut", "stranger", "dilated", "neighbor")
SHARE = 0.1
LOOKED_AT = 0.15
FEWEST_VOXELS = 30
SAMPLES = 1000  # points of a surface that its distance is measured from
Files = dict[Key, Path]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("cohort", type=Path)
    parser.add_argument("anatomies", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--as-is", type=int, default=0)
    parser.add_argument("--surfaces", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    subjects = LAYOUTS["totalsegmentator"](given.cohort, given.anatomies)
    began = time.process_time()
    clean = {one.name: measured(one) for one in subjects}
    print(f"{len(subjects)} subjects measured in {time.process_time() - began:.1f} s (CPU)")
    surfaces = predicted(given.surfaces, given.anatomies)
    away = compared(subjects, surfaces)
    began = time.process_time()
    table = rank([one for rows in clean.values() for one in rows], away)
    print(f"ranked in {time.process_time() - began:.1f} s (CPU)")
    for row in table.head(given.as_is).itertuples():
        print(f"{row.rank:3d} {row.subject} {row.anatomy:14} {row.score:5.1f}  {row.reason}")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = given.scratch or Path(temporary)
        tally = Tally()
        for seed in given.seeds:
            folder = scratch / f"seed_{seed}"
            faults = plant(given.cohort, given.anatomies, folder, np.random.default_rng(seed))
            changed = {subject for subject, _ in faults}
            copies = LAYOUTS["totalsegmentator"](folder, given.anatomies)
            copies = [one for one in copies if one.name in changed]
            rows = clean | {one.name: measured(one) for one in copies}
            every = [one for part in rows.values() for one in part]
            top = first_of(rank(every, away | compared(copies, surfaces)))
            print(f"seed {seed}: {tally.add('all', faults, top)}", flush=True)
            if surfaces:
                known = {key: kind for key, kind in faults.items() if key in surfaces}
                tally.add("with a prediction", known, top)
                tally.add("the same without it", known, first_of(rank(every, {})))
    tally.show()


class Tally:
    """How many faults of each kind were planted and found, by what was counted."""

    def __init__(self) -> None:
        self.found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.planted: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, name: str, faults: dict[Key, str], top: set[Key]) -> str:
        """Count the faults of a seed; return their recall."""
        hits = Counter(kind for key, kind in faults.items() if key in top)
        counts = Counter(faults.values())
        self.found[name] += hits
        self.planted[name] += counts
        return recall(hits, counts)

    def show(self) -> None:
        """Print the recall over all seeds."""
        for name, counts in self.planted.items():
            print(f"{name}: {recall(self.found[name], counts)}")


def first_of(table: pd.DataFrame) -> set[Key]:
    """Return the masks that a person looks at."""
    ranked = table[table["rank"].notna()]
    first = ranked.head(int(LOOKED_AT * len(ranked)))
    return set(zip(first.subject, first.anatomy, strict=True))


def predicted(folders: list[Path], anatomies: list[str]) -> dict[Key, Mesh]:
    """Read the predicted surfaces of a cohort's anatomies."""
    return {
        (path.parent.name, path.stem): meshes.read(path)
        for folder in folders
        for anatomy in anatomies
        for path in sorted(folder.glob(f"*/{anatomy}.vtp"))
    }


def compared(
    subjects: Iterable[FoundSubject], surfaces: Mapping[Key, Mesh]
) -> dict[Key, PredictedMask]:
    """Measure how far masks lie from what was predicted, both ways, mm, as evaluation does."""
    found = {}
    for subject in subjects:
        for one in subject.anatomies:
            mesh = surfaces.get((subject.name, one.name))
            mask = None if mesh is None or one.mask is None else read_or_none(one.mask)
            if mesh is not None and mask is not None:
                both = surface_measures(mesh, mask_surface(mask), samples=SAMPLES, tolerances_mm=[])
                found[subject.name, one.name] = predicted_mask(both["surface_mean"], mesh)
    return found


def recall(hits: Counter[str], counts: Counter[str]) -> str:
    """Write the share of each kind that was found, and of how many."""
    return ", ".join(
        f"{kind} {hits[kind] / counts[kind]:.2f} of {counts[kind]}"
        for kind in KINDS
        if counts[kind]
    )


def measured(subject: FoundSubject) -> list[MeasuredMask]:
    """Measure the masks of a subject that are not empty."""
    rows = [
        AnatomyRecord(
            *(subject.name, one.name, subject.split or "", "used"),
            image=subject.image,
            mask=one.mask,
            source="mask",
        )
        for one in subject.anatomies
        if one.mask is not None and one.mask.exists()
    ]
    return [one for one in measure_subject(rows) if "the mask is empty" not in one.fault]


def plant(
    cohort: Path, anatomies: list[str], folder: Path, rng: np.random.Generator
) -> dict[Key, str]:
    """Copy a cohort and plant faults in it; return their kinds by subject and anatomy."""
    subjects = LAYOUTS["totalsegmentator"](cohort, anatomies)
    files: Files = {
        (one.name, mask.name): mask.mask
        for one in subjects
        for mask in one.anatomies
        if mask.mask is not None and read_or_none(mask.mask) is not None
    }
    link(cohort, folder, {subject for subject, _ in files})
    left = [list(files)[place] for place in rng.permutation(len(files))]
    faults: dict[Key, str] = {}
    turn = 0
    while len(faults) < SHARE * len(files) and left:
        kind = KINDS[turn % len(KINDS)]
        turn += 1
        for key in left:
            made = make(kind, key, files, set(left), rng)
            if made:
                for name, mask in made.items():
                    write(mask, folder, files[name], cohort)
                    faults[name] = kind
                break
        left = [key for key in left if key not in faults]
    rows = [(*key, kind) for key, kind in faults.items()]
    pd.DataFrame(rows, columns=["subject", "anatomy", "kind"]).to_csv(
        folder / "planted.csv", index=False
    )
    return faults


def link(cohort: Path, folder: Path, subjects: set[str]) -> None:
    """Link all files of some subjects, and what lies beside them."""
    for path in sorted(cohort.rglob("*")):
        inner = path.relative_to(cohort)
        if path.is_file() and (len(inner.parts) == 1 or inner.parts[0] in subjects):
            (folder / inner).parent.mkdir(parents=True, exist_ok=True)
            (folder / inner).symlink_to(path.resolve())


def write(mask: Volume, folder: Path, file: Path, cohort: Path) -> None:
    """Put a mask in the place of a link."""
    place = folder / file.relative_to(cohort)
    place.unlink()
    write_image(mask, place)


def read_or_none(file: Path) -> Volume | None:
    """Read a mask, if it is one that is not empty."""
    try:
        return read_mask(MaskFile(file))
    except FAILURES:
        return None


def make(
    kind: str, key: Key, files: Files, free: set[Key], rng: np.random.Generator
) -> dict[Key, Volume]:
    """Make a fault; empty where the kind cannot be made of a mask."""
    subject, anatomy = key
    mask = read_mask(MaskFile(files[key]))
    beside = [name for one, name in files if one == subject and name != anatomy]
    if kind == "swapped":
        pair = [(subject, name) for name in beside if are_sides(name, anatomy)]
        pair = [one for one in pair if one in free]
        if not pair:
            return {}
        return {key: read_mask(MaskFile(files[pair[0]])), pair[0]: mask}
    if kind == "shifted":
        made = shifted(mask, rng)
    elif kind == "cut":
        made = cut(mask, rng)
    elif kind == "dilated":
        made = mask.with_array(ndimage.binary_dilation(mask.array, iterations=2))
    elif kind == "stranger":
        others = [one for one in files if one[1] == anatomy and one[0] != subject]
        other = read_mask(MaskFile(files[others[rng.integers(len(others))]]))
        made = pasted(other.array, mask)
    else:
        near = {name: read_mask(MaskFile(files[subject, name])) for name in beside}
        if not near:
            return {}
        center = middle(mask)
        nearest = min(near, key=lambda name: float(np.linalg.norm(middle(near[name]) - center)))
        made = near[nearest]
    return {key: made} if np.count_nonzero(made.array) >= FEWEST_VOXELS else {}


def shifted(mask: Volume, rng: np.random.Generator) -> Volume:
    """Move a mask by 10 to 20 mm, to whole voxels; empty if it would leave the image."""
    way = rng.normal(size=3)
    way *= rng.uniform(10, 20) / np.linalg.norm(way)
    steps = np.rint(mask.point_to_index(mask.origin + way)).astype(int)
    places = np.argwhere(mask.array) + steps[::-1]
    moved = np.zeros_like(mask.array)
    if (places >= 0).all() and (places < mask.array.shape).all():
        moved[tuple(places.T)] = True
    return mask.with_array(moved)


def cut(mask: Volume, rng: np.random.Generator) -> Volume:
    """Cut off a third of the voxels, at either end of an axis of the grid; whole slices go."""
    places = np.argwhere(mask.array)
    along = places[:, rng.integers(3)]
    at_start = rng.random() < 0.5
    limit = np.quantile(along, 1 / 3 if at_start else 2 / 3)
    kept = along > limit if at_start else along < limit
    left = np.zeros_like(mask.array)
    left[tuple(places[kept].T)] = True
    return mask.with_array(left)


def pasted(array: np.ndarray, mask: Volume) -> Volume:
    """Put the voxels of another image into the grid of a mask, first voxel on first voxel."""
    common = tuple(slice(0, min(a, b)) for a, b in zip(array.shape, mask.array.shape, strict=True))
    taken = np.zeros_like(mask.array)
    taken[common] = array[common]
    return mask.with_array(taken)


def middle(mask: Volume) -> np.ndarray:
    return mask.index_to_point(np.argwhere(mask.array)[:, ::-1].mean(axis=0))


if __name__ == "__main__":
    main()
