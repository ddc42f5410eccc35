"""The page in a real browser, as narrow as a phone and wide: skipped where there is no Chromium."""

import json
import re
import shutil
import subprocess

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PROBE = """<!doctype html>
<iframe id="page" src="%s" width="%d" height="1500" style="border: 0"></iframe>
<pre id="found"></pre>
<script>
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const until = async (test) => { for (let n = 0; n < 250 && !test(); n += 1) await wait(100); };
  const steps = async (inside) => { %s };
  page.onload = async () => {
    await wait(1500);
    const inside = page.contentDocument, root = inside.documentElement;
    const viewers = [...inside.querySelectorAll("[data-viewer]")];
    const more = await steps(inside);
    found.textContent = JSON.stringify({
      wide: root.scrollWidth, room: root.clientWidth, viewers: viewers.length,
      filled: viewers.filter((box) => box.children.length).length, ...more,
    });
  };
</script>
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="needs Chromium")]


def seen(page, folder, *, width=400, steps=""):
    """What a browser finds on a page of some width, and the errors of its console.

    ``steps`` is what it does there before: the body of a function of the page's document.
    """
    probe = folder / "probe.html"
    probe.write_text(PROBE % (page.as_uri(), width, steps), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=60000", "--dump-dom"]
    options += ["--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [BROWSER, *options, probe.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    text = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)[1]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(text), [line for line in console if "Uncaught" in line]


def test_the_page_runs_without_errors_and_does_not_scroll_sideways(made, tmp_path):
    found, errors = seen(made / "report.html", tmp_path)
    assert errors == []
    assert found["wide"] <= found["room"] <= 400
    assert found["viewers"] == found["filled"] >= 5  # two anatomies twice, and the CT


SORT = """
  const table = inside.querySelector("#standing-image table"), body = table.tBodies[0];
  const names = () => [...body.rows].map((row) => row.cells[0].textContent.trim());
  const button = table.querySelectorAll(".sort")[1];
  const first = names();
  button.focus();
  button.click();
  const second = names();
  const says = table.tHead.rows[0].cells[2].getAttribute("aria-sort");
  button.click();
  return { first, second, third: names(), says, focused: inside.activeElement === button };
"""
CHOOSE = """
  const rows = (id) => [...inside.querySelectorAll(`#${id} tr[data-model]`)]
    .filter((row) => !row.hidden).map((row) => row.dataset.model);
  const before = rows("local-surface_mean");
  inside.querySelector("#results [data-models] input[value=unet]").click();
  const after = rows("local-surface_mean"), standing = rows("standing-image");
  const worlds = inside.querySelector("#world [data-models] input[value=unet_fit]");
  worlds.click();
  return { before, after, standing, last: rows("world-surface_mean") };
"""
TURN = """
  inside.getElementById("compare").scrollIntoView({ behavior: "instant" });
  const box = inside.querySelector("[data-viewer=compare]");
  const pixels = () => [...box.querySelectorAll(".turned canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, n) => (sum + value * (n % 97 + 1)) % 1000003, 0);
  });
  await until(() => pixels().length && pixels().every((sum) => sum));
  const start = pixels();
  const stage = box.querySelector(".turned");
  stage.focus();
  stage.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
  await until(() => pixels().every((sum, n) => sum !== start[n]));
  const turned = pixels();
  const outlines = () => box.querySelectorAll(".predicted path").length;
  const two = outlines();
  box.querySelectorAll(".legend input")[2].click();
  const three = outlines();
  box.querySelector("[data-key=world]").click();
  await wait(800);
  const labels = [...box.querySelectorAll(".turned b")].map((node) => node.textContent);
  const select = box.querySelector("select");
  select.value = "kidney_left";
  select.dispatchEvent(new Event("change"));
  await wait(800);
  return { start, turned, two, three, labels, shown: box.querySelector(".caption3d").textContent };
"""


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_of_ten_models_runs_and_fits(many_page, tmp_path, width):
    found, errors = seen(many_page, tmp_path, width=width)
    assert errors == []
    assert found["wide"] <= found["room"] <= width
    assert found["viewers"] == found["filled"] >= 6


def test_a_click_on_an_anatomy_sorts_the_models(many_page, tmp_path):
    found, errors = seen(many_page, tmp_path, width=1400, steps=SORT)
    assert errors == []
    assert found["first"][:2] == ["U-Net", "MASSM"]
    assert found["second"][:2] == ["U-Net", "MASSM"]
    assert found["third"][-2:] == ["MASSM", "U-Net"]
    assert (found["says"], found["focused"]) == ("ascending", True)


def test_models_are_chosen_once_for_all_tables(many_page, tmp_path):
    found, errors = seen(many_page, tmp_path, steps=CHOOSE)
    assert errors == []
    assert set(found["before"]) - set(found["after"]) == {"unet"}
    assert "unet" not in found["standing"]
    assert "massm" in found["standing"]
    assert "unet_fit" not in found["last"]
    assert "deepssm_world" in found["last"]


def test_surfaces_of_all_models_turn_together_and_outlines_are_chosen(many_page, tmp_path):
    found, errors = seen(many_page, tmp_path, width=1400, steps=TURN)
    assert errors == []
    assert len(found["start"]) == 8  # models in the image
    assert len(set(found["start"])) > 1  # each has colors of its own
    assert all(a != b for a, b in zip(found["start"], found["turned"], strict=True))
    assert found["three"] == found["two"] + 3 == 9  # three planes each
    assert "DeepSSM, world" in found["labels"]
    assert "U-Net" not in found["labels"]
    assert found["shown"].startswith("Kidney left of subject")


def test_what_is_wrong_with_a_page_is_seen(tmp_path):
    page = tmp_path / "wrong.html"
    body = (
        '<div style="width: 900px">wide</div><div data-viewer="x"></div><script>nothing()</script>'
    )
    page.write_text(f"<!doctype html><body>{body}", encoding="utf-8")
    found, errors = seen(page, tmp_path)
    assert len(errors) == 1
    assert found["wide"] > found["room"]
    assert (found["viewers"], found["filled"]) == (1, 0)
