"""The pages of a running `make up` in headless Chromium: robots move, the printed login works, a lost role heals."""

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack_up.system import System

pytestmark = [pytest.mark.stack, pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("pages") / "croody")
    running.up()
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="es-CO")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: complaints.append(request.url) if "127.0.0.1" not in request.url and "data:" not in request.url else None
    )
    yield page
    page.close()
    # A role that was killed on purpose is allowed to be missed.
    assert [text for text in complaints if "ERR_CONNECTION_REFUSED" not in text and "ERR_INCOMPLETE_CHUNKED" not in text] == []


def places(page: Page) -> dict[str, str]:
    """Robot -> where it is drawn on the plan."""
    marks = page.locator("g.bot[data-robot]").all()
    return {mark.get_attribute("data-robot") or "": mark.get_attribute("transform") or "" for mark in marks}


def wait_for_movement(page: Page, robots: set[str], within_s: float) -> None:
    first, left, deadline = places(page), set(robots), time.monotonic() + within_s
    while left:
        assert time.monotonic() < deadline, f"on the plan these do not move: {left}"
        page.wait_for_timeout(500)
        now = places(page)
        left -= {robot for robot in left if robot in now and robot in first and now[robot] != first[robot]}
        first = {**now, **first}


def test_the_monitor_shows_five_robots_and_three_of_them_move(system: System, page: Page) -> None:
    page.goto(f"{system.web_url}/robots/monitor/")
    rows = page.locator("tr[data-robot]")
    expect(rows).to_have_count(5, timeout=20_000)
    assert {"robot-clases", "amr-02", "amr-03", "replay-ur3"} < {row.get_attribute("data-robot") for row in rows.all()}
    wait_for_movement(page, {"robot-clases", "amr-02", "amr-03"}, 90)
    assert "Robots en vivo" in page.inner_text("body")


def test_the_monitor_speaks_english_too(system: System, page: Page) -> None:
    page.goto(f"{system.web_url}/en/robots/monitor/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "robots online" in page.inner_text("h1")


def test_the_printed_login_works_once(system: System, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        answer = page.goto(system.login_link)
        assert answer is not None
        assert answer.ok
        if page.locator("form button[type=submit]").count() and "/entrar/" in page.url:
            page.locator("main form button[type=submit]").click()
        page.goto(f"{system.web_url}/cuenta/perfil/")
        assert page.url.endswith("/cuenta/perfil/")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(system.login_link)
        page.goto(f"{system.web_url}/cuenta/perfil/")
        assert "/cuenta/acceder/" in page.url


def test_forty_wrong_passwords_are_an_incident_in_the_console_that_names_who(system: System, browser: Browser) -> None:
    link = system.croody("login-link", "--base", system.web_url).strip()
    with browser.new_context(locale="es-CO") as context:
        page = context.new_page()
        page.goto(link)
        page.click("main form button")
        page.wait_for_url("**/console/**")
        page.goto(f"{system.web_url}/console/detection/")
        expect(page.locator("h1")).not_to_contain_text("intrusi")
        for number in range(40):
            guess(system.ports.mqtt, "robot-clases", f"password-{number}")
        told = time.monotonic()
        while "intrusi" not in page.inner_text("h1"):
            assert time.monotonic() - told < 30, page.inner_text("main")
            page.wait_for_timeout(250)
            page.reload()
        print(f"seen {time.monotonic() - told:.1f} s after the last of them")
        incident = page.locator("ul.anomalies li", has_text="secretos").first
        expect(incident).to_contain_text("127.0.0.1 probó 40 secretos distintos")
        expect(incident).to_contain_text("robot-clases")
        incident.locator("a").click()
        expect(page.locator("main")).to_contain_text("T1110.001")


def guess(port: int, account: str, secret: str) -> None:
    """Knock once with a wrong secret, and wait for the answer."""
    name, password = account.encode(), secret.encode()
    body = b"\x00\x04MQTT\x04\xc2\x00\x3c" + b"".join(len(part).to_bytes(2, "big") + part for part in (name, name, password))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"\x10" + bytes([len(body)]) + body)
        assert connection.recv(4) == b"\x20\x02\x00\x05"


def test_the_monitor_heals_when_the_web_role_was_killed(system: System, page: Page) -> None:
    page.goto(f"{system.web_url}/robots/monitor/")
    expect(page.locator("g.bot[data-robot]")).to_have_count(3, timeout=20_000)
    pid = system.pid("web")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    page.wait_for_timeout(1000)
    wait_for_movement(page, {"amr-02"}, 90)
