"""People in a browser: signing up with an address, a passkey by Chromium's virtual authenticator, inviting somebody."""

import re
from collections.abc import Iterator

import pytest

from tests.cloud.web.server import Web
from tests.e2e.conftest import Open, Watched
from tools.stack import Ports

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A demo that is reached by a name: passkeys are for names, not for numbers."""
    folder = tmp_path_factory.mktemp("people")
    environ = {
        "DATABASE_URL": f"sqlite:///{folder / 'croody.db'}",
        "TG_DB_PATH": str(folder / "telemetry.db"),
        "CROODY_DEMO": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    server = Web(folder, Ports.free().web, environ)
    yield server
    server.end()


@pytest.fixture
def home(site: Web) -> str:
    return site.url.replace("127.0.0.1", "localhost")


def sign_up(visit: Open, home: str, name: str) -> Watched:
    """A new account, confirmed by the mail that the demo shows."""
    watched = visit("/cuenta/registro/", home=home)
    page = watched.page
    page.fill("#id_username", name)
    page.fill("#id_email", f"{name}@example.org")
    page.fill("#id_password", f"{name}-measures-rain")
    page.click("main button.primary")
    page.click("main a[href='/cuenta/buzon/']")
    page.click(".mail a[href*='/cuenta/confirmar/']")
    page.click("main button.primary")
    page.wait_for_url("**/cuenta/perfil/")
    return watched


def test_who_signs_up_confirms_by_the_demos_mailbox_and_comes_back_with_a_passkey_alone(visit: Open, home: str):
    watched = sign_up(visit, home, "dora")
    page = watched.page
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    options["automaticPresenceSimulation"] = True
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.click("a[href='/cuenta/segundo-factor/']")
    page.click("main a[href='/cuenta/llaves/agregar/']")
    if "/otra-vez/" in page.url:
        page.fill("input[type=password]", "dora-measures-rain")
        page.click("main button.primary")
    page.fill("#name", "Mi portátil")
    page.click("main button.primary")
    page.wait_for_url("**/cuenta/segundo-factor/codigos/")
    assert len(re.findall(r"\b\d{8}\b", page.inner_text("#codes"))) == 10
    page.goto(home + "/cuenta/llaves/")
    assert "Mi portátil" in page.inner_text("table")
    page.click(".site-header form button:has-text('Salir')")
    page.goto(home + "/cuenta/acceder/")
    page.click("text=Entrar con una llave de acceso")
    page.wait_for_url("**/robots/monitor/")
    assert "dora" in page.inner_text(".site-header")
    assert watched.complaints() == []


def test_a_browser_without_a_passkey_says_so_where_the_button_is(visit: Open, home: str):
    watched = visit("/cuenta/acceder/", home=home)
    page = watched.page
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.click("text=Entrar con una llave de acceso")
    page.wait_for_selector("[data-passkey-failed]:not([hidden])")


def test_an_owner_invites_by_a_link_and_the_invited_see_the_fleet(visit: Open, site: Web, home: str):
    site.beside("member", "alice", "owner")
    owner = visit(site.login_link("alice"), home=home).page
    owner.click("main button.primary")
    owner.goto(home + "/console/access/")
    owner.select_option("#invite-role", "operator")
    owner.click("#invite button.primary")
    link = owner.inner_text("#fresh-link")
    guest = sign_up(visit, home, "erik").page
    guest.goto(link)
    guest.click("main button.primary")
    guest.wait_for_url("**/console/")
    guest.goto(home + "/console/access/")
    assert "erik" in guest.inner_text("table.people")
    assert guest.query_selector("#invite") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_of_people_fit_and_ask_nobody_else(visit: Open, site: Web, home: str, width: int, scheme: str):
    site.beside("member", "alice", "owner")
    watched = visit(site.login_link("alice"), home=home, width=width, scheme=scheme)
    watched.page.click("main button.primary")
    for path in ("/cuenta/perfil/", "/cuenta/correo/", "/cuenta/segundo-factor/", "/cuenta/segundo-factor/aplicacion/",
                 "/cuenta/llaves/agregar/", "/cuenta/sesiones/", "/cuenta/preferencias/",
                 "/cuenta/buzon/", "/console/access/"):  # fmt: skip
        for language in ("es", "en"):
            watched.page.goto(f"{home}/{language}{path}")
            watched.page.wait_for_timeout(200)
            assert watched.sideways() <= 0, (path, language)
            # The console's clocks are its frame's, and move by less than a pixel.
            found = [one for one in watched.complaints() if not (path.startswith("/console/") and "layout shift" in str(one))]
            assert found == [], (path, language)
