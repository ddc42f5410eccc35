"""The page of a scan: one file that asks no network, with what is true of the scan."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from massm.geometry.volume import Volume
from massm.inference import page
from massm.inference.page import write_page
from massm.inference.page_data import (
    CENTER_HU,
    HIGH_HU,
    LOW_HU,
    WIDTH_HU,
    cut_brick,
    encode,
    page_data,
)
from massm.inference.remarks import Remark, remarks_on
from massm.inference.shape_json import Files
from massm.inference.shapes import ScanGrid
from massm.inference.sources import source_of_volume
from tests.inference.scan_shapes import (
    LIVER,
    MISSING,
    SPLEEN,
    bundle_with,
    middle_of,
    oblique_scan,
    scan_shapes,
    standing,
)


def ramp_scan():
    """A CT whose values rise along LPS, on an oblique grid: HU = 2 x - y + 3 z, shifted."""
    volume = oblique_scan()
    z, y, x = np.indices(volume.array.shape)
    points = volume.index_to_point(np.stack([x, y, z], -1).astype(float))
    values = (points - middle_of(volume)) @ [2.0, -1.0, 3.0]
    return volume.with_array(values.astype(np.float32))


def unbent(codes):
    """Hounsfield units of codes, as the page's script finds them."""
    low, high = np.arcsinh((np.array([LOW_HU, HIGH_HU]) - CENTER_HU) / WIDTH_HU)
    return CENTER_HU + WIDTH_HU * np.sinh(low + (codes - 1.0) / 254 * (high - low))


def test_the_brick_shows_the_ct_where_it_lies():
    volume = ramp_scan()
    brick = cut_brick(volume, scan_shapes(volume))
    z, y, x = np.indices(brick.codes.shape)
    points = brick.low + brick.pitch_mm * np.stack([x, y, z], -1)
    grid = ScanGrid.of(volume)
    inside = grid.outside_mm(points.reshape(-1, 3)).reshape(x.shape) < -3
    expected = (points - middle_of(volume)) @ [2.0, -1.0, 3.0]
    assert inside.sum() > 10_000
    found = unbent(brick.codes[inside].astype(float))
    np.testing.assert_allclose(found, expected[inside], atol=4.5)  # half a step of the gray values
    beyond = grid.outside_mm(points.reshape(-1, 3)).reshape(x.shape) > 3
    assert beyond.any()
    assert not brick.codes[beyond].any()


def test_gray_values_keep_soft_tissue_apart_and_nothing_is_lost_but_beyond_the_ends():
    values = np.array([[[-3000.0, -1024, 40, 45, 2000, 9000, np.nan]]])
    codes = encode(values)[0, 0].tolist()
    assert codes[0] == codes[1] == 1
    assert codes[4] == codes[5] == 255
    assert codes[3] > codes[2]
    assert codes[6] == 0


def test_the_brick_of_a_large_scan_is_small():
    values = np.broadcast_to(np.int16(0), (600, 512, 512))
    volume = Volume(values, np.array([0.9, 0.9, 1.0]), np.zeros(3), np.eye(3))
    assert cut_brick(volume, replace(scan_shapes(volume), anatomies={})).codes.size < 3.3e6


def test_the_page_has_the_surfaces_to_hundredths_of_a_millimeter():
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    data = page_data(shapes, volume)
    assert [organ["name"] for organ in data["organs"]] == [LIVER, SPLEEN]
    for organ in data["organs"]:
        places = np.frombuffer(base64.b64decode(organ["points"]), "<u2").reshape(-1, 3)
        points = np.array(organ["low"]) + places / 65535 * organ["extent"]
        mesh = shapes.surfaces[organ["name"]]
        np.testing.assert_allclose(points, mesh.vertices, atol=0.005)
        faces = np.frombuffer(base64.b64decode(organ["faces"]), "<u2").reshape(-1, 3)
        np.testing.assert_array_equal(faces, mesh.faces)
    size, tile = data["brick"]["size"], data["brick"]["tile"]
    sheet = base64.b64decode(data["brick"]["sheet"].partition(",")[2])
    rows = -(-size[2] // data["brick"]["columns"])
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.size == (tile[0] * data["brick"]["columns"], tile[1] * rows)


class Page(HTMLParser):
    """What a browser would load, and what it would show."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.words, self._is_shown = [], [], True
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._is_shown = tag not in ("script", "style")
        if tag not in ("script", "link", "img", "iframe", "object", "a"):
            return
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        self._is_shown = True

    def handle_data(self, data):
        if self._is_shown:
            self.words.append(data)

    @property
    def shown(self):
        return " ".join(" ".join(self.words).split())


def page_of(shapes, volume, tmp_path, remarks=None):
    source = source_of_volume(volume, shapes.name)
    said = remarks_on(shapes, None, ()) if remarks is None else remarks
    files = Files(["segmentation.nii.gz"], {LIVER: [f"meshes/{LIVER}.vtp"]})
    write_page(shapes, source, bundle_with(), said, files, tmp_path / "index.html")
    return (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_page_asks_no_network(tmp_path):
    text = page_of(scan_shapes(oblique_scan()), oblique_scan(), tmp_path)
    assert Page(text).addresses == ["segmentation.nii.gz", "shape.json", f"meshes/{LIVER}.vtp"]
    assert not re.search(r"https?://|//cdn|@import|url\(", text)
    assert "default-src 'none'" in text


def test_the_page_tells_measures_percentiles_and_what_was_not_found(tmp_path):
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    low = standing(volume_percentile=0.0, mahalanobis=7.25, mahalanobis_percentile=99.0)
    shapes.anatomies[LIVER] = replace(shapes[LIVER], standing=low)
    shown = Page(page_of(shapes, volume, tmp_path)).shown
    assert "2 of 3 anatomies found" in shown
    assert f"{shapes[LIVER].volume_ml:.1f}" in shown
    assert "below all" in shown
    assert "P99" in shown
    assert "7.2 SD" in shown.replace("\xa0", " ")
    assert "Not found: Kidney (score 0.12)." in shown
    assert "-1.2 SD" in shown
    assert "not for diagnosis" in shown


def test_what_users_name_is_text_not_code(tmp_path):
    volume = oblique_scan()
    shapes = replace(scan_shapes(volume), name="<script>alert(1)</script>")
    shapes.anatomies["</script><b>"] = replace(shapes.anatomies.pop(LIVER), anatomy="</script><b>")
    evil = [Remark("scan", None, "<img src=x onerror=alert(1)>")]
    text = page_of(shapes, volume, tmp_path, evil)
    assert "<script>alert" not in text
    assert "<img" not in text
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert {organ["name"] for organ in json.loads(data)["organs"]} == {SPLEEN, "</script><b>"}


def test_a_page_without_any_anatomy_shows_the_middle_of_the_scan(tmp_path):
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    nothing = replace(shapes, anatomies={MISSING: shapes[MISSING]})
    text = page_of(nothing, volume, tmp_path)
    assert "0 of 1 anatomies found" in Page(text).shown
    data = page_data(nothing, volume)
    low, size = np.array(data["brick"]["low"]), np.array(data["brick"]["size"])
    middle = low + (size - 1) * data["brick"]["pitch"] / 2
    np.testing.assert_allclose(middle, middle_of(volume), atol=1.5)


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.uint8])
def test_values_of_any_type_are_shown(kind):
    volume = oblique_scan()
    brick = cut_brick(volume.with_array(volume.array.astype(kind)), scan_shapes(volume))
    assert brick.codes.max() > 0


@pytest.mark.parametrize(
    ("counts", "said"), [([], ""), ([12, 12], "12"), ([50, 43, 48], "43 to 50")]
)
def test_it_says_among_how_many_subjects_shapes_are_ranked(counts, said):
    assert page._from_to(counts) == said


@pytest.mark.parametrize(
    ("percentile", "of_size", "of_distance"),
    [
        (0.0, True, False),
        (1.0, True, False),
        (50.0, False, False),
        (96.0, False, True),
        (100.0, True, True),
    ],
)
def test_what_is_near_the_mean_is_no_alarm(percentile, of_size, of_distance, tmp_path):
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    where = {"volume_percentile": 50.0, "area_percentile": 50.0, "mahalanobis_percentile": 50.0}
    for name, is_extreme in (("volume", of_size), ("mahalanobis", of_distance)):
        place = standing(**where | {f"{name}_percentile": percentile})
        shapes.anatomies[LIVER] = replace(shapes[LIVER], standing=place)
        shapes.anatomies[SPLEEN] = replace(shapes[SPLEEN], standing=standing())
        marked = re.findall(r'class="strip[^"]* extreme"', page_of(shapes, volume, tmp_path))
        assert len(marked) == is_extreme
