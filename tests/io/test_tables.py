"""Tables as text."""

import pandas as pd
import pytest

from massm.io.errors import DataError
from massm.io.tables import read_table, write_table


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_table_comes_back(tmp_path, name):
    table = pd.DataFrame(
        {"subject": ["s1", "s2"], "reason": ["", "cut, at the top"], "volume_ml": [1.25, 3.0]}
    )
    write_table(table, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), table, check_dtype=False)


def test_names_that_look_like_numbers_stay_text(tmp_path):
    write_table(pd.DataFrame({"subject": ["0012", "1e5"], "label": ["3", ""]}), tmp_path / "a.tsv")
    table = read_table(tmp_path / "a.tsv")
    assert list(table.subject) == ["0012", "1e5"]
    assert list(table.label) == ["3", ""]


def test_a_subject_called_na_is_not_missing(tmp_path):
    (tmp_path / "a.tsv").write_text("subject\tvalue\nNA\t1\n")
    assert list(read_table(tmp_path / "a.tsv").subject) == ["NA"]


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.tsv").touch()
    with pytest.raises(DataError, match="not a readable table"):
        read_table(tmp_path / "a.tsv")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x7fELF\x02\x01\x00\x81")
    with pytest.raises(DataError, match="neither UTF-8 nor Windows-1252"):
        read_table(tmp_path / "a.csv")


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"ends in \.tsv or \.csv"):
        write_table(pd.DataFrame(), tmp_path / "a.xlsx")
