"""A robot is added in the console, its lines are typed as they stand, and its first reading is seen on the page that waits for it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tools.stack import ROOT, Options, Ports, Stack, script

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    options = Options(state=tmp_path_factory.mktemp("stack"), ports=Ports.free(), robots=0, host=False, replay=False)
    with Stack(options) as stack:
        stack.prepare()
        stack.start("broker", "telemetry", "bridge", "worker", "web")
        yield stack


def typed(lines: str, folder: Path) -> None:
    """What a person would do with the lines of the page, in a folder of a clone: for a few seconds."""
    venv = folder / ".venv" / "bin"
    venv.mkdir(parents=True)
    for name in ("croody-sim",):
        (venv / name).symlink_to(script(name))
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "") or f"{ROOT}/contract:{ROOT}/edge_agent"}
    text = lines.replace("croody-sim --no-tcp", "croody-sim --no-tcp --duration 6")
    subprocess.run(["bash", "-ec", text], cwd=folder, env=environment, check=False, timeout=60, capture_output=True)


def test_a_robot_is_added_and_its_first_reading_seen(stack: Stack, browser: Browser, tmp_path: Path):
    context = browser.new_context(locale="es-ES")
    page = context.new_page()
    page.goto(stack.login_link)
    page.click("main form button")
    page.goto(f"{stack.web_url}/es/console/robots/new/")
    page.fill("#id_robot_id", "probador-1")
    page.check("input[name=way][value=simulator]")
    page.click("main form button.primary")
    expect(page.locator("h1")).to_have_text("probador-1 espera su primera lectura")
    secret = page.locator("#secret").inner_text()

    # The secret works at the broker within a second, and these lines take longer than that to begin.
    page.wait_for_timeout(1500)
    typed(page.locator("#lines-simulator").inner_text(), tmp_path)

    expect(page.locator("h1")).to_have_text("probador-1 ya envía lecturas", timeout=15_000)
    expect(page.locator(".ticks .done")).to_have_count(3)
    # The part that waits was drawn again; what was to be copied is still there.
    assert page.locator("#secret").inner_text() == secret
    context.close()


def test_a_board_enrols_by_the_claim_of_the_page_and_no_secret_is_ever_shown(stack: Stack, browser: Browser, tmp_path: Path):
    context = browser.new_context(locale="es-ES")
    page = context.new_page()
    page.goto(stack.manage("login-link", "--base", stack.web_url).strip())
    page.click("main form button")
    page.goto(f"{stack.web_url}/es/console/robots/new/")
    page.fill("#id_robot_id", "placa-1")
    page.check("input[name=way][value=python]")
    page.click("main form button.primary")
    expect(page.locator(".qr-box svg")).to_be_visible()
    expect(page.locator("#secret")).to_have_count(0)
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "") or f"{ROOT}/contract:{ROOT}/edge_agent"}
    command = [script("croody-edge"), "enrol", page.locator("#claim").inner_text(), "--dir", str(tmp_path / "edge")]
    board = subprocess.Popen(command, env=environment | {"CROODY_SOURCE": "host", "CROODY_SCREEN": "0"}, stderr=subprocess.DEVNULL)
    try:
        expect(page.locator("h1")).to_have_text("placa-1 ya envía lecturas", timeout=40_000)
        expect(page.locator(".ticks .done")).to_have_count(4)
    finally:
        board.kill()
        board.wait()
    context.close()
