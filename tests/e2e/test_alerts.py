"""The inbox in headless Chromium: by keyboard, live, on a phone, and without script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.web.server import Web
from tests.e2e.conftest import Open, Watched

pytestmark = pytest.mark.e2e
CODES = ("lamp_broken", "wheel_worn", "door_open")


@pytest.fixture
def inbox(visit: Open, web: Web) -> Iterator[Watched]:
    """Alice's inbox with three alarms of rover-1 at least; other tests find none of them."""
    for code in CODES:
        web.alarm("rover-1", code)
    watched = visit(web.login_link("alice"))
    if watched.page.locator("main form button").count():
        watched.page.locator("main form button").first.click()
    watched.page.goto(f"{web.url}/console/alerts/")
    yield watched
    web.calm("rover-1")


def rows(page: Page) -> int:
    return page.locator("#rows > li").count()


def test_a_triage_by_keyboard_moves_on_and_can_be_undone(inbox: Watched):
    page = inbox.page
    before = rows(page)
    assert before >= 3
    page.keyboard.press("j")
    page.wait_for_url(re.compile(r"/console/alerts/\d+/"))
    first = page.locator("#alert").get_attribute("data-number")
    expect(page.locator("#rows > li.current")).to_have_id(f"alert-{first}")
    page.keyboard.press("r")
    expect(page.locator(f"#alert-{first}")).to_have_count(0)
    expect(page.locator("[data-toast]")).to_contain_text("resuelta")
    assert page.locator("#alert").get_attribute("data-number") != first
    page.keyboard.press("z")
    expect(page.locator(f"#alert-{first}")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("#rows input:checked")).to_have_count(1)
    page.keyboard.press("x")
    page.keyboard.press("f")
    expect(page.locator("details.sheet[open] input[type=radio]").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("details.sheet[open]")).to_have_count(0)
    page.keyboard.press("Shift+?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#f-robot")).to_be_focused()
    assert inbox.errors == []
    assert inbox.strangers == []


def test_a_mark_asks_the_server_once_and_for_the_part_that_changed_only(inbox: Watched, web: Web):
    page = inbox.page
    for number in range(25):
        web.alarm("rover-1", f"part_{number}")
    page.goto(f"{web.url}/console/alerts/")
    whole = len(page.request.get(page.url).body())
    before, asked, sizes = rows(page), [], []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.on("response", lambda got: sizes.append(len(got.body())) if got.request.method == "POST" else None)
    number = page.locator("#alert").get_attribute("data-number")
    page.keyboard.press("a")
    expect(page.locator(f"#alert-{number}.seen")).to_have_count(1)
    page.keyboard.press("r")
    expect(page.locator("#rows > li")).to_have_count(before - 1)
    expect(page.locator("#rows > li.current")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator("#rows > li")).to_have_count(before)
    page.locator("#rows > li input").nth(1).check()
    page.locator("#rows > li input").nth(2).check()
    page.locator("#bulk button").nth(1).click()
    expect(page.locator("#rows > li")).to_have_count(before - 2)
    expect(page.locator("#rows input:checked")).to_have_count(0)
    # Longer than the stream needs to say that something changed: it says nothing that the page does not know.
    page.wait_for_timeout(2500)
    assert [line for line in asked if "/stream/" not in line and "/console/alerts/" in line and line.startswith("GET")] == []
    assert len([line for line in asked if line.startswith("POST")]) == 4
    assert max(sizes) < whole / 2
    assert inbox.errors == []


def test_what_an_alert_asks_stays_within_the_window(inbox: Watched):
    page = inbox.page
    for width in (1440, 1180):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Falsa alarma", "Posponer", "Asignar a"):
            page.locator("#alert summary", has_text=name).click()
            expect(page.locator(".sheet[open] form")).to_be_in_viewport(ratio=1)
            page.keyboard.press("Escape")
            assert inbox.sideways() == 0


def test_single_keys_can_be_switched_off(inbox: Watched):
    page = inbox.page
    page.keyboard.press("Shift+?")
    page.locator("[data-single-keys]").uncheck()
    page.keyboard.press("Escape")
    address = page.url
    page.keyboard.press("j")
    page.wait_for_timeout(400)
    assert page.url == address


def test_a_new_alarm_appears_in_its_place_and_what_is_written_meanwhile_stays(inbox: Watched, web: Web):
    page = inbox.page
    page.mouse.move(1300, 20)
    before = rows(page)
    page.locator("#comment").fill("half a sentence")
    web.alarm("rover-1", "battery_swollen")
    expect(page.locator("#live .sub")).to_contain_text(f"{before + 1} abiertas")
    assert page.locator("#comment").input_value() == "half a sentence"
    page.locator("#comment").fill("")
    page.locator("h1").click()
    web.alarm("rover-1", "arm_bent")
    expect(page.locator("#rows > li")).to_have_count(before + 2)
    assert inbox.complaints() == []


def test_the_list_does_not_move_under_the_hand(inbox: Watched, web: Web):
    page = inbox.page
    before = rows(page)
    page.locator("#rows > li").first.hover()
    web.alarm("rover-1", "camera_blind")
    expect(page.locator("[data-waiting]")).to_be_visible()
    assert rows(page) == before
    page.locator("[data-waiting]").click()
    expect(page.locator("#rows > li")).to_have_count(before + 1)


def test_on_a_phone_the_list_leads_to_a_page_with_its_buttons_at_hand(visit: Open, web: Web):
    web.alarm("rover-1", "lamp_broken")
    watched = visit(web.login_link("alice"), width=390, height=844)
    page = watched.page
    if page.locator("main form button").count():
        page.locator("main form button").first.click()
    page.goto(f"{web.url}/console/alerts/")
    expect(page.locator("#evidence")).to_be_hidden()
    page.locator("#rows > li a").first.click()
    expect(page.locator("#alert .title")).to_be_visible()
    expect(page.locator("section.list")).to_be_hidden()
    box = page.locator("#alert button[data-key=a]").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] < 844 - 56
    assert watched.sideways() == 0
    page.locator(".back a").click()
    expect(page.locator("section.list")).to_be_visible()


def test_without_script_everything_can_be_done(visit: Open, web: Web):
    web.alarm("rover-1", "lamp_broken")
    page = visit(web.login_link("alice"), script=False).page
    if page.locator("main form button").count():
        page.locator("main form button").first.click()
    page.goto(f"{web.url}/en/console/alerts/")
    page.locator("#rows > li a").first.click()
    number = page.locator("#alert").get_attribute("data-number")
    page.locator("summary", has_text="Snooze").click()
    page.get_by_role("button", name="1 hour").click()
    expect(page.locator("[data-toast]")).to_contain_text("snoozed")
    page.locator("[data-toast] button").click()
    expect(page.locator(f"#alert-{number}")).to_have_count(1)
