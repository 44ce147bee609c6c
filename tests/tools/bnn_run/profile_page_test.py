#!/usr/bin/env python3
"""Opens the page of bnn-run --profile=html in a real browser and looks at what its script made of the report.

Usage: profile_page_test.py BNN_RUN MODEL SCRATCH_FOLDER
Exit code 77 (skipped) where no Chromium is installed.
"""

import html.parser
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Page(html.parser.HTMLParser):
    """The texts and counts of a page that the test asks for."""

    def __init__(self, text):
        super().__init__()
        self.inside = []  # (tag, attributes)
        self.text = {}  # id: text inside
        self.rows = {}  # id of a table: rows of its body
        self.shapes = {}  # class of an SVG element: count
        self.feed(text)

    VOID = ("meta", "link", "br", "img", "input", "hr")

    def ids(self):
        return [attributes["id"] for _, attributes in self.inside if "id" in attributes]

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "tr" and any(name == "tbody" for name, _ in self.inside):
            for table in self.ids():
                self.rows[table] = self.rows.get(table, 0) + 1
        if "svg" in [name for name, _ in self.inside]:
            for name in attributes.get("class", "").split():
                self.shapes[name] = self.shapes.get(name, 0) + 1
        if tag not in self.VOID:
            self.inside.append((tag, attributes))

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for name in self.ids():
            self.text[name] = self.text.get(name, "") + data


def browse(browser, *arguments):
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={profile}", "--window-size=1200,1600", *arguments]
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    if process.returncode != 0:
        raise AssertionError(f"{browser} failed: {process.stderr}")
    return process.stdout


def check(browser, bnn_run, model, scratch):
    scratch.mkdir(parents=True, exist_ok=True)
    file, picture = scratch / "profile page.html", scratch / "profile_page.png"
    run = [bnn_run, model, "--profile=html", "--profile-output", str(file), "--repeat", "20"]
    subprocess.run(run, check=True, capture_output=True)
    url = file.resolve().as_uri()

    page = Page(browse(browser, "--dump-dom", url))
    report = json.loads(page.text["report"])
    layers = report["layers"]
    assert layers, report
    share = f"{100 * report['limit_share']:.1f} %"
    # The browser rounds halves another way than Python does.
    head = page.text["title"]
    shown = float(head.removeprefix("Network at ").removesuffix(" % of its limit"))
    assert abs(shown - 100 * report["limit_share"]) < 0.0501, (head, share)
    assert page.rows["steps"] == len(layers), page.rows
    assert page.shapes["step"] == len(layers), page.shapes
    dots = [layer for layer in layers if layer["macs"] > 0]
    assert page.shapes.get("dot", 0) == len(dots), page.shapes
    for layer in layers:
        assert layer["name"] in page.text["steps"], layer["name"]
    for kind in ("binary", "float32", "int8"):
        assert report["limits"][kind]["operations"] in page.text["arithmetic"], kind
    assert page.rows["bandwidth"] == len(report["limits"]["bandwidths"]), page.rows
    assert "GMAC/s" in page.text["roofline"], page.text["roofline"]

    picture.unlink(missing_ok=True)
    browse(browser, f"--screenshot={picture}", url)
    data = picture.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (1200, 1600), (width, height)
    assert len(data) > 20000, "an empty page"
    print(f"{len(layers)} steps, {len(dots)} dots, {head}; picture: {picture}")


def main(arguments):
    if len(arguments) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        print(f"SKIPPED: no browser is installed ({', '.join(BROWSERS)})")
        return SKIPPED
    check(browser, arguments[1], arguments[2], pathlib.Path(arguments[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
