"""Every link of every public page leads somewhere, in both languages, with its anchor: all that a visitor finds who has no account."""

from collections import deque
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from croody.fleet import services as fleet
from croody.shop.models import Product

pytestmark = pytest.mark.django_db(databases="__all__")
#: Where crawling begins beside the sitemap: documents, and addresses that the earlier Croody had.
STARTS = (
    "/", "/api/v1/docs", "/robots.txt", "/sitemap.xml", "/favicon.ico", "/tienda/carrito/", "/cuenta/acceder/",
    "/integraciones/", "/luks/", "/mi-cuenta/", "/mi-cuenta/pedidos/", "/mi-cuenta/direcciones/", "/mi-cuenta/perfil/",
    "/health/", "/redoc", "/redoc/",
)  # fmt: skip
#: More than there are, by far: a page that makes new addresses without end fails.
MOST = 600


class Page(HTMLParser):
    """The links of a page, and what an anchor may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.names |= {said.get("id", ""), said.get("name", "")}
        if tag == "form":
            # What is sent is no link; what is searched is one.
            self.links |= {said["action"]} if said.get("action") and said.get("method", "get") == "get" else set()
        elif tag != "base":
            self.links |= {said[name] for name in ("href", "src") if urlsplit(said.get(name, "mailto:")).scheme in ("", "http", "https")}
            self.links |= {said["content"]} if said.get("content", "").startswith("http://testserver") else set()
            self.links |= {part.split()[0] for part in said.get("srcset", "").split(",") if part.strip()}


def crawl(starts: list[str]) -> tuple[dict[str, Page | None], list[str]]:
    """Address -> its page, where it is one; and what leads nowhere, with the page that it stands on."""
    found: dict[str, Page | None] = {}
    broken: list[str] = []
    todo = deque((start, "") for start in starts)
    anchors: set[tuple[str, str, str]] = set()
    while todo:
        asked, source = todo.popleft()
        address, anchor = urldefrag(asked)
        anchors.add((address, anchor, source))
        if address in found:
            continue
        if len(found) >= MOST:
            pytest.fail(f"more than {MOST} addresses, the last of them {address} on {source}")
        found[address] = None
        if address.startswith("/static/"):
            broken += [] if finders.find(address.removeprefix("/static/")) else [f"{address} on {source}: no such file"]
            continue
        # A browser each time: none remembers a language, so each address alone says it.
        answer = Client().get(address, follow=True)
        if answer.status_code != 200:
            broken.append(f"{address} on {source}: {answer.status_code}")
        elif answer["Content-Type"].startswith("text/html"):
            found[address] = page = Page(answer.content.decode())
            # What a search or a filter shows stands elsewhere, too: only it itself is asked for.
            if "?" not in address:
                here = answer.redirect_chain[-1][0] if answer.redirect_chain else address
                links = sorted(_local(urljoin(here, link)) for link in page.links)
                todo.extend((link, address) for link in links if link)
    for address, anchor, source in sorted(anchors):
        page = found[address]
        if anchor and page is not None and anchor not in page.names:
            broken.append(f"{address}#{anchor} on {source}: nothing there has that name")
    return found, broken


def _local(address: str) -> str:
    """Without our own name, and without where the log-in leads back to; empty for what is another's."""
    parts = urlsplit(address)
    query = "" if parts.query.startswith("next=") else parts.query
    return parts._replace(scheme="", netloc="", query=query).geturl() if parts.netloc in ("", "testserver") else ""


def test_every_link_of_every_public_page_leads_somewhere_in_both_languages(shop: SimpleNamespace, settings: Any):
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    fleet.add_robot("rover-1", organisation=shop.organisation, shared=True)
    Product.objects.filter(pk=shop.pro.pk).update(stock=0)
    tree = ElementTree.fromstring(Client().get("/sitemap.xml").content)
    listed = [_local(str(one.text)) for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    found, broken = crawl([*STARTS, *(f"/{code}{path}" for code in ("es", "en") for path in STARTS if path.endswith("/")), *listed])
    assert broken == []
    assert {"/es/tienda/pro/", "/en/tienda/pro/", "/es/legal/cookies/", "/en/estado/", "/en/nosotros/", "/es/buddy/suscripciones/"} <= set(
        found
    )
    assert len(found) > 100
