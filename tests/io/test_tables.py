"""Tables as text."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massm.io import text
from massm.io.errors import DataError
from massm.io.tables import read_table, read_texts, write_table


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


HEADER = ["image_id", "age", "split"]
ROWS = [["s0000", "60", "train"], ["s0001", "", "test"]]


def written(path, *, separator=";", end="\n", trailing=(), encoding="utf-8", rows=ROWS):
    """Write a table as other programs do; ``trailing`` lists lines that end in a separator."""
    lines = [separator.join(row) for row in (HEADER, *rows)]
    lines = [line + separator * (number in trailing) for number, line in enumerate(lines)]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


@pytest.mark.parametrize("read", [read_table, read_texts])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("name", ["meta.csv", "meta.tsv", "meta.txt", "META.CSV"])
@pytest.mark.parametrize("trailing", [(), (1, 2), (2,), (0,), (0, 1, 2)])
def test_a_separator_at_the_end_of_rows_shifts_no_column(tmp_path, read, separator, name, trailing):
    table = read(written(tmp_path / name, separator=separator, trailing=trailing))
    assert list(table.columns) == HEADER
    assert list(table.image_id) == ["s0000", "s0001"]
    assert list(table.split) == ["train", "test"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_and_line_ends_give_the_same_table(tmp_path, end, encoding):
    rows = [["s0000", "Universit\u00e4t", "train"], ["s0001", "\u00e9", "test"]]
    table = read_texts(written(tmp_path / "a.csv", end=end, encoding=encoding, rows=rows))
    assert table.values.tolist() == rows


def test_what_is_not_utf_8_is_shown_as_it_was_read(tmp_path, caplog):
    rows = [["s0000", "60", "train"], ["M\u00fcller", "61", "test"]]
    read_texts(written(tmp_path / "a.csv", encoding="latin-1", rows=rows))
    assert "a.csv is not UTF-8 and is read as Windows-1252" in caplog.text
    assert "line 3 has" in caplog.text
    assert "M\u00fcller" in caplog.text
    caplog.clear()
    read_texts(written(tmp_path / "a.csv", encoding="utf-8", rows=rows))
    assert not caplog.text


def test_utf_16_without_its_mark_is_refused(tmp_path):
    path = written(tmp_path / "a.csv", encoding="utf-16-le")
    with pytest.raises(DataError, match="line 1: holds a NUL"):
        read_texts(path)


@pytest.mark.parametrize("read", [read_table, read_texts])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("s0002;61", r"line 4: 2 fields, expected 3, .*image_id, age, split.*found s0002 | 61"),
        ("s0002;6;1;train", "line 4: 4 fields, expected 3"),
        ("s0002;;;train", "line 4: 4 fields, expected 3"),
        ('s0002;"61;train', "line 4: not a readable table .*quotation marks"),
        ('s0002;"61"a;train', "line 4: not a readable table"),
        ("s0002;6\0;train", "line 4: holds a NUL"),
        ("s0002;" + "6" * 200_000 + ";train", "line 4: not a readable table"),
    ],
)
def test_a_row_that_fits_no_columns_is_refused_with_its_line(tmp_path, read, line, words):
    path = written(tmp_path / "meta.csv")
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read(path)


def test_a_quoted_line_break_counts_for_the_lines_behind_it(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n"x\ny",1\n2\n')
    with pytest.raises(DataError, match=r"a\.csv, line 4: 1 fields"):
        read_texts(tmp_path / "a.csv")


def test_rows_without_content_are_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("\n a ;b\n\n;;\n1; 2 \n ; \n")
    table = read_texts(tmp_path / "a.csv")
    assert table.to_dict("records") == [{"a": "1", "b": "2"}]
    assert list(table.index) == [5]


@pytest.mark.parametrize("header", ["Subject\tMASK\t split ", "SUBJECT\tmask\tSplit"])
def test_columns_are_found_in_any_case_and_with_blanks_around(tmp_path, header):
    (tmp_path / "a.tsv").write_text(f"{header}\n1\t2\t3\n")
    assert list(read_texts(tmp_path / "a.tsv").columns) == ["subject", "mask", "split"]


@pytest.mark.parametrize("header", ["subject,mask,Subject ", "mask,subject,subject"])
def test_two_columns_of_one_name_are_refused(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header}\n1,2,3\n")
    with pytest.raises(DataError, match=r"a\.csv: two columns are called subject"):
        read_texts(tmp_path / "a.csv")


def test_columns_without_a_name_disturb_nobody(tmp_path):
    (tmp_path / "a.csv").write_text(",subject,,split\n0,a,x,train\n")
    assert read_texts(tmp_path / "a.csv")["split"].tolist() == ["train"]


def test_the_separator_that_excel_names_is_taken(tmp_path):
    (tmp_path / "a.csv").write_text("sep=;\nsubject;note\ns1;a,b,c\n")
    table = read_texts(tmp_path / "a.csv")
    assert table.to_dict("records") == [{"subject": "s1", "note": "a,b,c"}]
    assert list(table.index) == [3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04....", "a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old spreadsheet"),
        (b"\x1f\x8b\x08....", "compressed"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_spreadsheet_given_as_table_is_called_one(tmp_path, content, words, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"no text but {words}.*; save it as text"):
        read_texts(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"\n\n", b";;;\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_is_no_table(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match="it is empty"):
        read_texts(tmp_path / "a.csv")


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    (tmp_path / "a.csv").write_text("subject,split")
    table = read_texts(tmp_path / "a.csv")
    assert (list(table.columns), len(table)) == (["subject", "split"], 0)


def test_a_file_too_large_for_a_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MOST_BYTES", 10)
    (tmp_path / "a.csv").write_text("subject,split\n")
    with pytest.raises(DataError, match="expected text of at most"):
        read_texts(tmp_path / "a.csv")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5), st.sampled_from([".tsv", ".csv"]))
def test_any_text_that_is_written_comes_back(tmp_path, rows, suffix):
    rows = [row for row in rows if any(field.strip() for field in row)]
    table = pd.DataFrame(rows, columns=["subject", "reason", "mask"], dtype=object)
    write_table(table, tmp_path / f"a{suffix}")
    assert read_table(tmp_path / f"a{suffix}").values.tolist() == [list(row) for row in rows]


def test_blanks_that_are_not_seen_belong_to_no_field(tmp_path):
    text = "\u200bsubject\tmask\ufeff\ns1\u200b\t\u00a0a b.nii\u200e\n"
    (tmp_path / "a.tsv").write_text(text, encoding="utf-8")
    assert read_texts(tmp_path / "a.tsv").to_dict("records") == [
        {"subject": "s1", "mask": "a b.nii"}
    ]


@pytest.mark.parametrize("text", ["# ours, of 2024\na\tb\n1\t2\n", "a\tb\n# left out:\n1\t2\n"])
def test_lines_of_comments_are_called_so(tmp_path, text):
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(DataError, match=r"line 2: .*lines of comments \(#\) are not left out here"):
        read_texts(tmp_path / "a.tsv")
