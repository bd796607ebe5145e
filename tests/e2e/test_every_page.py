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
VARIANT = pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [pytest.param(*one, marks=[] if index < 2 else pytest.mark.long) for index, one in enumerate(VARIANTS)],
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


@VARIANT
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


class Steps:
    """Pages that only a way through the shop leads to, each looked at as it is reached."""

    def __init__(self, watched: Watched, language: str, said: Said) -> None:
        self.watched, self.page, self.language, self.said = watched, watched.page, language, said
        self.found: dict[str, list[str]] = {}

    def look(self, name: str) -> None:
        """What is wrong with the page that is open. A form that was sent back has a status of its own."""
        self.page.wait_for_timeout(SETTLED_MS)
        wrong = [error for error in self.watched.errors if "the server responded with a status of 422" not in error]
        wrong += every_page.violations(self.page) + [f"untranslated: {words}" for words in self.said.untranslated(self.page, self.language)]
        if (wider := self.watched.sideways()) > 0:
            wrong.append(f"{wider} px wider than its window")
        if wrong:
            self.found[name] = wrong
        self.watched.errors.clear()


@VARIANT
def test_a_guest_buys_a_board_it_is_sent_and_each_page_of_that_is_for_everybody(
    browser: Browser, day: Stack, jar: Path, said: Said, language: str, scheme: str, width: int
):
    look: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "timezone_id": "America/Bogota"}
    home = f"{day.web_url}/{language}"
    with browser.new_context(**look) as outside, browser.new_context(**look, storage_state=jar) as inside:
        guest = Steps(Watched(outside.new_page(), day.web_url), language, said)
        keeper = Steps(Watched(inside.new_page(), day.web_url), language, said)
        order = bought(guest, home, f"{language}-{scheme}-{width}@example.org")
        sent(keeper, home, order.split("/")[-3])
        guest.page.goto(order)
        expect(guest.page.locator("main")).to_contain_text("ES123")
        guest.look("order that is sent")
    assert guest.found | keeper.found == {}


def bought(guest: Steps, home: str, mail: str) -> str:
    """Two boards in the cart, a form that is sent back, a payment that is declined, one with a second step. The order's address."""
    page = guest.page
    page.goto(f"{home}/tienda/lidar-360/")
    expect(page.locator("form[action$='/avisame/']")).to_be_visible()
    guest.look("sold out")
    page.goto(f"{home}/tienda/placa-croody-mini/")
    page.fill("#quantity", "2")
    page.click(".adding button")
    expect(page.locator(".count")).to_have_text("2")
    guest.look("cart")
    page.click("main a.primary")
    page.click(".summary button.primary")
    expect(page.locator("#errors p")).to_have_count(5)
    guest.look("what is missing")
    for name, value in {"email": mail, "name": "Ana", "street": "Calle 1", "city": "Sevilla"}.items():
        page.fill(f"#id_{name}", value)
    page.select_option("#id_country", "ES")
    page.locator("label.way").nth(1).click()
    expect(page.locator("[data-shows=total]")).to_contain_text("194")
    guest.look("checkout")
    page.click(".summary button.primary")
    expect(page.locator("h1")).to_contain_text("194")
    guest.look("bank")
    page.click("button[value=decline]")
    expect(page.locator(".owed")).to_be_visible()
    guest.look("declined")
    page.click("main button.primary")
    page.click("button[value=challenge]")
    expect(page.locator("button[value=challenge]")).to_have_count(0)
    guest.look("second step")
    page.click("main button.primary")
    expect(page.locator("main a[href$='/factura/']")).to_be_visible()
    guest.look("order")
    order = page.url
    page.click("main a[href$='/factura/']")
    expect(page.locator("h1")).to_contain_text(order.split("/")[-3])
    guest.look("invoice")
    return order


def sent(keeper: Steps, home: str, name: str) -> None:
    """The staff's way with it."""
    page = keeper.page
    page.goto(f"{home}/tienda/gestion/")
    keeper.look("orders")
    page.get_by_role("link", name=name).click()
    expect(page.locator("h1")).to_contain_text(name)
    keeper.look("order to prepare")
    page.locator(".actions button.primary").click()
    page.fill("#tracking", "ES123")
    keeper.look("order to send")
    page.locator(".actions button.primary").click()
    expect(page.locator("main")).to_contain_text("ES123")
    keeper.look("order on its way")
    page.locator(".lede a").click()
    keeper.look("customer")
    page.goto(f"{home}/tienda/gestion/productos/")
    page.locator("a[href$='/fotos/']").first.click()
    expect(page.locator("main input[type=file]")).to_be_visible()
    keeper.look("pictures of a product")


@pytest.mark.parametrize("script", [True, False])
def test_a_kept_address_fills_the_checkout_and_what_was_typed_stays_and_enter_confirms(
    browser: Browser, day: Stack, jar: Path, script: bool
):
    with browser.new_context(storage_state=jar, java_script_enabled=script) as context:
        page = context.new_page()
        for street in ("Calle 1", "Avenida 2"):
            page.goto(f"{day.web_url}/es/cuenta/direcciones/")
            for name, value in {"name": "Olga", "street": street, "city": "Sevilla"}.items():
                page.fill(f"#id_{name}", value)
            page.select_option("#id_country", "ES")
            page.click("main button.primary")
        page.goto(f"{day.web_url}/es/tienda/placa-croody-mini/")
        page.click(".adding button")
        page.click("main a.primary")
        page.fill("#id_email", "olga@example.org")
        page.fill("#id_notes", "Al portero")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        second = page.get_by_role("button", name="Avenida 2, Sevilla")
        second.click()
        expect(second).to_have_attribute("aria-pressed", "true")
        assert (asked == []) is script
        assert [page.input_value(f"#id_{name}") for name in ("street", "notes", "email")] == ["Avenida 2", "Al portero", "olga@example.org"]
        page.press("#id_city", "Enter")
        page.wait_for_url("**/tienda/pago/prueba/*/")
        page.click("button[value=timeout]")
        page.click("main button.danger")
