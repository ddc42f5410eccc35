"""Paths as people write them."""

import unicodedata

from massm.io.paths import find_named


def test_an_accented_name_is_found_in_either_spelling(tmp_path):
    whole, parts = (unicodedata.normalize(form, "Müller.nii") for form in ("NFC", "NFD"))
    (tmp_path / parts).touch()
    assert find_named(tmp_path, whole) in (tmp_path / parts, tmp_path / whole)
    assert find_named(tmp_path, whole).exists()


def test_an_accented_name_that_is_nowhere_stays_as_it_was_written(tmp_path):
    assert find_named(tmp_path, "Müller.nii") == tmp_path / "Müller.nii"
    assert find_named(tmp_path, "keine/Müller.nii") == tmp_path / "keine/Müller.nii"
