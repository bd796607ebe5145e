"""Second factors and sessions. Codes are made by an implementation of RFC 6238 of the tests' own, held to the RFC's vectors."""

import base64
import hmac
import re
import struct
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from croody.accounts import user_agents
from croody.accounts.models import SignIn
from croody.audit.models import Entry

pytestmark = pytest.mark.django_db(databases="__all__")
LOG_IN = {"username": "alice", "password": "alice-likes-robots"}


def totp(secret: bytes, at_s: float, *, digits: int = 6) -> str:
    """RFC 6238 with SHA-1 and steps of 30 s; RFC 4226 for the truncation."""
    digest = hmac.new(secret, struct.pack(">Q", int(at_s) // 30), "sha1").digest()
    offset = digest[-1] & 0xF
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


@pytest.mark.parametrize(
    ("at_s", "code"), [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")]
)
def test_the_tests_own_codes_are_the_rfcs(at_s: int, code: str):
    assert totp(b"12345678901234567890", at_s, digits=8) == code


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def alice(people: Any) -> Client:
    """Alice's browser, just signed in with her password."""
    client = Client()
    client.post("/cuenta/acceder/", LOG_IN)
    return client


def turn_on(client: Client) -> tuple[bytes, list[str]]:
    """Turn on the app: its secret, and the recovery codes that are shown then."""
    page = client.get("/cuenta/segundo-factor/aplicacion/").content.decode()
    found = re.search(r"<code>([A-Z2-7]{16,})</code>", page)
    assert found is not None
    secret = base64.b32decode(found[1] + "=" * (-len(found[1]) % 8))
    answer = client.post("/cuenta/segundo-factor/aplicacion/", {"code": totp(secret, time.time() - 30)})
    assert answer.headers["Location"] == "/cuenta/segundo-factor/codigos/"
    codes = re.findall(r"\b\d{8}\b", client.get("/cuenta/segundo-factor/codigos/").content.decode())
    return secret, codes


def half_way() -> Client:
    """A browser that has shown Alice's password and nothing else."""
    client = Client()
    assert client.post("/cuenta/acceder/", LOG_IN).headers["Location"] == "/cuenta/segundo-factor/entrar/"
    assert not signed_in(client)
    return client


def test_with_an_app_the_password_alone_opens_nothing_and_the_code_does(alice: Client):
    secret, _codes = turn_on(alice)
    client = half_way()
    assert client.get("/console/").headers["Location"].startswith("/cuenta/acceder/")
    wrong = client.post("/cuenta/segundo-factor/entrar/", {"code": "000000"})
    assert "Ese código no es." in wrong.content.decode()
    client.post("/cuenta/segundo-factor/entrar/", {"code": totp(secret, time.time())})
    assert signed_in(client)


def test_a_code_that_was_used_is_not_taken_again(alice: Client):
    secret, _codes = turn_on(alice)
    code = totp(secret, time.time())
    first, second = half_way(), half_way()
    first.post("/cuenta/segundo-factor/entrar/", {"code": code})
    second.post("/cuenta/segundo-factor/entrar/", {"code": code})
    assert (signed_in(first), signed_in(second)) == (True, False)


def test_codes_are_not_guessed(alice: Client):
    secret, _codes = turn_on(alice)
    client = half_way()
    for _ in range(5):
        client.post("/cuenta/segundo-factor/entrar/", {"code": "000000"})
    said = client.post("/cuenta/segundo-factor/entrar/", {"code": totp(secret, time.time())}).content.decode()
    assert "Demasiados intentos seguidos" in said
    assert not signed_in(client)


def test_a_recovery_code_opens_once_and_the_codes_are_shown_once(alice: Client):
    _secret, codes = turn_on(alice)
    assert len(codes) == len(set(codes)) == 10
    assert not set(codes) & set(re.findall(r"\b\d{8}\b", alice.get("/cuenta/segundo-factor/codigos/").content.decode()))
    first, second = half_way(), half_way()
    first.post("/cuenta/segundo-factor/entrar/", {"code": codes[0]})
    second.post("/cuenta/segundo-factor/entrar/", {"code": codes[0]})
    assert (signed_in(first), signed_in(second)) == (True, False)
    assert "Quedan 9 de 10." in first.get("/cuenta/segundo-factor/codigos/").content.decode()


def test_a_copy_of_the_database_makes_no_code(alice: Client, settings: Any):
    secret, codes = turn_on(alice)
    kept = str(list(Authenticator.objects.values()))
    assert base64.b32encode(secret).decode().rstrip("=") not in kept
    assert not any(code in kept for code in codes)
    settings.SECRET_KEY = "another-site-key-of-fifty-characters-or-more-000000"
    for code in (totp(secret, time.time()), codes[0], totp(b"", time.time())):
        client = Client()
        client.post("/cuenta/acceder/", LOG_IN)
        client.post("/cuenta/segundo-factor/entrar/", {"code": code})
        assert not signed_in(client)


def test_a_new_password_by_mail_does_not_go_around_the_second_factor(alice: Client, people: Any, mailoutbox: Any, settings: Any):
    from dataclasses import replace

    from allauth.account.models import EmailAddress

    settings.ENV = replace(settings.ENV, demo=True)
    turn_on(alice)
    EmailAddress.objects.create(user=people.alice, email="alice@example.org", primary=True, verified=True)
    client = Client()
    client.post("/cuenta/contrasena/olvidada/", {"email": "alice@example.org"})
    found = re.search(r"http://testserver(/cuenta/contrasena/nueva/\S+)", mailoutbox[-1].body)
    assert found is not None
    form = client.get(found[1]).headers["Location"]
    client.post(form, {"password1": "alice-likes-rain-too", "password2": "alice-likes-rain-too"})
    assert not signed_in(client)
    again = client.post("/cuenta/acceder/", {**LOG_IN, "password": "alice-likes-rain-too"})
    assert again.headers["Location"] == "/cuenta/segundo-factor/entrar/"


def test_the_admin_site_does_not_go_around_the_second_factor(alice: Client, people: Any):
    User.objects.filter(pk=people.alice.pk).update(is_staff=True, is_superuser=True)
    turn_on(alice)
    client = Client()
    client.post("/admin/login/", {"username": "alice", "password": LOG_IN["password"], "next": "/admin/"})
    assert client.get("/admin/").status_code == 302


def test_turning_it_off_asks_who_one_is_and_a_stolen_session_cannot(alice: Client, people: Any):
    secret, _codes = turn_on(alice)
    thief = Client()
    thief.force_login(people.alice)
    for path in ("aplicacion/quitar/", "codigos/nuevos/"):
        assert thief.post(f"/cuenta/segundo-factor/{path}").headers["Location"].startswith("/cuenta/otra-vez/")
    assert Authenticator.objects.count() == 2
    assert alice.post("/cuenta/segundo-factor/aplicacion/quitar/").headers["Location"] == "/cuenta/segundo-factor/"
    assert Authenticator.objects.count() == 0, "the recovery codes go with the last factor"
    assert secret


def test_an_organisation_that_asks_for_a_second_factor_is_not_there_for_who_has_none(alice: Client, people: Any):
    from croody.accounts.caller import of_user

    people.organisation.asks_second_factor = True
    people.organisation.save()
    assert of_user(people.alice).roles == ()
    said = alice.get("/console/").content.decode()
    assert "pide un segundo factor" in said
    assert 'href="/cuenta/segundo-factor/"' in said
    turn_on(alice)
    assert dict(of_user(people.alice).roles) == {people.organisation.pk: "owner"}
    assert of_user(people.bob).roles == ()


def test_who_lost_everything_is_let_in_by_whoever_runs_the_server_and_the_log_says_so(alice: Client, people: Any):
    from io import StringIO

    from django.core.management import call_command

    turn_on(alice)
    out = StringIO()
    call_command("login-link", "--user", "alice", "--forget-second-factor", stdout=out)
    assert not Authenticator.objects.exists()
    client = Client()
    client.post("/cuenta/entrar/" + out.getvalue().strip().rstrip("/").rpartition("/")[2] + "/")
    assert signed_in(client)
    assert Entry.objects.filter(verb="forget", thing="second_factor", kind="command").exists()


# Sessions


def test_sessions_are_listed_and_one_is_ended_from_another(people: Any):
    here, there = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}), Client()
    for client in (here, there):
        client.post("/cuenta/acceder/", LOG_IN)
    page = here.get("/cuenta/sesiones/").content.decode()
    assert "Tu cuenta está abierta en 2 aparatos" in page
    assert "Firefox, Linux" in page
    other = SignIn.objects.get(agent="")
    here.post("/cuenta/sesiones/", {"session": other.pk})
    assert there.get("/cuenta/perfil/").status_code == 302
    assert here.get("/cuenta/perfil/").status_code == 200
    assert Entry.objects.filter(verb="end", thing="session", name="alice").exists()


def test_all_others_are_ended_at_once_and_this_one_stays(people: Any):
    clients = [Client() for _ in range(3)]
    for client in clients:
        client.post("/cuenta/acceder/", LOG_IN)
    clients[0].post("/cuenta/sesiones/", {"session": "others"})
    assert [client.get("/cuenta/perfil/").status_code for client in clients] == [200, 302, 302]
    assert Session.objects.count() == SignIn.objects.count() == 1


def test_nobody_ends_somebody_elses_session(people: Any):
    alice, bob = Client(), Client()
    alice.post("/cuenta/acceder/", LOG_IN)
    bob.post("/cuenta/acceder/", {"username": "bob", "password": "bob-likes-robots"})
    bob.post("/cuenta/sesiones/", {"session": SignIn.objects.get(user=people.alice).pk})
    bob.post("/cuenta/sesiones/", {"session": "others"})
    assert alice.get("/cuenta/perfil/").status_code == 200


def test_a_session_that_ended_is_not_listed(people: Any):
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/cuenta/acceder/", LOG_IN)
    there.post("/cuenta/salir/")
    assert "abierta en 1 aparato<" in here.get("/cuenta/sesiones/").content.decode()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("curl/8.5", "curl/8.5"),
        ("", "?"),
    ],
)
def test_a_browser_is_said_in_a_few_words(agent: str, words: str):
    assert user_agents.words(agent) == words


@pytest.mark.parametrize(
    "said",
    [
        "9" * 5000,
        "[" * 100_000,
        "null",
        "[]",
        '"\\ud800"',
        '{"id":"a"}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA"}}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","attestationObject":"oA"}}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"W10","attestationObject":"n5-fn5-f","userHandle":{}}}',
    ],
)
def test_what_is_no_passkeys_answer_is_refused_as_a_wrong_key_is(alice: Client, said: str):
    assert Client().post("/cuenta/llaves/entrar/", {"credential": said}).status_code in (302, 429)
    answer = alice.post("/cuenta/llaves/agregar/", {"name": "one", "credential": said})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


def test_a_session_of_a_number_that_is_none_is_nobodys(alice: Client):
    for asked in ("9" * 5000, "9" * 18, "٣", "²", "-1"):
        assert alice.post("/cuenta/sesiones/", {"session": asked}).status_code == 302
    assert signed_in(alice)
