"""The page in a real browser, as narrow as a phone: skipped where there is no Chromium."""

import json
import re
import shutil
import subprocess

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PROBE = """<!doctype html>
<iframe id="page" src="%s" width="400" height="1500" style="border: 0"></iframe>
<pre id="found"></pre>
<script>
  page.onload = () => setTimeout(() => {
    const inside = page.contentDocument, root = inside.documentElement;
    const viewers = [...inside.querySelectorAll("[data-viewer]")];
    found.textContent = JSON.stringify({
      wide: root.scrollWidth, room: root.clientWidth, viewers: viewers.length,
      filled: viewers.filter((box) => box.children.length).length,
    });
  }, 1500);
</script>
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="needs Chromium")]


def seen(page, folder):
    """What a browser finds on a page 400 pixels wide, and the errors of its console."""
    probe = folder / "probe.html"
    probe.write_text(PROBE % page.as_uri(), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=6000", "--dump-dom"]
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
