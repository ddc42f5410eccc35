"""A table of records comes back as it was, and what does not belong in it is named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from massm.io.errors import DataError
from massm.io.records import read_records, write_records


@dataclass(frozen=True)
class Row:
    name: str
    kind: Literal["a", "b"]
    note: str = ""
    file: Path | None = None
    count: int | None = None
    size: float = float("nan")


ROWS = [
    Row("0012", "a", "with a\ttab", Path("x/y z.nii"), 3, 0.1),
    Row("NA", "b"),
    Row("1e5", "b", 'a "word"', None, 2**40 + 1, 1e-7),
]


@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    write_records(Row, ROWS, path)
    found = read_records(Row, path)
    assert repr(found) == repr(ROWS)  # nan differs from itself


def test_a_table_without_rows_names_its_columns(tmp_path):
    write_records(Row, [], tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == "name\tkind\tnote\tfile\tcount\tsize\n"
    assert read_records(Row, tmp_path / "t.tsv") == []


def test_columns_of_others_are_left_alone(tmp_path):
    names = "more\tsize\tcount\tfile\tnote\tkind\tname"
    (tmp_path / "t.tsv").write_text(f"{names}\n9\t\t\t\t\ta\ts1\n")
    assert read_records(Row, tmp_path / "t.tsv")[0].name == "s1"


def test_a_missing_column_is_named_with_what_to_do(tmp_path):
    (tmp_path / "t.tsv").write_text("name\tkind\tfile\tcount\tsize\ns1\ta\t\t\t\n")
    with pytest.raises(DataError, match=r"no column note, found name, .*older version.*again"):
        read_records(Row, tmp_path / "t.tsv")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("s1\tc\t\t\t\t", "column kind: 'c'"),
        ("s1\ta\t\t\tmany\t", "column count: 'many'"),
        ("s1\ta\t\t\t1.5\t", "column count: '1.5'"),
        ("s1\ta\t\t\t\tlarge", "column size: 'large'"),
    ],
)
def test_what_is_no_such_value_is_named_by_line_and_column(tmp_path, values, words):
    lines = ["name\tkind\tnote\tfile\tcount\tsize", "s0\tb\t\t\t\t", values]
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"t.tsv, line 3, {words}"):
        read_records(Row, tmp_path / "t.tsv")
