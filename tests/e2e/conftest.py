"""One browser and one web server for all of it. Every page that a test opens is watched: see `Watched`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cloud.web.helpers import DRIVING
from tests.cloud.web.server import Web
from tests.patience import PATIENCE_S
from tools.stack import Ports

expect.set_options(timeout=1000 * PATIENCE_S)

_WATCH = """
window.watched = {shift: 0, moved: [], violations: []};
const named = (node) => node ? node.nodeName + " " + (node.className || "") : "?";
const box = (r) => [r.x, r.y, r.width, r.height].map(Math.round).join(",");
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    window.watched.shift += entry.value;
    for (const one of entry.sources) {
      window.watched.moved.push(named(one.node) + " " + box(one.previousRect) + " to " + box(one.currentRect));
    }
  }
}).observe({type: "layout-shift", buffered: true});
document.addEventListener("securitypolicyviolation", (event) => {
  window.watched.violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


class Watched:
    """A page, and everything it did that no page of ours may do."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.strangers: list[str] = []
        page.add_init_script(_WATCH)
        page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.strangers.append(request.url) if not request.url.startswith(home) else None)

    def complaints(self) -> list[Any]:
        """Errors, requests to others, policy violations, layout shift."""
        found: list[Any] = [*self.errors, *self.strangers]
        watched = self.page.evaluate("window.watched")
        found += watched["violations"]
        if watched["shift"]:
            found.append(f"layout shift {watched['shift']}: {'; '.join(watched['moved'])}")
        return found

    def sideways(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


Open = Callable[..., Watched]


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("site")
    environ = {"DATABASE_URL": f"sqlite:///{folder / 'croody.db'}", "TG_DB_PATH": str(folder / "telemetry.db"), "CROODY_DEMO": "1"}
    server = Web(folder, Ports.free().web, environ)
    server.say("rover-2", 1, *({**DRIVING, "x_m": 10.0 + step} for step in range(10)))
    yield server
    server.end()


@pytest.fixture
def visit(browser: Browser, web: Web) -> Iterator[Open]:
    """Opens an address in a context of its own: `visit(path, width=, height=, scheme=, script=, home=)`."""
    contexts = []

    def go(
        path: str,
        *,
        width: int = 1440,
        height: int = 900,
        scheme: str = "light",
        script: bool = True,
        settle_ms: int = 1500,
        home: str = "",
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script,
            timezone_id="America/Bogota",
            locale="es-CO",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        watched = Watched(context.new_page(), home or web.url)
        watched.page.goto((home or web.url) + path)
        watched.page.wait_for_timeout(settle_ms)
        return watched

    yield go
    for context in contexts:
        context.close()
