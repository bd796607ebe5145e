"""The console in headless Chromium: the fleet lives, stands still under the hand, and is reached by keyboard and on a phone, too."""

import itertools
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.cloud.web.helpers import DRIVING
from tests.cloud.web.server import Web
from tests.e2e.conftest import Open, Watched

pytestmark = pytest.mark.e2e
_seq = itertools.count(1)


def drive(web: Web, **values: float) -> None:
    """Let rover-1 say one more reading; its first brings its birth along, which is record 1."""
    number = next(_seq)
    web.say("rover-1", number if number == 1 else number + 1, {**DRIVING, **values})


@pytest.fixture
def signed_in(visit: Open, web: Web) -> "SignIn":
    """Opens a page of the console as Alice."""

    web.beside("member", "alice", "owner")

    def go(path: str, **how: object) -> Watched:
        watched = visit(web.login_link("alice"), settle_ms=200, **how)
        if watched.page.locator("main form button").count():
            watched.page.locator("main form button").first.click()
            watched.page.wait_for_timeout(300)
        watched.page.goto(web.url + path)
        watched.page.wait_for_timeout(1500)
        return watched

    return go


SignIn = Open


@pytest.mark.parametrize(
    ("prefix", "scheme", "width"), [("/es", "light", 1440), ("/en", "dark", 390), ("/es", "dark", 1100), ("/en", "light", 320)]
)
def test_each_page_is_quiet_stands_still_and_fits(signed_in: SignIn, web: Web, prefix: str, scheme: str, width: int):
    drive(web)
    watched = signed_in(f"{prefix}/console/", width=width, height=800, scheme=scheme)
    for path in ("/console/", "/console/map/", "/console/find?q=rover", "/console/robots/rover-1/maintenance/"):
        watched.page.goto(web.url + prefix + path)
        watched.page.wait_for_timeout(1500)
        assert watched.complaints() == [], path
        assert watched.sideways() == 0, path


#: What is written in the page: that it stood there already, and what is no age and no clock.
_WRITTEN = """() => {
  const ages = "[data-age], [data-ago], [data-since], [data-newest], [data-clock-local], [data-clock-utc]";
  const element = (node) => node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  const named = (one) => `${one.type} ${one.attributeName || ""} ${element(one.target)?.outerHTML.slice(0, 80)}`;
  const now = {attributes: ({target, attributeName}) => target.getAttribute(attributeName), characterData: ({target}) => target.data};
  window.again = [], window.other = [];
  const watch = new MutationObserver((all) => {
    for (const one of all) {
      if (now[one.type]?.(one) === one.oldValue) window.again.push(named(one));
      if (!element(one.target)?.matches(ages)) window.other.push(named(one));
    }
  });
  const texts = {characterData: true, characterDataOldValue: true};
  watch.observe(document, {subtree: true, childList: true, attributes: true, attributeOldValue: true, ...texts});
}"""


@pytest.mark.parametrize("path", ["/es/console/", "/es/console/map/", "/es/console/robots/rover-1/", "/es/robots/monitor/"])
def test_an_update_writes_only_what_changed_and_a_second_without_one_only_ages(signed_in: SignIn, web: Web, path: str):
    drive(web)
    page = signed_in(path).page
    page.evaluate(_WRITTEN)
    seconds = []
    # A robot may grow stale meanwhile: then there is something to write.
    while len(seconds) < 8 and [] not in seconds:
        page.wait_for_timeout(1200)
        seconds.append(page.evaluate("window.other.splice(0)"))
    assert [] in seconds
    for speed in (0.4, 0.5):
        drive(web, speed_mps=speed, x_m=12.0 + speed)
        page.wait_for_timeout(1500)
    assert page.evaluate("[window.other.length > 0, window.again]") == [True, []]


def test_a_robot_that_stops_is_worded_again_and_its_row_is_the_same_element(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/es/console/").page
    row = page.locator("#robot-rover-1")
    expect(row.locator("[data-word]")).to_have_text("En marcha")
    row.evaluate("(row) => { row.mine = true; }")
    web.beside("stop", "rover-1", next(_seq) + 1, DRIVING)
    expect(row.locator("[data-word]")).to_have_text("En línea")
    expect(row).to_have_class("is-online")
    assert row.locator(".state use").get_attribute("href").endswith("#online")  # type: ignore[union-attr]
    assert row.evaluate("(row) => row.mine")


@pytest.mark.parametrize("path", ["/es/console/", "/en/robots/monitor/"])
@pytest.mark.parametrize("width", [1440, 390])
def test_however_much_of_a_robot_was_given_up_its_row_fits(signed_in: SignIn, web: Web, path: str, width: int):
    drive(web)
    watched = signed_in(path, width=width, height=800)
    row = watched.page.locator("#robot-rover-1 .c-delivery")
    row.locator(".share").evaluate("share => { share.textContent = '97,545\u00a0%'; }")
    row.locator(".gaps").evaluate(
        "gaps => { gaps.classList.add('has-gone'); gaps.querySelector('span').textContent = '120 000 descartadas'; }"
    )
    assert watched.sideways() == 0


def test_the_fleet_moves_by_itself_and_a_new_alarm_waits_while_the_pointer_is_in_the_list(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/?sort=&q=rover").page
    drive(web, battery_pct=17.0)
    expect(page.locator('#robot-rover-1 [data-t="battery"]')).to_have_text("17\u00a0%")
    page.locator("#robot-rover-1").hover()
    before = page.locator("#rows > tr").evaluate_all("rows => rows.map((row) => row.id)")
    web.beside("worse", "rover-1")
    expect(page).to_have_title(re.compile(r"^\(1\) .* atención"), timeout=8000)
    assert page.locator('link[rel="icon"]').get_attribute("href") == page.locator('link[rel="icon"]').get_attribute("data-critical")
    expect(page.locator("[data-reorder]")).to_be_visible()
    assert page.locator("#rows > tr").evaluate_all("rows => rows.map((row) => row.id)") == before
    page.locator("h1").hover()
    expect(page.locator("#rows > tr").first).to_have_id("group-attention")
    expect(page.locator("#rows > tr").nth(1)).to_have_id("robot-rover-1")
    expect(page.locator("#robot-rover-1 [data-word]")).to_have_text("Con falla")
    expect(page.locator("#robot-rover-1 .c-reason")).to_contain_text("Llegaron dos registros distintos con el mismo número")
    web.beside("better", "rover-1")
    expect(page).not_to_have_title(re.compile(r"^\("), timeout=8000)


def test_a_view_that_is_frozen_says_so_and_a_lost_server_closes_its_eyes(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/").page
    expect(page.locator("[data-link]")).to_have_text("En vivo")
    page.keyboard.press("p")
    expect(page.locator("[data-link]")).to_have_text("En pausa")
    expect(page.locator("[data-frozen]")).to_contain_text("Vista congelada a las")
    page.keyboard.press("p")
    expect(page.locator("[data-link]")).to_have_text("En vivo")
    web.process.terminate()
    web.process.wait(30)
    expect(page.locator("#banner")).to_be_visible(timeout=15_000)
    expect(page.locator("[data-link]")).to_have_text("Sin conexión")
    expect(page.locator(".rail .logo .closed")).to_be_visible()
    web.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=20_000)


def test_the_palette_finds_a_robot_by_keyboard_alone(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/map/").page
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("rover-2")
    expect(page.locator("#palette-answers [aria-selected=true]")).to_contain_text("rover-2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/robots/rover-2/")


def test_keys_lead_to_pages_and_can_be_switched_off(signed_in: SignIn, web: Web):
    page = signed_in("/console/").page
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/console/map/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("[data-single-keys]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_timeout(500)
    assert page.url.endswith("/console/map/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


def test_one_switch_changes_the_zone_of_all_times_and_is_remembered(signed_in: SignIn, web: Web):
    page = signed_in("/console/").page
    expect(page.locator("[data-clock-zone]")).to_have_text("Bogota")
    expect(page.locator(".clock-other")).to_be_visible()
    page.locator("[data-zone-switch]").click()
    expect(page.locator("[data-clock-zone]")).to_have_text("UTC")
    page.goto(web.url + "/console/log/")
    page.wait_for_timeout(500)
    expect(page.locator("[data-clock-zone]")).to_have_text("UTC")


def test_whose_zone_is_utc_reads_the_time_once(browser: Browser, web: Web):
    with browser.new_context(timezone_id="UTC", viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.goto(web.url + web.login_link("alice"))
        page.locator("main form button").first.click()
        page.goto(web.url + "/console/")
        expect(page.locator("[data-clock-zone]")).to_have_text("UTC")
        expect(page.locator(".clock-other")).to_be_hidden()


def test_a_star_is_lit_in_its_place_and_survives_a_fresh_row(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/").page
    star = page.locator("#robot-rover-2 .star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("#robot-rover-2 .star")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-stars]")).to_have_text("1")
    page.locator("#robot-rover-2 .star").click()
    expect(page.locator("#robot-rover-2 .star")).to_have_attribute("aria-pressed", "false")


def test_chosen_robots_stay_chosen_in_fresh_rows_and_are_tagged_at_once_and_back(signed_in: SignIn, web: Web):
    drive(web)
    # The row tells the oldest of the worst: none of another test may be older.
    web.calm("rover-1")
    watched = signed_in("/en/console/")
    page = watched.page
    box = page.locator("#robot-rover-1 .pick input")
    expect(page.locator("#picked")).to_be_hidden()
    box.check()
    expect(page.locator("[data-picked]")).to_have_text("1")
    # An alarm draws the row anew.
    web.alarm("rover-1", "wheel_worn")
    page.mouse.move(5, 5)
    page.locator("h1").click()
    expect(page.locator("#robot-rover-1")).to_contain_text("wheel")
    expect(box).to_be_checked()
    assert watched.errors == []
    page.get_by_role("button", name="With those chosen…").click()
    expect(page.locator("h1")).to_have_text("One robot chosen")
    page.locator("#tags").fill("look at it")
    page.get_by_role("button", name="Add tags").click()
    expect(page.locator("#robot-rover-1 .tag")).to_have_text("look at it")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#robot-rover-1 .tag")).to_have_count(0)
    assert watched.errors == []
    web.calm("rover-1")


def test_the_plan_comes_nearer_by_key_and_button_and_names_keep_their_size(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/map/?robot=rover-1").page
    name = page.locator("#mark-rover-1 a text")
    before, box = name.bounding_box(), page.locator("#plan").get_attribute("viewBox")
    assert before is not None
    page.keyboard.press("+")
    assert page.locator("#plan").get_attribute("viewBox") != box
    after = name.bounding_box()
    assert after is not None
    assert abs(after["height"] - before["height"]) < 2
    page.locator("[data-zoom=all]").click()
    assert page.locator("#plan").get_attribute("viewBox", timeout=1000).startswith("0.00 0.00 1000.00")  # type: ignore[union-attr]


def test_without_script_the_fleet_is_whole(signed_in: SignIn, web: Web):
    drive(web)
    page = signed_in("/console/", script=False).page
    expect(page.locator("#robot-rover-1")).to_contain_text("se mueve")
    page.locator("#q").fill("rover-2")
    page.get_by_role("button", name="Filtrar").click()
    expect(page.locator("#rows tr[data-robot]")).to_have_count(1)
    page.locator(".find-open").click()
    expect(page.locator("h1")).to_have_text("Buscar en la consola")
