"""A shift of several people in headless Chromium: who is second on an alarm, who takes over, whose session ends, whom a browser tells."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.web.server import Web
from tests.e2e.conftest import Open, Watched

pytestmark = pytest.mark.e2e
Come = Callable[..., Watched]
#: No push service can be reached from here: the browser's own part, which is asked for nothing else.
_PUSH_SERVICE = """
PushManager.prototype.subscribe = async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const text = (raw) => btoa(String.fromCharCode(...raw)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const p256dh = text(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return { toJSON: () => ({ endpoint: "https://push.example.org/1", keys: { p256dh, auth: text(new Uint8Array(16)) } }) };
};
"""


@pytest.fixture
def come(visit: Open, web: Web) -> Iterator[Come]:
    """Somebody, signed in, at an address: `come(name, role, path, width=...)`."""

    def go(name: str, role: str, path: str, **window: object) -> Watched:
        web.beside("member", name, role)
        watched = visit("/healthz", settle_ms=0, **window)
        watched.page.context.add_cookies([{"name": "sessionid", "value": web.beside("session", name), "url": web.url}])
        watched.page.goto(web.url + path)
        return watched

    yield go
    web.calm("rover-1")
    for name in ("alice", "bob"):
        web.beside("member", name, "viewer")


def across(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"]


def test_who_is_second_finds_each_button_in_its_place_and_reads_who_was_first_and_the_next_shift_signs(come: Come, web: Web):
    web.alarm("rover-1", "lamp_broken")
    bob = come("bob", "operator", "/en/console/alerts/", width=390, height=844)
    bob.page.locator("#rows a").first.click()
    expect(bob.page.locator("#alert [data-key=r]")).to_be_visible()
    place = across(bob.page, "#alert [data-key=r]")
    alice = come("alice", "operator", bob.page.url.replace(web.url, "").replace("/en/", "/es/"))
    alice.page.locator("#alert [data-key=a]").click()
    expect(alice.page.locator("[data-toast]")).to_contain_text("reconocida")
    expect(bob.page.locator("#alert .acts")).to_contain_text("Acknowledged")
    expect(bob.page.locator("#alert [data-key=a]")).to_have_count(0)
    expect(bob.page.locator("#why-open")).to_contain_text("alice acknowledged it on")
    assert abs(across(bob.page, "#alert [data-key=r]") - place) < 40
    bob.page.goto(f"{web.url}/en/console/handover/")
    expect(bob.page.locator(".acts-done")).to_contain_text("alice")
    bob.page.fill("#note", "Lamp of rover-1: spare ordered")
    bob.page.locator(".sign button").click()
    expect(bob.page.locator("main")).to_contain_text("bob took the shift")
    alice.page.goto(f"{web.url}/es/console/handover/")
    expect(alice.page.locator("main")).to_contain_text("bob tomó el turno")
    expect(alice.page.locator("blockquote")).to_have_text("Lamp of rover-1: spare ordered")
    viewer = come("bob", "viewer", "/es/console/handover/", width=390, height=844)
    expect(viewer.page.locator("main")).to_contain_text("Lo recibe quien opera")
    assert viewer.sideways() == 0
    assert [*alice.errors, *bob.errors, *viewer.errors] == []


def test_what_was_written_while_the_session_ended_is_there_again_for_the_same_person_alone(come: Come, web: Web):
    alice = come("alice", "maintainer", "/es/console/rules/new/")
    page = alice.page
    page.fill("#f-name", "Motor caliente")
    page.fill("#f-limit", "80")
    page.select_option("#f-severity", "high")
    page.context.clear_cookies(name="sessionid")
    page.locator("form.form button.primary").click()
    page.wait_for_url("**/cuenta/acceder/**")

    def back(name: str) -> None:
        page.context.add_cookies([{"name": "sessionid", "value": web.beside("session", name), "url": web.url}])
        page.goto(f"{web.url}/es/console/rules/new/", referer=f"{web.url}/cuenta/acceder/")

    draft = page.evaluate("sessionStorage.draft")
    page.context.add_cookies([{"name": "sessionid", "value": web.beside("session", "alice"), "url": web.url}])
    page.goto(f"{web.url}/es/console/", referer=f"{web.url}/cuenta/2fa/authenticate/")
    page.goto(f"{web.url}/es/console/rules/new/")
    expect(page.locator("form.form [role=status]")).to_contain_text("lo que habías escrito")
    assert page.evaluate("sessionStorage.draft") is None
    page.evaluate("draft => { sessionStorage.draft = draft }", draft)
    page.goto(f"{web.url}/es/console/")
    assert page.evaluate("sessionStorage.draft") is None, "what was sent and led on is no draft any more"
    page.evaluate("draft => { sessionStorage.draft = draft }", draft)
    back("alice")
    expect(page.locator("form.form [role=status]")).to_contain_text("lo que habías escrito")
    assert [page.input_value(one) for one in ("#f-name", "#f-limit", "#f-severity")] == ["Motor caliente", "80", "high"]
    page.goto(f"{web.url}/es/console/rules/new/")
    expect(page.locator("#f-name")).to_have_value("")
    web.beside("member", "bob", "maintainer")
    page.evaluate("draft => { sessionStorage.draft = draft }", draft)
    back("bob")
    expect(page.locator("#f-name")).to_have_value("")
    assert page.evaluate("sessionStorage.draft") is None
    assert alice.errors == []


def test_the_fields_of_a_period_are_in_the_zone_of_the_page_and_the_address_says_which(come: Come, web: Web):
    alice = come("alice", "viewer", "/es/console/delivery/rover-2/")
    page = alice.page
    expect(page.locator("[data-zone-name]")).to_have_text("America/Bogota")
    now = datetime.now(ZoneInfo("America/Bogota"))
    written = datetime.fromisoformat(page.input_value("#until")).replace(tzinfo=now.tzinfo)
    assert abs((written - now).total_seconds()) < 600
    page.locator("[data-zone-switch]").click()
    expect(page.locator("[data-zone-name]")).to_have_text("UTC")
    page.locator("[data-zone-switch]").click()
    expect(page.locator("[data-zone-name]")).to_have_text("America/Bogota")
    page.fill("#since", f"{now:%Y-%m-%d}T00:00")
    page.locator("[data-zone-switch]").click()
    # What somebody wrote stays in the zone in which they wrote it.
    expect(page.locator("[data-zone-name]")).to_have_text("America/Bogota")
    page.locator(".filters button").click()
    page.wait_for_url(re.compile("zone=America%2FBogota"))
    assert alice.errors == []


def test_why_a_robot_was_not_revoked_is_in_sight(come: Come, web: Web):
    alice = come("alice", "owner", "/es/console/robots/rover-1/#credenciales", width=390, height=844)
    alice.page.fill("#revoke-id", "rover-9")
    alice.page.locator("#credenciales button.danger").click()
    expect(alice.page.locator(".messages")).to_contain_text("Para revocar rover-1 escribe su identificador")
    expect(alice.page.locator(".messages")).to_be_in_viewport(ratio=1)
    assert alice.errors == []


def test_a_browser_is_added_with_one_press_and_shows_what_its_push_service_brings(come: Come, web: Web):
    bob = come("bob", "viewer", "/healthz", width=390, height=844)
    page = bob.page
    page.context.grant_permissions(["notifications"])
    page.add_init_script(_PUSH_SERVICE)
    tools, found = page.context.new_cdp_session(page), []
    tools.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    tools.send("ServiceWorker.enable")
    page.goto(f"{web.url}/en/console/rules/mine/browsers/")
    page.locator("[data-push-state=can]").click()
    expect(page.locator(".browsers")).to_contain_text("Linux")
    expect(page.locator("main h1")).to_have_text("What your browsers tell you")
    expect(page.locator("#f-time_zone")).to_have_value("America/Bogota")
    assert bob.sideways() == 0
    page.reload()
    expect(page.locator("[data-push-state=can]")).to_be_visible()
    assert page.evaluate("window.watched.shift") == 0
    said = {"title": "High · rover-1", "body": "Motor 92 °C", "tag": "alarm-1", "address": "/console/alerts/1/", "language": "en"}
    message = {"origin": web.url, "registrationId": found[-1]["registrationId"], "data": json.dumps(said)}
    tools.send("ServiceWorker.deliverPushMessage", message)
    page.wait_for_function(
        """async () => {
          const all = await navigator.serviceWorker.getRegistrations();
          const shown = (await Promise.all(all.map((one) => one.getNotifications()))).flat();
          return shown.some((one) => one.title === "High · rover-1" && one.data.address === "/console/alerts/1/");
        }"""
    )
    page.locator(".browsers button").click()
    expect(page.locator("main")).to_contain_text("None yet")
    assert bob.errors == []
    assert bob.strangers == []
