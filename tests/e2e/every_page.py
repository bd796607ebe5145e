"""Which pages there are, with what a page of the demo's day has in their addresses, and what is wrong with one that a browser shows.

Pages come from the URLconf by way of `test_who_may.PAGES`, which has every address of the web role: a new page is walked or fails.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.cloud.test_who_may import PAGES, pages

#: Addresses that answer GET and are no page: files, streams, drawings, and ways to somewhere else.
NO_PAGES: Final = {
    "favicon.ico",
    "health/",
    # A fragment that the monitor asks for.
    "robots/monitor/deteccion/",
    "api/v1/<path:rest>",
    "robots/monitor/stream",
    "api/telemetry/stream",
    "console/stream",
    "console/map/stream",
    "console/alerts/stream/",
    "console/robots/<robot:robot_id>/stream",
    "console/robots/<robot:robot_id>/series",
    "console/robots/<robot:robot_id>/pictures/<int:number>.jpg",
    "console/delivery/<robot:robot_id>/proof/export/",
    "console/kpis/export/",
    "console/log/export/",
    "cuenta/",
    "cuenta/salir/",
    "admin/login/",
    "admin/logout/",
    "cuenta/llaves/entrar/",
    # It comes between a password and a second factor, and leads away otherwise: `test_second_factor`.
    "cuenta/segundo-factor/entrar/",
    # Empty carts lead back, and only a link opens an order: `test_every_page` buys one, sends it, and walks what is behind.
    "tienda/pagar/",
    "robots.txt",
    "tienda/gestion/productos.csv",
    "tienda/fotos/<str:name>",
    "cuenta/foto/<slug:digest>.webp",
    "cuenta/datos/descargar/",
    "cuenta/datos/borrar/",
    "sitemap.xml",
    "^redoc/?$",
    "integraciones/",
    "luks/",
    "mi-cuenta/",
    "mi-cuenta/pedidos/",
    "mi-cuenta/<path:rest>",
    "tienda/gestion/beta.csv",
    "tienda/pedidos/<str:name>/<str:secret>/",
    "tienda/pedidos/<str:name>/<str:secret>/factura/",
    "tienda/pago/prueba/<slug:reference>/",
    "tienda/gestion/pedidos/<int:number>/",
    "tienda/api/cart/",
    # It leads to the page of the invitation, which is walked.
    "cuenta/invitacion/<str:secret>/",
}
#: Page -> a link to one of its kind, where its address has a number that only the database knows: the page with it, and its selector.
LINKED: Final = {
    "tienda/<slug:slug>/": ("/tienda/", ".items a"),
    "console/alerts/<int:number>/": ("/console/alerts/", "#rows a[href*='/console/alerts/']"),
    "console/sites/<int:number>/": ("/console/sites/", "main a[href*='/console/sites/']"),
    "console/rules/<int:number>/": ("/console/rules/", "main a[href*='/console/rules/1/']"),
    "console/rules/channels/<int:number>/": ("/console/rules/", "main a[href*='/channels/1/']"),
}
#: What an address of `PAGES` has in its braces, of the day.
NAMES: Final = {"robot": "norte-04", "organisation": "demo"}
AXE: Final = Axe()
_SPANISH: Final = re.compile(r"[áéíóúñ¿¡]|\b(?:de|la|el|los|las|una?|que|con|para|por|del|sin|desde|hace|hay|está)\b", re.IGNORECASE)
_ENGLISH: Final = re.compile(r"\b(?:the|of|and|is|are|with|to|from|for|this|that|no longer|since|ago)\b", re.IGNORECASE)
#: Words that a reader meets: of the page's language, no code, no names of languages.
_WORDS: Final = """() => {
  const found = [], own = document.documentElement.lang;
  const said = (text) => { const words = (text || "").replace(/\\s+/g, " ").trim(); if (words) found.push(words); };
  const foreign = (node) => node.closest("code, pre, textarea, script, style, noscript, template") || node.closest("[lang]")?.lang !== own;
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!foreign(walk.currentNode.parentElement)) said(walk.currentNode.data);
  for (const node of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) if (!foreign(node)) {
    for (const name of ["aria-label", "title", "placeholder", "alt"]) said(node.getAttribute(name));
  }
  return [...new Set(found)];
}"""


def is_outside(pattern: str) -> bool:
    """A page of accounts for who has none here: whoever is signed in is led away from most of them."""
    return pattern.startswith("cuenta/") and getattr(pages()[pattern], "rule", "") == "anybody"


def walked() -> Iterator[tuple[str, str]]:
    """Each page's pattern and an address, without its language."""
    for pattern, (method, address, _fine) in PAGES.items():
        if method == "GET" and pattern not in NO_PAGES and pattern not in LINKED:
            yield pattern, address.format(**NAMES)


class Said:
    """What the day's robots and people wrote, and names of time zones and languages: these are in no language of the page."""

    def __init__(self, *databases: Path) -> None:
        """Read all of it out of SQLite files."""
        texts = {"Español", *available_timezones()}
        for path in databases:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                for table, column in _columns(connection):
                    for (value,) in connection.execute(f'SELECT DISTINCT "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\''):
                        texts.update(_leaves(value))
        marked = (text for text in texts if len(text) > 5 and (_SPANISH.search(_plain(text)) or _ENGLISH.search(_plain(text))))
        self._texts = sorted({_plain(text) for text in marked}, key=len, reverse=True)

    def untranslated(self, page: Page, language: str) -> list[str]:
        """What stands on a page in the other language."""
        other = _SPANISH if language == "en" else _ENGLISH
        return [words for words in page.evaluate(_WORDS) if other.search(words) and other.search(self._without(_plain(words)))]

    def _without(self, words: str) -> str:
        for text in self._texts:
            words = words.replace(text, "")
        # What was cut short ends in an ellipsis.
        cut = words.rstrip("…")
        return "" if cut != words and any(cut in text for text in self._texts) else words


def _columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return list(connection.execute("SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"))


def _leaves(value: str) -> Iterator[str]:
    """A text; of JSON, the texts and names in it."""
    try:
        found = json.loads(value)
    except ValueError:
        yield value
        return
    left = [found]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            yield one


def _plain(text: str) -> str:
    """As names of metrics are compared with how they are worded, and lines with how a page runs them on."""
    return " ".join(text.replace("_", " ").lower().split())


def violations(page: Page) -> list[str]:
    """What axe finds that is moderate at least: rule, weight, where."""
    found: list[dict[str, Any]] = AXE.run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {' | '.join(str(node['target'][0]) for node in one['nodes'][:4])}"
        for one in found
        if one["impact"] in {"moderate", "serious", "critical"}
    ]
