"""Every page of the web role on a day of forty robots: nothing for axe to find, quiet, in the window, in one language.

Two of the eight variants in the ordinary run, the others by `make test-long`.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from croody.console.log.words import FIELDS
from croody.console.pages import PAGES as NAVIGATION
from tests.cloud.test_who_may import PAGES
from tests.e2e import every_page
from tests.e2e.conftest import Watched
from tests.e2e.every_page import LINKED, NO_PAGES, Said
from tools.stack import Options, Ports, Spec, Stack, script

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
#: Language, theme, width: all; the first two are looked at in the ordinary run.
VARIANTS = sorted(
    product(("es", "en"), ("light", "dark"), (1440, 390)), key=lambda one: one not in {("es", "light", 1440), ("en", "dark", 390)}
)
#: Until a page has drawn what it draws by script.
SETTLED_MS = 200
#: She may do everything in her organisation, and so sees most.
PERSON = "olga"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A web role with the demo's day, two hours of it, which goes on."""
    state = tmp_path_factory.mktemp("day")
    with Stack(Options(state=state, ports=Ports.free(), robots=0, host=False, replay=False)) as stack:
        stack.prepare()
        stack.manage("demo", "--shop")
        log = state / "day.log"
        environment = {**stack.processes["web"].spec.env, "PYTHONUNBUFFERED": "1"}
        command = [script("croody"), "demo", "--day", "--hours", "2", "--live"]
        stack.add(Spec("day", command, environment, ready=lambda: "Ctrl-C" in log.read_text(encoding="utf-8", errors="replace")))
        stack.start("day", timeout_s=300)
        stack.start("web")
        yield stack


@pytest.fixture(scope="module")
def jar(browser: Browser, day: Stack) -> Path:
    """What the browser of somebody who is signed in keeps. She has a channel, so that there is a page of one."""
    path = day.options.state / "jar.json"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(day.manage("login-link", "--user", PERSON, "--minutes", "60", "--base", day.web_url).strip())
        page.click("main form button")
        page.goto(f"{day.web_url}/es/console/rules/channels/new/?kind=mail")
        page.fill("#f-name", "Turno")
        page.fill("#f-target", "turno@example.org")
        page.click("main form button.primary")
        expect(page).not_to_have_url(f"{day.web_url}/es/console/rules/channels/new/?kind=mail")
        context.storage_state(path=path)
    return path


@pytest.fixture(scope="module")
def said(day: Stack, jar: Path) -> Said:
    return Said(*day.options.state.rglob("*.db"))


def test_every_address_that_answers_is_a_page_that_is_walked_or_is_named_as_none():
    walked = {pattern for pattern, _address in every_page.walked()}
    assert {pattern for pattern, (method, *_) in PAGES.items() if method == "GET"} == walked | NO_PAGES | LINKED.keys()


def test_every_page_of_the_navigation_is_walked():
    walked = {address for _pattern, address in every_page.walked()}
    assert [page.name for page in NAVIGATION if reverse(page.url, urlconf="croody.serve.urls.web") not in walked] == []


def test_the_log_has_a_word_for_every_field_that_the_day_wrote_down(day: Stack, jar: Path):
    with closing(sqlite3.connect(next(day.options.state.rglob("croody.db")))) as connection:
        written = {name for row in connection.execute("SELECT before, after FROM audit_entry") for told in row for name in json.loads(told)}
    assert "assignee_id" in written
    assert written - FIELDS.keys() == set()


def linked(page: Page, home: str, where: str, selector: str) -> str:
    """The address behind the first link of its kind, without its language."""
    page.goto(home + where)
    address = page.locator(selector).first.get_attribute("href", timeout=5000) or ""
    return "/" + address.removeprefix("/es/").removeprefix("/en/").removeprefix("/")


def look_at(watched: Watched, address: str, language: str, said: Said) -> list[str]:
    """What is wrong with a page. That it is no page for her is not: then it is the page that says so."""
    watched.errors.clear()
    answer = watched.page.goto(address)
    assert answer is not None
    watched.page.wait_for_timeout(SETTLED_MS)
    own = f"Failed to load resource: the server responded with a status of {answer.status} "
    found = [error for error in watched.errors if answer.ok or not error.startswith(own)]
    found += [f"asks {stranger}" for stranger in watched.strangers] + watched.page.evaluate("window.watched.violations")
    if (wider := watched.sideways()) > 0:
        found.append(f"{wider} px wider than its window")
    return found + every_page.violations(watched.page) + [f"untranslated: {words}" for words in said.untranslated(watched.page, language)]


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [pytest.param(*one, marks=[] if index < 2 else pytest.mark.long) for index, one in enumerate(VARIANTS)],
)
def test_each_page_is_for_everybody_quiet_fits_and_speaks_one_language(
    browser: Browser, day: Stack, jar: Path, said: Said, language: str, scheme: str, width: int
):
    look: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "timezone_id": "America/Bogota"}
    found: dict[str, list[str]] = {}
    with browser.new_context(**look, storage_state=jar) as inside, browser.new_context(**look) as outside:
        views = {True: Watched(inside.new_page(), day.web_url), False: Watched(outside.new_page(), day.web_url)}
        numbered = [(pattern, linked(views[True].page, f"{day.web_url}/{language}", *LINKED[pattern])) for pattern in LINKED]
        for pattern, address in [*every_page.walked(), *numbered]:
            wrong = look_at(views[not every_page.is_outside(pattern)], f"{day.web_url}/{language}{address}", language, said)
            if wrong:
                found[address] = wrong
    assert found == {}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_what_opens_over_the_fleet_is_for_everybody_too(browser: Browser, day: Stack, jar: Path, scheme: Any, width: int):
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=jar) as context:
        page = context.new_page()
        page.goto(f"{day.web_url}/en/console/")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        found = every_page.violations(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.keyboard.type("norte")
        expect(page.locator("#palette-answers [role=option]").nth(1)).to_be_visible()
        found += every_page.violations(page)
        page.reload()
        for closed in page.locator("details:not([open]) > summary:visible").all():
            closed.click()
        found += every_page.violations(page)
        names = page.locator("a.robot-id").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert found == []
    assert max(names) < 2.5 * min(names)


def test_a_guest_buys_a_board_on_a_phone_and_each_page_of_that_is_for_everybody(browser: Browser, day: Stack, said: Said):
    look: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True}
    found: dict[str, list[str]] = {}
    with browser.new_context(**look) as context:
        watched = Watched(context.new_page(), day.web_url)
        page = watched.page

        def look_here(name: str) -> None:
            wrong = every_page.violations(page) + [f"untranslated: {words}" for words in said.untranslated(page, "es")]
            if (wider := watched.sideways()) > 0:
                wrong.append(f"{wider} px wider than its window")
            if wrong + watched.errors:
                found[name] = wrong + watched.errors

        page.goto(f"{day.web_url}/es/tienda/placa-croody-mini/")
        page.fill("#quantity", "2")
        page.click(".adding button")
        expect(page.locator(".count")).to_have_text("2")
        look_here("cart")
        page.click("main a.primary")
        page.click(".summary button.primary")
        expect(page.locator("#errors")).to_contain_text("Está vacío")
        watched.errors.clear()
        look_here("what is missing")
        for name, value in {"email": "ana@example.org", "name": "Ana", "street": "Calle 1", "city": "Sevilla"}.items():
            page.fill(f"#id_{name}", value)
        page.select_option("#id_country", "ES")
        page.get_by_text("Mensajería urgente").click()
        expect(page.locator("[data-shows=total]")).to_contain_text("194,70")
        look_here("checkout")
        page.click(".summary button.primary")
        expect(page.locator("h1")).to_contain_text("194,70")
        look_here("bank")
        page.click("main button.primary")
        expect(page.locator("h1")).to_contain_text("pagado")
        look_here("order")
        page.get_by_role("link", name="Ver la factura").click()
        expect(page.locator("h1")).to_contain_text("Factura")
        look_here("invoice")
    assert found == {}
