import xml.etree.ElementTree as ET

import pytest

from massm.io.shapeworks_parameters import write_parameters


def read(path):
    return ET.fromstring(f"<root>{path.read_text(encoding='utf-8')}</root>")


def test_elements_are_a_flat_list_of_words(tmp_path):
    path = tmp_path / "a.xml"
    write_parameters({"number_of_particles": 64, "inputs": ["g/a.vtp", "g/b&c.vtp"]}, path)
    found = {element.tag: element.text.split() for element in read(path)}
    assert found == {"number_of_particles": ["64"], "inputs": ["g/a.vtp", "g/b&c.vtp"]}


@pytest.mark.parametrize("word", ["g/a b.vtp", ""])
def test_a_file_name_that_is_no_word_is_refused(tmp_path, word):
    with pytest.raises(ValueError, match="is no word of a ShapeWorks parameter file"):
        write_parameters({"inputs": ["a", word]}, tmp_path / "a.xml")
    assert not (tmp_path / "a.xml").exists()
