"""Green, amber and red: of usual scans, of bad ones, and with the reason."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.inference.shapes import AnatomyShape, Cut, ScanGrid, ScanShapes
from massm.inference.trust.evidence import gather
from massm.inference.trust.light import NO_TABLES, judged
from massm.inference.trust.places import arrangement_of
from massm.inference.trust.usual import usual
from tests.inference.scan_shapes import absent, standing
from tests.inference.trust.scenes import CENTERS, LEFT, MIDDLE, NAMES, RIGHT, drawn, scene
from tests.inference.trust.test_places import training


@cache
def tables():
    places = arrangement_of(NAMES, training())
    gathered = []
    for seed in range(19):
        volume, found = scene(seed)
        gathered.append(gather(found, NAMES, volume, places))
    return usual(gathered, places, 0.05, "validation split")


def shapes_of(volume, found, cut=None):
    """What is known of a scan before it is judged."""
    anatomies = {}
    for label, name in enumerate(NAMES, start=1):
        one = found.get(name)
        if one is None:
            anatomies[name] = absent(name, label)
            continue
        anatomies[name] = AnatomyShape(
            *(name, label, True, one.score, 0.5, one.box, one.local, {}, one.surface),
            *(one.surface.volume_ml, one.surface.area, cut or Cut(0.0, 0.0)),
            standing(mahalanobis=one.mahalanobis),
        )
    return ScanShapes("ct", ScanGrid.of(volume), anatomies)


def look(volume, found, **more):
    return judged(shapes_of(volume, found, **more), volume, tables())


def lights(shapes):
    return [shapes.trust.light, *(shape.trust.light for shape in shapes.found.values())]


def test_new_scans_of_the_same_kind_are_seldom_red():
    found = [lights(look(*scene(seed))) for seed in range(100, 112)]
    assert sum("red" in each for each in found) <= 2
    assert sum(each == ["green"] * 4 for each in found) >= 6


def noise(volume):
    return np.random.default_rng(0).normal(0, 300, volume.array.shape)


BAD = {
    "noise": noise,
    "shifted": lambda volume: volume.array + 200,
    "unsigned": lambda volume: volume.array + 1024,
    "inverted": lambda volume: -volume.array,
    "mr": lambda volume: np.clip((volume.array + 1000.0) ** 2 / 4000, 0, 900),
    "phantom": lambda volume: np.where(volume.array > -500, 0, -1000),
    "scaled": lambda volume: volume.array * 0.5,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_scan_that_is_no_ct_is_red_with_all_that_is_found_in_it(kind):
    volume, found = scene(200)
    bad = volume.with_array(BAD[kind](volume).astype(np.int16))
    shapes = look(bad, found)
    assert lights(shapes) == ["red"] * 4
    assert shapes.trust.reason.startswith("The scan: ")
    assert "usually" in shapes.trust.reason


def test_a_shifted_scale_is_named():
    volume, found = scene(201)
    shapes = look(volume.with_array(volume.array + 300), found)
    leading = shapes.trust.findings[:3]
    assert {"air", "peak"} <= {finding.name for finding in leading}
    for finding in leading:
        assert finding.strangeness > shapes.trust.red
        assert finding.text in shapes.trust.reason
    assert "the most frequent value in the body: 3" in shapes.trust.reason


def test_another_body_part_is_red():
    volume, found = scene(202)
    draw = np.random.default_rng(1)
    lost = {
        name: replace(drawn(np.array(center), one.box.radius, draw), score=0.4)
        for (name, one), center in zip(
            found.items(), [[40, 20, 20], [60, 40, 60], [20, 60, 30]], strict=True
        )
    }
    assert lights(look(volume, lost)) == ["red"] * 4
    nothing = look(volume, {})
    assert nothing.trust.light == "red"
    assert "anatomies that were found" in nothing.trust.reason
    assert nothing[LEFT].trust is None


def test_only_the_anatomy_that_is_wrong_is_red_and_says_why():
    volume, found = scene(203)
    moved = drawn(CENTERS[MIDDLE] + [0, -40, 20], np.array([10.0, 8, 12]), np.random.default_rng(0))
    shapes = look(volume, found | {MIDDLE: moved})
    assert shapes[MIDDLE].trust.light == "red"
    assert shapes.trust.light != "red"
    assert shapes[MIDDLE].trust.reason.startswith("Stem: ")
    assert "place" in [finding.name for finding in shapes[MIDDLE].trust.findings[:3]]


def test_an_exchange_of_left_and_right_is_red():
    volume, found = scene(204)
    shapes = look(volume, found | {LEFT: found[RIGHT], RIGHT: found[LEFT]})
    assert shapes[LEFT].trust.light == shapes[RIGHT].trust.light == "red"
    sides = {each.name: each for each in shapes[LEFT].trust.findings}["sides"]
    assert sides.value == pytest.approx(-1, abs=0.2)
    assert sides.strangeness > shapes.trust.red


def test_a_box_that_disagrees_is_red():
    volume, found = scene(205)
    box = found[LEFT].box._replace(center=found[LEFT].box.center + 15)
    shapes = look(volume, found | {LEFT: replace(found[LEFT], box=box)})
    assert shapes[LEFT].trust.light == "red"
    assert shapes[LEFT].trust.findings[0].name == "box"


@pytest.mark.parametrize(("share", "light"), [(0.004, "amber"), (0.3, "amber"), (0.6, "red")])
def test_what_the_field_of_view_cuts_is_not_green(share, light):
    shapes = look(*scene(206), cut=Cut(share, share))
    assert shapes[LEFT].trust.light == light
    assert "of its surface lies outside of the scan" in shapes[LEFT].trust.reason


@pytest.mark.parametrize(("rows", "share"), [(29, 0.8), (40, 0.0)])
def test_what_the_others_place_outside_of_the_scan_is_no_other_thing_inside_of_it(rows, share):
    volume, found = scene(209)
    cut = replace(volume, array=volume.array[:, :rows])
    draw = np.random.default_rng(0)
    decoy = drawn(CENTERS[MIDDLE] - [0, 45, 0], np.array([10.0, 8.0, 12.0]), draw)
    shapes = look(cut, found | {MIDDLE: decoy})
    assert shapes[MIDDLE].cut.expected == pytest.approx(share, abs=0.15)
    assert shapes[MIDDLE].trust.light == "red"
    said = "the other anatomies place" in shapes[MIDDLE].trust.reason
    assert said == (share > 0)
    assert shapes[LEFT].cut.expected == shapes[RIGHT].cut.expected == 0
    usual_place = look(cut, found)
    assert usual_place[MIDDLE].cut.expected == 0


def test_without_tables_nothing_is_said_but_why():
    volume, found = scene(207)
    shapes = judged(shapes_of(volume, found), volume, None)
    assert (shapes.trust, shapes.untold) == (None, NO_TABLES)
    few = usual([], arrangement_of(NAMES, training()), 0.05, "validation split")
    shapes = judged(shapes_of(volume, found), volume, few)
    assert shapes.trust is None
    assert shapes.untold == "0 subjects were held back, 6 are needed"


def test_on_a_red_scan_an_organ_without_a_table_is_red_too():
    volume, found = scene(208)
    known = tables()
    rare = replace(known, found=np.where(np.array(known.anatomies) == NAMES[0], 4, known.found))
    shapes = shapes_of(volume, found)
    usual_scan = judged(shapes, volume, rare)
    assert usual_scan[NAMES[0]].trust is None
    shifted = judged(shapes, Volume(volume.array + 1024, volume.spacing, volume.origin), rare)
    assert (shifted.trust.light, shifted[NAMES[0]].trust.light) == ("red", "red")
    assert shifted[NAMES[0]].trust.reason == shifted.trust.reason


def test_few_organs_do_not_silence_what_is_known_of_scans():
    assert not replace(tables(), red=np.inf).is_empty
    assert replace(tables(), red=np.inf, scan_red=np.inf).is_empty


def test_another_storage_changes_nothing():
    volume, found = scene(208)
    one = look(volume, found)
    direction = np.diag([1.0, -1.0, 1.0])
    origin = volume.origin + [0, (volume.size[1] - 1) * volume.spacing[1], 0]
    other = look(Volume(volume.array[:, ::-1], volume.spacing, origin, direction), found)
    assert lights(one) == lights(other)
    assert other[LEFT].trust.strangeness == pytest.approx(one[LEFT].trust.strangeness)
