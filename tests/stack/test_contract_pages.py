"""The pages that people know, through the gateway over TLS: their addresses in both languages, who is let in, and the personal token."""

import re
from collections.abc import Iterator

import pytest

from tests.stack.person import Person
from tests.stack.site import ROBOT, Site

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(("prefix", "language"), [("", "es"), ("/es", "es"), ("/en", "en")])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/estado/", 200),
        ("/robots/monitor/", 200),
        ("/cuenta/acceder/", 200),
        ("/cuenta/registro/", 200),
        ("/nada/", 404),
    ],
)
def test_a_page_has_an_address_in_each_language_and_one_without(site: Site, path: str, status: int, prefix: str, language: str) -> None:
    page = site.system.get(prefix + path, Accept_Language="es-CO,es")

    assert page.status == status
    assert page.headers["content-language"] == language
    assert re.search(rf'<html[^>]*lang="{language}', page.text)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/admin/", "/admin/login/?next=/admin/"),
        ("/cuenta/perfil/", "/cuenta/acceder/?next=/cuenta/perfil/"),
        ("/en/cuenta/perfil/", "/en/cuenta/acceder/?next=/en/cuenta/perfil/"),
        ("/en/robots/monitor", "/en/robots/monitor/"),
    ],
)
def test_a_stranger_is_led_to_the_door(site: Site, path: str, leads_to: str) -> None:
    page = site.system.get(path)

    assert (page.status, page.headers["location"]) == (302 if "next" in leads_to else 301, leads_to)


@pytest.fixture
def name(site: Site) -> Iterator[str]:
    """Of an account that is gone afterwards: the plain `login-link` wants a system with one."""
    yield "dora"
    site.system.croody("shell", "-c", "from django.contrib.auth.models import User; User.objects.filter(username='dora').delete()")


def test_a_person_registers_logs_in_and_has_a_personal_token_that_can_be_made_anew(site: Site, name: str) -> None:
    visitor = Person(site.system)
    password = "dora-measures-rain"
    registered = visitor.send("/cuenta/registro/", username=name, password=password, email="dora@example.org")
    assert (registered.status, registered.headers["location"]) == (302, "/cuenta/confirmar/")

    dora = Person(site.system)
    assert dora.send("/cuenta/acceder/", username=name, password=password).headers["location"] == "/cuenta/confirmar/"
    assert dora.get("/cuenta/perfil/").status == 302
    # The link of the mail does it; that has tests with a real mail server.
    confirmed = "from allauth.account.models import EmailAddress as E; print(E.objects.filter(user__username='dora').update(verified=True))"
    assert site.system.croody("shell", "-c", confirmed).split()[-1] == "1"
    assert dora.send("/cuenta/acceder/", username=name, password="wrong").status == 200
    assert dora.get("/cuenta/perfil/").status == 302
    assert dora.send("/cuenta/acceder/", username=name, password=password).status == 302
    assert f"<h1>{name}</h1>" in dora.get("/cuenta/perfil/").text

    def fresh() -> str:
        return re.findall(r'id="fresh-token">([^<]+)<', dora.send("/cuenta/perfil/", "/cuenta/perfil/clave/").text)[0]

    reading = {"robot_id": ROBOT, "data": {"TEMP": 7.0}}
    first = fresh()
    assert site.ask("POST", "/api/ids/predict", {"rows": [{}]}, first).status == 200
    # Her token is hers: she may see this robot, and does not work with it.
    assert site.ask("POST", "/api/telemetry/ingest", reading, first).status == 403
    site.system.croody("member", "add", name, "--role", "operator")
    assert site.ask("POST", "/api/telemetry/ingest", reading, first).status == 201
    second = fresh()
    assert site.ask("POST", "/api/telemetry/ingest", reading, first).status == 401
    assert site.ask("POST", "/api/telemetry/ingest", reading, second).status == 201


def test_an_administrator_comes_in_by_the_printed_link(site: Site, name: str) -> None:
    dora = Person(site.system)
    link = site.system.croody("login-link", "--user", name, "--create", "--superuser").strip()
    entered = dora.send("/" + link.split("/", 3)[3])

    assert (entered.status, entered.headers["location"]) == (302, "/console/")
    assert dora.get("/admin/").status == 200
    assert dora.get("/en/admin/auth/user/").status == 200
