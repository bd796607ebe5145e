"""A page in a headless Chromium on a slow machine and a slow line: its bytes, its largest paint, what an update costs.

Each page is opened with nothing cached, on a processor four times as slow as this one's, over a line of 1.6 Mb/s and 150 ms.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tools.words import Problem

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_SLOWER: Final = 4
_LINE: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
#: Until nothing more of a page's first view comes.
_SETTLED_MS: Final = 3_000
#: So much longer for the first update, in seconds: none may ever come.
_PATIENCE_S: Final = 10.0
_PAINT: Final = """
window.painted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.painted = one.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""


@dataclass(frozen=True, slots=True)
class View:
    """What a first visit was.

    Attributes:
        sizes: address -> bytes on the line, headers too, of everything but the stream.
        paint_ms: largest contentful paint.
        updates: messages that came while the page was watched.
        update_ms: processor time of the main thread for each of them, with all else that the page did meanwhile, on a processor four times
            as slow; 0 where none came.
    """

    sizes: dict[str, int]
    paint_ms: float
    updates: int
    update_ms: float

    @property
    def weight(self) -> int:
        """All bytes."""
        return sum(self.sizes.values())


@dataclass
class _Line:
    """Counts what comes over it."""

    addresses: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    updates: int = 0

    def asked(self, event: dict[str, Any]) -> None:
        self.addresses[event["requestId"]] = event["request"]["url"]

    def came(self, event: dict[str, Any]) -> None:
        address = self.addresses.get(event["requestId"], event["requestId"])
        self.sizes[address] = self.sizes.get(address, 0) + int(event["encodedDataLength"])

    def told(self, event: dict[str, Any]) -> None:
        self.updates += event["eventName"] == "page"


class Browser:
    """A Chromium in which somebody is signed in."""

    def __init__(self, opened: Any, link: str) -> None:
        self._opened = opened
        with opened.new_context() as context:
            page = context.new_page()
            page.goto(link)
            page.click("main form button")
            page.wait_for_load_state()
            self._signed_in = context.storage_state()

    @property
    def cookie(self) -> str:
        """As a request's header has it."""
        return "; ".join(f"{one['name']}={one['value']}" for one in self._signed_in["cookies"])

    def visit(self, address: str, *, watch_s: float, live: bool) -> View:
        """Open an address as for the first time, then watch it for so long; where updates come (`live`), at least until the first one.

        Raises:
            Problem: the answer was no page.
        """
        with self._opened.new_context(storage_state=self._signed_in, viewport={"width": 1440, "height": 900}) as context:
            page = context.new_page()
            page.add_init_script(_PAINT)
            devtools, line = context.new_cdp_session(page), _Line()
            devtools.on("Network.requestWillBeSent", line.asked)
            devtools.on("Network.loadingFinished", line.came)
            devtools.on("Network.eventSourceMessageReceived", line.told)
            for command in ("Network.enable", "Performance.enable"):
                devtools.send(command)
            devtools.send("Network.emulateNetworkConditions", _LINE)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
            answer = page.goto(address)
            if answer is None or answer.status != 200:
                status = "nada" if answer is None else answer.status
                raise Problem(f"{address} respondió {status}, no 200.", f"{address} answered {status}, not 200.")
            page.wait_for_timeout(_SETTLED_MS)
            sizes, paint_ms = dict(line.sizes), float(page.evaluate("window.painted"))
            # What is slowed down spins by the clock on the wall, on a busy machine for too long: it is measured as it is, and multiplied.
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
            before, updates = _busy_s(devtools), line.updates
            until = time.monotonic() + watch_s
            # A page on which nothing changes is told so every four seconds.
            while time.monotonic() < until or (live and line.updates == updates and time.monotonic() < until + _PATIENCE_S):
                page.wait_for_timeout(250)
            took, updates = _busy_s(devtools) - before, line.updates - updates
        return View(sizes, paint_ms, updates, 1000 * _SLOWER * took / updates if updates else 0.0)


@contextmanager
def chromium(link: str) -> Iterator[Browser]:
    """The machine's Chromium, signed in by this one-time address.

    Raises:
        Problem: there is none.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise Problem("No hay Chromium: apt-get install chromium", "There is no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--disable-gpu", *sandbox])
        try:
            yield Browser(opened, link)
        finally:
            opened.close()


def _busy_s(devtools: Any) -> float:
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ThreadTime"])
