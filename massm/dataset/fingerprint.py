"""What a survey would read, as one hash: another one means that it has to be made again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import FoundSubject
from massm.dataset.layouts import LAYOUTS
from massm.io.errors import DataError
from massm.io.fingerprint import fingerprint


def cohort_fingerprint(config: SurveyConfig, anatomies: Sequence[str]) -> str:
    """Return a hash of the cohort as it lies: its table, and each image, mask and mesh.

    It takes a second for a thousand subjects; no image is opened. A cohort that cannot be listed
    has a hash too: the survey tells why.

    Args:
        config: Section ``dataset``; its root is set.
        anatomies: What the survey looks for.
    """
    assert config.root is not None
    try:
        subjects = LAYOUTS[config.layout](config.root, anatomies)
    except (DataError, OSError) as error:
        return fingerprint(_tables(config.root), str(error))
    files = [*_tables(config.root), *(path for one in subjects for path in _files(one))]
    return fingerprint(files, [_listed(subject) for subject in subjects])


def _tables(root: Path) -> list[Path]:
    """Name the table of a cohort; of a folder, what may hold facts about its subjects."""
    if not root.is_dir():
        return [root]
    return [path for path in root.iterdir() if path.name.lower().startswith("meta.")]


def _files(subject: FoundSubject) -> Iterator[Path]:
    if subject.image is not None:
        yield subject.image
    yield from (one.mask for one in subject.anatomies if one.mask is not None)


def _listed(subject: FoundSubject) -> list[object]:
    anatomies = [[one.name, str(one.mask), one.label, one.fault] for one in subject.anatomies]
    return [subject.name, str(subject.image), subject.split, subject.fault, anatomies]
