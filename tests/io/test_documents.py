"""JSON documents."""

import pytest

from massm.io.documents import read_json, write_json
from massm.io.errors import DataError


def test_a_document_comes_back(tmp_path):
    document = {"subject": "s0001", "transform": [1.0, 0.1 + 0.2, -3e-9], "nested": {"none": None}}
    write_json(document, tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == document


def test_a_truncated_document_is_refused(tmp_path):
    path = tmp_path / "a.json"
    write_json({"values": list(range(100))}, path)
    path.write_text(path.read_text(encoding="utf-8")[:40])
    with pytest.raises(DataError, match=r"a\.json: not valid JSON"):
        read_json(path)
