"""The page of one robot as its people meet it, in headless Chromium."""

import itertools
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.web.helpers import DRIVING
from tests.cloud.web.server import Web
from tests.cloud.web.test_formats import NUMBERS
from tests.e2e.conftest import Open, Watched

pytestmark = pytest.mark.e2e
#: What is wider than the window, and in nothing that scrolls by itself.
_WIDE = """
[...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => {
    for (let up = one; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return false;
    return true;
  })
  .map((one) => one.tagName + "." + (one.className.baseVal ?? one.className))
"""
_seq = itertools.count(2)
PATH = "/console/robots/rover-1/"


def drive(web: Web, count: int = 1, **values: float) -> None:
    """Let rover-1 say some more readings, a second apart."""
    first = next(_seq)
    for _ in range(count - 1):
        next(_seq)
    web.say("rover-1", first, *({**DRIVING, **values} for _ in range(count)))


@pytest.fixture(scope="module", autouse=True)
def _born(web: Web) -> None:
    web.beside("member", "alice", "owner")
    web.say("rover-1", 1)
    drive(web, 120)


@pytest.fixture
def robot(visit: Open, web: Web) -> Any:
    """The page for who is signed in: `robot(path, width=, ...)`."""

    def go(path: str = PATH, *, settle_ms: int = 1500, **how: Any) -> Watched:
        watched = visit(web.login_link("alice"), settle_ms=100, **how)
        page = watched.page
        if page.locator("main form button.primary").count():
            page.locator("main form button.primary").first.click()
        answer = page.goto(web.url + path)
        assert answer is not None
        assert answer.status == 200, page.url
        page.wait_for_timeout(settle_ms)
        return watched

    return go


def plot(page: Page, metric: str = "speed_mps") -> Any:
    return page.locator(f'.lane[data-metric="{metric}"] [data-plot]')


@pytest.mark.parametrize(
    ("prefix", "scheme", "width"), [("", "light", 1440), ("/en", "dark", 1440), ("/es", "dark", 390), ("/en", "light", 320)]
)
def test_the_page_of_a_robot_is_quiet_stands_still_and_fits(robot: Any, web: Web, prefix: str, scheme: str, width: int):
    drive(web, 5)
    watched = robot(prefix + PATH, width=width, scheme=scheme, settle_ms=3500)
    assert watched.complaints() == []
    assert watched.sideways() == 0, watched.page.evaluate(_WIDE)


def test_values_change_in_their_place_as_readings_come(robot: Any, web: Web):
    drive(web)
    watched = robot()
    page = watched.page
    speed = page.locator('#values [data-t="v0"]')
    expect(speed).to_have_text("1,10")
    drive(web, speed_mps=0.25)
    expect(speed).to_have_text("0,25", timeout=5000)
    drive(web, speed_mps=1.1)
    assert watched.complaints() == []


def test_a_chart_is_drawn_zoomed_and_put_back_by_keyboard_and_its_range_is_in_the_address(robot: Any, web: Web):
    drive(web, 5)
    watched = robot(f"{PATH}?range=15m")
    page = watched.page
    lane = plot(page)
    expect(lane.locator("canvas")).to_be_visible()
    expect(lane).to_have_attribute("aria-label", re.compile(r"Velocidad: de .* a .*, al final .*"))
    lane.focus()
    page.keyboard.press("ArrowLeft")
    readout = page.locator('.lane[data-metric="speed_mps"] [data-readout]')
    expect(readout).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    other = page.locator('.lane[data-metric="motor_temp_c"] [data-readout]')
    expect(other).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"[?&]from=\d+&to=\d+"))
    expect(page.get_by_role("button", name="Volver a ahora")).to_be_visible()
    page.go_back()
    expect(page).not_to_have_url(re.compile("from="))
    lane.focus()
    page.keyboard.press("+")
    page.keyboard.press("0")
    expect(page).to_have_url(re.compile(r"range=15m$"))
    assert watched.complaints() == []


def test_a_chart_is_zoomed_by_dragging(robot: Any, web: Web):
    drive(web, 5)
    page = robot(f"{PATH}?range=15m").page
    box = plot(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"[?&]from=\d+&to=\d+"))


def test_what_is_drawn_can_be_read_as_a_table(robot: Any, web: Web):
    drive(web, 5)
    page = robot(f"{PATH}?range=15m&m=speed_mps").page
    page.get_by_text("Ver datos").click()
    expect(page.locator("#data td.num").first).to_have_text("1,10")
    assert page.locator("#data time").first.inner_text().count(":") == 2


def test_charts_are_drawn_in_the_colours_of_the_theme(robot: Any, web: Web):
    drive(web, 5)
    page = robot(f"{PATH}?range=15m").page

    def colours() -> int:
        return int(
            page.evaluate(
                """() => {const c = document.querySelector('[data-plot] canvas');
                const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let sum = 0;
                for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) sum = (sum * 31 + d[i] + 7 * d[i + 1] + 13 * d[i + 2]) % 1e9;
                return sum;}"""
            )
        )

    page.get_by_role("button", name="Pausar").click()
    before = colours()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(300)
    assert colours() != before


def test_the_parts_of_the_page_are_reached_by_link_without_script_too(robot: Any, web: Web):
    drive(web)
    page = robot(script=False).page
    expect(page.locator("h1")).to_contain_text("rover-1")
    expect(page.locator("#credenciales")).to_be_hidden()
    page.get_by_role("link", name="Credenciales").click()
    expect(page.locator("#credenciales")).to_be_visible()
    expect(page.locator("#datos")).to_be_hidden()
    page.get_by_role("link", name="Datos", exact=True).click()
    expect(page.locator("#datos")).to_be_visible()
    page.get_by_text("Ver datos").click()
    expect(page.get_by_role("link", name="Abrir la tabla")).to_be_visible()


def test_notes_are_written_and_a_secret_is_changed(robot: Any, web: Web):
    watched = robot(f"{PATH}#notas")
    page = watched.page
    page.get_by_label("Lo que debe saber").fill("rueda izquierda cambiada")
    page.get_by_role("button", name="Guardar").click()
    expect(page.locator(".messages")).to_contain_text("quedaron guardadas")
    expect(page.get_by_label("Lo que debe saber")).to_have_value("rueda izquierda cambiada")
    page.get_by_role("link", name="Credenciales").click()
    page.get_by_role("button", name="Cambiar su secreto").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^[\w-]{40,}$"))
    page.get_by_role("link", name="Ya lo guardé").click()
    expect(page).to_have_url(web.url + PATH)
    assert watched.complaints() == []


def test_while_croody_is_away_the_page_says_so_and_nothing_can_be_changed(robot: Any, web: Web):
    page = robot(f"{PATH}#notas").page
    save = page.get_by_role("button", name="Guardar")
    expect(save).to_be_enabled()
    web.process.terminate()
    web.process.wait(30)
    expect(page.locator("#banner")).to_be_visible(timeout=25_000)
    expect(save).to_be_disabled()
    expect(save).to_have_attribute("title", "Sin conexión con Croody: nada se puede cambiar ahora.")
    web.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=25_000)
    expect(save).to_be_enabled()


def test_two_people_who_look_at_one_robot_see_each_other(robot: Any, web: Web, visit: Open):
    first = robot().page
    second = visit(web.login_link("bob"), settle_ms=100).page
    if second.locator("main form button.primary").count():
        second.locator("main form button.primary").first.click()
    second.goto(web.url + PATH)
    expect(first.locator("#others")).to_contain_text("bob", timeout=25_000)


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_number_in_the_browser_is_the_servers(robot: Any, web: Web, language: str):
    page = robot().page
    module = page.evaluate("document.querySelector('link[rel=modulepreload][href*=\"console/numbers\"]').href")
    values = [(value, decimals) for value, decimals, _, _ in NUMBERS if value == value]
    told = page.evaluate(
        "async ([module, values, language]) => { const { number } = await import(module);"
        " return JSON.parse(values).map(([value, decimals]) => number(value, decimals, language)); }",
        [module, json.dumps(values), language],
    )
    assert told == [es if language == "es" else en for value, _, es, en in NUMBERS if value == value]
