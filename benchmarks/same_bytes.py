"""Compare two results folders of the same run byte by byte.

    python benchmarks/same_bytes.py results other_results

Lists what differs or is in one of them alone, and exits with 1 if there is anything. Left out is
what tells of the run itself: logs, benchmark files, the checkpoint of an unfinished training, and
the report's page, which shows date, machine and times.
"""

import argparse
import filecmp
import sys
from collections.abc import Iterator
from pathlib import Path

OF_THE_RUN = ("logs/*", "benchmarks/*", "train/*/last.ckpt", "report/report.html")


def differences(one: Path, other: Path) -> list[str]:
    """List the files that differ, by their path below the folders, and how."""
    mine, theirs = set(_files(one)), set(_files(other))
    lines = [f"{name}: only in {one}" for name in mine - theirs]
    lines += [f"{name}: only in {other}" for name in theirs - mine]
    filecmp.clear_cache()
    lines += [
        f"{name}: differs"
        for name in mine & theirs
        if not filecmp.cmp(one / name, other / name, shallow=False)
    ]
    return sorted(lines)


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(_is_below(name, pattern) for pattern in OF_THE_RUN):
            yield name


def _is_below(name: str, pattern: str) -> bool:
    if pattern.endswith("/*"):
        return name.startswith(pattern[:-1])
    return Path(name).match(pattern)


def main() -> None:
    """Read the command line, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    given = parser.parse_args()
    for folder in (given.one, given.other):
        if not folder.is_dir():
            parser.error(f"no folder {folder}")
    lines = differences(given.one, given.other)
    for line in lines:
        print(line)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
