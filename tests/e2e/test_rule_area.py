"""The area of a rule is drawn on the plan by pointer or by keys, and the field beside it says the same corners."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.web.server import Web
from tests.e2e import every_page
from tests.e2e.conftest import Open, Watched

pytestmark = pytest.mark.e2e
FORM = "/es/console/rules/new/?kind=fence"


def opened(visit: Open, web: Web, **how: object) -> Watched:
    web.beside("member", "alice", "owner")
    watched = visit(web.login_link("alice"), settle_ms=200, **how)
    if watched.page.locator("main form button").count():
        watched.page.locator("main form button").first.click()
        watched.page.wait_for_load_state()
    watched.page.goto(web.url + FORM)
    return watched


def corners(page: Page) -> list[tuple[float, float]]:
    found = re.findall(r"(-?[\d.]+), (-?[\d.]+)", page.input_value("#f-points"))
    return [(float(x), float(y)) for x, y in found]


@pytest.mark.parametrize("width", [1440, 390])
def test_corners_are_put_moved_and_taken_away_by_pointer(visit: Open, web: Web, width: int):
    watched = opened(visit, web, width=width)
    page = watched.page
    page.locator("#fence svg").scroll_into_view_if_needed()
    expect(page.locator("#fence .area")).to_be_attached()
    box = page.locator("#fence svg").bounding_box()
    assert box is not None
    at = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.6), (0.5, 0.3))]
    for x, y in at:
        page.mouse.click(x, y)
    put = corners(page)
    assert len(put) == 4
    assert put[0][0] < put[1][0] < put[2][0], "a corner on a side comes between the two ends of that side"
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(at[0][0] - 0.1 * box["width"], at[0][1], steps=3)
    page.mouse.up()
    assert corners(page)[0][0] < put[0][0] - 1
    assert corners(page)[1:] == put[1:]
    assert watched.sideways() == 0
    assert every_page.violations(page) == []
    page.click("[data-fence=clear]")
    assert page.input_value("#f-points") == ""


def test_by_keys_alone_an_area_is_drawn_saved_and_shown_again(visit: Open, web: Web):
    watched = opened(visit, web)
    page = watched.page
    page.fill("#f-name", "Fuera")
    for _corner in range(3):
        page.focus("[data-fence=add]")
        page.keyboard.press("Enter")
    assert len(corners(page)) == 3
    last = page.locator("#fence .corner").last
    last.focus()
    before = corners(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert corners(page)[2] == pytest.approx((before[2][0] + 0.5, before[2][1] + 5))
    assert str(corners(page)[2][1]).removesuffix(".0") in (last.get_attribute("aria-label") or "")
    page.keyboard.press("Enter")
    assert len(corners(page)) == 4
    page.keyboard.press("Delete")
    drawn = corners(page)
    assert len(drawn) == 3
    page.fill("#f-points", f"{page.input_value('#f-points')}; 1, 1")
    expect(page.locator("#fence .corner")).to_have_count(4)
    page.click("main form button.primary")
    page.wait_for_url(re.compile(r"/console/rules/$"))
    page.get_by_role("link", name="Fuera").first.click()
    page.wait_for_selector("#fence .corner")
    assert corners(page) == [*drawn, (1.0, 1.0)]
    assert watched.errors == []


def test_without_script_the_corners_are_a_text_beside_the_plan(visit: Open, web: Web):
    page = opened(visit, web, script=False).page
    expect(page.locator("#fence svg")).to_be_visible()
    expect(page.locator("[data-fence]").first).to_be_hidden()
    page.fill("#f-name", "A mano")
    page.fill("#f-points", "0, 0; 10, 0; 10, 10")
    page.click("main form button[name=preview]")
    expect(page.locator("#fence polygon.area")).to_be_visible()
