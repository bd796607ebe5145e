"""`make pictures`: pictures of the console for README and docs, of the demo's day, by a headless Chromium, into docs/images.

    python -m tools.pictures [FOLDER]

It runs a system of its own in a folder of its own; nothing of a running Croody is touched.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import demo_day
from tools.stack import ROOT, Options, Ports, Stack
from tools.words import Problem, fail, say

FOLDER: Final = ROOT / "docs" / "images"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_SIZE: Final = (1440, 900)
#: Until a page has asked for what it shows, and drawn it.
_SETTLED_MS: Final = 2500


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of the console. `night`: in the dark theme, too."""

    name: str
    path: str
    night: bool = False


PICTURES: Final = (
    Picture("console-fleet", "/console/", night=True),
    Picture("console-robot", "/console/robots/norte-04/"),
    Picture("console-alerts", "/console/alerts/"),
    Picture("console-map", "/console/map/"),
    Picture("console-add-robot", "/console/robots/new/norte-23/?way=mqtt"),
)


def files() -> Iterator[tuple[str, Picture, str, str]]:
    """Every picture's file, with its page, language and theme."""
    for picture in PICTURES:
        for language in ("en", "es"):
            for theme in ("light", "dark") if picture.night else ("light",):
                yield f"{picture.name}{'-dark' if theme == 'dark' else ''}{'.es' if language == 'es' else ''}.png", picture, language, theme


def main(arguments: list[str]) -> int:
    """Take them all; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description="Takes the pictures of the console.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where they go")
    folder = parser.parse_args(arguments).folder
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return fail(Problem("No hay Chromium: apt-get install chromium", "There is no Chromium: apt-get install chromium"))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="croody-pictures-") as state:
        options = Options(state=Path(state), ports=Ports.free(), robots=0, host=False, replay=False)
        try:
            with Stack(options) as stack:
                _take(stack, browser, folder)
        except Problem as problem:
            return fail(problem)
    return 0


def _take(stack: Stack, browser: str, folder: Path) -> None:
    say("preparando la jornada…", "making the day…")
    stack.prepare()
    demo_day.begin(stack)
    _shoot(stack.web_url, demo_day.link(stack), browser, folder)


def _shoot(base: str, link: str, browser: str, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--disable-gpu", *sandbox])
        context = opened.new_context(viewport={"width": _SIZE[0], "height": _SIZE[1]}, reduced_motion="reduce")
        page = context.new_page()
        page.goto(link)
        page.click("main form button")
        for file, picture, language, theme in files():
            begun = time.monotonic()
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
            page.goto(f"{base}/{language}{picture.path}")
            page.wait_for_timeout(_SETTLED_MS)
            page.screenshot(path=folder / file)
            print(f"  {file}  {time.monotonic() - begun:.0f} s", flush=True)
        opened.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
