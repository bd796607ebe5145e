"""How people get in, and the key their programs use."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from ipaddress import ip_network

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.module_loading import import_string

from croody.accounts import services, throttle
from croody.accounts.models import OneTimeLogin, Registering, Token

pytestmark = pytest.mark.django_db(databases="__all__")


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# One-time logins


def test_looking_at_a_one_time_login_does_not_use_it_up(client, people):
    path = services.make_login_link(people.alice)
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert "Este enlace sirve una sola vez" in page.content.decode()
    assert not signed_in(client)
    assert client.post(path).headers["Location"] == "/console/"
    assert signed_in(client)


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_who_has_robots_to_look_after_comes_in_at_the_console_and_others_at_what_everybody_sees(people, prefix):
    for name, address in (("alice", "/console/"), ("bob", "/console/"), ("carlos", "/robots/monitor/")):
        form = {"username": name, "password": f"{name}-likes-robots"}
        assert Client().post(f"{prefix}/cuenta/acceder/", form).headers["Location"] == prefix + address
        path = services.make_login_link(getattr(people, name))
        assert Client().post(prefix + path).headers["Location"] == prefix + address
    people.carlos.is_superuser = True
    people.carlos.save()
    assert Client().post(services.make_login_link(people.carlos)).headers["Location"] == "/console/"


def test_who_has_to_add_a_second_factor_first_is_told_so_where_they_come_in(people):
    people.organisation.asks_second_factor = True
    people.organisation.save()
    client = Client()
    client.post(services.make_login_link(people.alice))
    page = client.get("/console/").content.decode()
    assert "Tu organización pide un segundo factor" in page
    assert Client().post(services.make_login_link(people.alice)).headers["Location"] == "/console/"


def test_a_one_time_login_works_once(client, people):
    path = services.make_login_link(people.alice)
    client.post(path)
    other = Client()
    assert other.get(path).status_code == 410
    assert other.post(path).status_code == 410
    assert not signed_in(other)


def test_a_one_time_login_is_too_old_after_its_hour(people):
    now = timezone.now()
    token = services.make_login_link(people.alice, now=now).split("/")[-2]
    assert services.login_waits(token, now=now + timedelta(minutes=59))
    assert not services.login_waits(token, now=now + timedelta(minutes=61))
    assert services.use_login(token, now=now + timedelta(minutes=61)) is None


def test_a_one_time_login_of_somebody_who_was_disabled_opens_nothing(client, people):
    path = services.make_login_link(people.alice)
    User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert client.post(path).status_code == 410


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_who_use_a_one_time_login_at_once_one_gets_in():
    token = services.make_login_link(User.objects.create_user("alice")).split("/")[-2]

    def use(_: int) -> bool:
        try:
            return services.use_login(token) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_the_database_holds_no_login_and_no_token_that_could_be_used(people):
    link = services.make_login_link(people.alice).split("/")[-2]
    token = services.reset_token(people.alice)
    for row in (*OneTimeLogin.objects.values(), *Token.objects.values()):
        assert link not in str(row)
        assert token not in str(row)


# Passwords


def test_passwords_are_kept_with_argon2id():
    from croody.settings import PASSWORD_HASHERS

    kept = import_string(PASSWORD_HASHERS[0])()
    assert kept.encode("a-password", "a-salt-of-sixteen").startswith("argon2$argon2id$")
    assert kept.memory_cost >= 19 * 1024


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client, people):
    def refused(name: str) -> str:
        answer = client.post("/cuenta/acceder/", {"username": name, "password": "not-the-password"})
        assert answer.status_code == 200
        return re.sub(r'value="[^"]*"', "", answer.content.decode())

    assert refused("alice") == refused("nobody")


def test_login_is_throttled_and_does_not_tell_who_exists(client, people):
    def tries(name: str) -> list[int]:
        answers = [client.post("/cuenta/acceder/", {"username": name, "password": "wrong-password"}) for _ in range(11)]
        return [answer.status_code for answer in answers]

    known, unknown = tries("alice"), tries("nobody")
    assert known == unknown
    assert known[:9] == [200] * 9
    assert known[-1] == 429
    right = client.post("/cuenta/acceder/", {"username": "alice", "password": "alice-likes-robots"})
    assert right.status_code == 429, "the right password opens nothing while locked, or guessing would go on"
    assert "Espera 15 minutos" in right.content.decode()
    assert client.post("/cuenta/acceder/", {"username": "bob", "password": "bob-likes-robots"}).status_code == 302


def test_the_admin_site_has_no_door_of_its_own(client, people):
    root = User.objects.create_superuser("root-user", password="root-likes-robots")
    for ask in (client.get, client.post):
        answer = ask("/admin/login/?next=/admin/auth/user/")
        assert answer.headers["Location"] == "/cuenta/acceder/?next=%2Fadmin%2Fauth%2Fuser%2F"
    assert not signed_in(client)
    elsewhere = client.get("/admin/login/?next=https://example.org/")
    assert elsewhere.headers["Location"] == "/cuenta/acceder/?next=%2Fadmin%2F"
    client.force_login(root)
    assert client.get("/admin/login/?next=/admin/auth/user/").headers["Location"] == "/admin/auth/user/"


def form_of(number: int) -> dict[str, str]:
    return {"username": f"visitor-{number}", "password": "visitors-like-robots"}


def test_making_accounts_is_throttled_by_address_and_says_so(client, people):
    codes = []
    for number in range(throttle.MOST + 1):
        # Half are refused for their name: asking for names costs a try as well.
        form = form_of(number) if number % 2 else {**form_of(number), "username": "alice"}
        codes.append(Client(REMOTE_ADDR="192.0.2.7").post("/cuenta/registro/", form))
    assert {answer.status_code for answer in codes[:-1]} == {302, 422}
    assert (codes[-1].status_code, codes[-1]["Retry-After"]) == (429, "900")
    assert "Espera 15 minutos" in codes[-1].content.decode()
    assert not User.objects.filter(username=f"visitor-{throttle.MOST}").exists()
    assert Client(REMOTE_ADDR="192.0.2.7").get("/cuenta/registro/").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.8").post("/cuenta/registro/", form_of(99)).status_code == 302


def test_tries_are_forgotten_when_they_count_no_more(db):
    now = timezone.now()
    for _ in range(throttle.MOST):
        assert throttle.may_register("192.0.2.7", now=now)
    assert not throttle.may_register("192.0.2.7", now=now + throttle.WITHIN - timedelta(seconds=1))
    assert throttle.may_register("192.0.2.7", now=now + throttle.WITHIN)
    assert Registering.objects.count() == 1


@pytest.mark.parametrize(
    ("remote", "said", "address"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("172.20.0.9", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "203.0.113.5", "127.0.0.1"),
        ("8.8.8.8", "203.0.113.5", "8.8.8.8"),
        ("172.20.0.9", "made up, 198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("172.20.0.9", "198.51.100.1, 203.0.113.5, 172.20.0.8", "203.0.113.5"),
        ("172.20.0.9", "172.20.0.8", "172.20.0.8"),
        ("172.20.0.9", "nonsense", "172.20.0.9"),
        ("172.20.0.9", "nonsense, 172.20.0.8", "172.20.0.8"),
        ("172.20.0.9", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("::ffff:172.20.0.9", "203.0.113.5", "203.0.113.5"),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("", "", "0.0.0.0"),
    ],
)
def test_trusted_proxies_are_believed_about_addresses_and_nobody_else(settings, remote, said, address):
    settings.ENV = replace(settings.ENV, trusted_proxies=(ip_network("172.16.0.0/12"),))
    headers = {"X-Forwarded-For": said, "X-Real-IP": "198.51.100.9"} if said else {}
    assert throttle.address_of(RequestFactory().post("/cuenta/registro/", REMOTE_ADDR=remote, headers=headers)) == address


def test_without_a_trusted_proxy_another_address_in_every_try_does_not_get_past_the_throttle(client, people):
    def tries(number: int) -> int:
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
        return client.post("/cuenta/acceder/", {"username": "alice", "password": "wrong-password"}, headers=headers).status_code

    assert [tries(number) for number in range(11)][-1] == 429


def test_behind_the_gateway_nobody_locks_another_ones_login(client, people, settings):
    settings.ENV = replace(settings.ENV, trusted_proxies=(ip_network("172.16.0.0/12"),))

    def tries(address: str, password: str) -> int:
        gateway = Client(REMOTE_ADDR="172.20.0.9", headers={"X-Forwarded-For": address})
        return gateway.post("/cuenta/acceder/", {"username": "alice", "password": password}).status_code

    assert [tries("203.0.113.66", "wrong-password") for _ in range(11)][-1] == 429
    assert tries("203.0.113.5", "alice-likes-robots") == 302


def test_logging_in_goes_on_where_one_was_going_and_never_to_another_site(client, people):
    form = {"username": "alice", "password": "alice-likes-robots"}
    assert client.post("/en/cuenta/acceder/", {**form, "next": "/en/cuenta/perfil/"}).headers["Location"] == "/en/cuenta/perfil/"
    assert Client().post("/en/cuenta/acceder/", {**form, "next": "https://example.org/"}).headers["Location"] == "/en/console/"


def test_logging_out_needs_a_button(client, people):
    assert client.get("/en/cuenta/salir/").headers["Location"] == "/en/"
    client.force_login(people.alice)
    assert client.get("/cuenta/salir/").headers["Location"] == "/cuenta/perfil/"
    assert signed_in(client)
    assert client.post("/en/cuenta/salir/").headers["Location"] == "/en/"
    assert not signed_in(client)


def test_a_page_for_members_asks_to_sign_in_first(client):
    assert client.get("/en/cuenta/perfil/").headers["Location"] == "/en/cuenta/acceder/?next=/en/cuenta/perfil/"


# Registration


@pytest.mark.parametrize(("prefix", "said"), [("", "Aquí las cuentas no se crean solas"), ("/en", "Accounts here are made by hand")])
def test_where_registration_is_closed_nobody_makes_an_account_and_the_page_says_who_does(client, people, settings, prefix, said):
    assert "/cuenta/registro/" in client.get(f"{prefix}/cuenta/acceder/").content.decode()
    settings.ENV = replace(settings.ENV, registration=False)
    for answer in (client.get(f"{prefix}/cuenta/registro/"), client.post(f"{prefix}/cuenta/registro/", form_of(1))):
        assert answer.status_code == 403
        assert said in answer.content.decode()
    assert not User.objects.filter(username="visitor-1").exists()
    assert Registering.objects.count() == 0
    assert "/cuenta/registro/" not in client.get(f"{prefix}/cuenta/acceder/").content.decode()


def test_who_registers_is_in_and_sees_no_robot_that_is_not_shared(client, people):
    assert client.post("/cuenta/registro/", {"username": "dora", "password": "dora-measures-rain"}).headers["Location"] == "/cuenta/perfil/"
    assert signed_in(client)
    text = client.get("/robots/monitor/").content.decode()
    assert "rover-2" in text
    assert "rover-1" not in text


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [
        ("alice", "a-good-long-password", "El nombre alice ya está en uso"),
        ("ALICE", "a-good-long-password", "El nombre ALICE ya está en uso"),
        ("dora", "short", "Es corta: escribe 10 caracteres o más."),
        ("dora", "password123", "Es de las más usadas: elige otra."),
        ("dora", "7308116259", "Tiene solo números: agrega letras."),
        ("dora-rain-gauge", "dora-rain-gauge", "Se parece demasiado a tu nombre: elige otra."),
        ("dora smith", "a-good-long-password", "dora smith tiene otros caracteres: usa solo"),
        ("do", "a-good-long-password", "Son de 3 a 150 caracteres; escribiste 2."),
        ("d" * 151, "a-good-long-password", "Son de 3 a 150 caracteres; escribiste 151."),
    ],
)
def test_a_registration_that_breaks_a_rule_is_refused_with_the_rule(client, people, username, password, said):
    answer = client.post("/cuenta/registro/", {"username": username, "password": password})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert User.objects.count() == 3


# Profile


def test_the_personal_token_is_shown_once_and_works_until_the_next_one(client, people):
    client.force_login(people.alice)
    first = fresh_token(client.post("/cuenta/perfil/clave/"))
    assert owner_of(first) == people.alice
    assert first not in client.get("/cuenta/perfil/").content.decode()
    assert first[:12] in client.get("/cuenta/perfil/").content.decode()
    second = fresh_token(client.post("/cuenta/perfil/clave/"))
    assert services.token_of_secret(first) is None
    assert owner_of(second) == people.alice
    client.post("/cuenta/perfil/clave/revocar/")
    assert services.token_of_secret(second) is None


def test_a_token_is_made_for_what_was_ticked_and_at_least_for_something(client, people):
    client.force_login(people.alice)
    page = client.get("/cuenta/perfil/").content.decode().partition('id="tokens"')[0]
    assert page.count('name="scope"') == page.count(" checked>") == 4
    narrow = fresh_token(client.post("/cuenta/perfil/clave/", {"choose": "1", "scope": ["read"]}, follow=True))
    assert services.token_of_secret(narrow).scopes == ["read"]
    refused = client.post("/cuenta/perfil/clave/", {"choose": "1"})
    assert refused.status_code == 422
    assert "Marca al menos una" in refused.content.decode()
    assert client.post("/cuenta/perfil/clave/", {"choose": "1", "scope": ["admin"]}).status_code == 422
    assert services.token_of_secret(narrow) is not None, "the key before still works"
    whole = fresh_token(client.post("/cuenta/perfil/clave/"))
    assert services.token_of_secret(whole).scopes == ["act", "ingest", "manage", "read"]


CHOSEN = {"choose": "1", "scope": ["read"]}


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_fresh_token_is_there_in_every_language_and_when_its_page_is_loaded_again(client, people, language):
    client.force_login(people.alice)
    answer = client.post(f"/{language}/cuenta/perfil/clave/", CHOSEN)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{language}/cuenta/perfil/")
    secrets = {fresh_token(client.get(f"{prefix}/cuenta/perfil/")) for prefix in ("", "/es", "/en", "/es")}
    assert len(secrets) == 1
    assert owner_of(secrets.pop()) == people.alice


def test_a_fresh_token_is_in_its_owners_browser_alone_for_minutes_and_no_script_reads_it(client, people):
    client.force_login(people.alice)
    secret = fresh_token(client.post("/cuenta/perfil/clave/", CHOSEN, follow=True))
    kept = client.cookies["fresh" if "fresh" in client.cookies else "__Host-fresh"]
    assert (kept.value, kept["max-age"], kept["httponly"], kept["samesite"]) == (secret, 300, True, "Strict")
    elsewhere = Client()
    elsewhere.force_login(people.alice)
    assert secret not in elsewhere.get("/cuenta/perfil/").content.decode()
    # The next one at this machine has the cookie, and is somebody else.
    client.force_login(people.bob)
    assert secret not in client.get("/cuenta/perfil/").content.decode()
    client.post("/cuenta/salir/")
    assert kept.key not in {name for name, cookie in client.cookies.items() if cookie.value}


def test_reading_a_fresh_token_is_no_use_of_it_and_a_revoked_one_is_shown_no_longer(client, people):
    client.force_login(people.alice)
    secret = fresh_token(client.post("/cuenta/perfil/clave/", CHOSEN, follow=True))
    client.get("/cuenta/perfil/")
    assert Token.objects.get(user=people.alice).last_used_at is None
    services.revoke_token(people.alice)
    assert secret not in client.get("/cuenta/perfil/").content.decode()


def test_making_and_revoking_a_token_asks_first_without_a_script(client, people):
    client.force_login(people.alice)
    form = "/cuenta/perfil/clave/?choose=1&scope=read"
    first = client.get(form).content.decode()
    assert "¿Crear una clave?" in first
    assert 'name="scope" value="read"' in first
    assert 'value="act"' not in first
    assert services.token_of(people.alice) is None
    token = services.reset_token(people.alice)
    again, revoke = client.get(f"/en{form}").content.decode(), client.get("/es/cuenta/perfil/clave/revocar/").content.decode()
    assert "Make another key?" in again
    assert token[:12] in again
    assert "¿Revocar la clave?" in revoke
    assert token[:12] in revoke
    assert services.token_of_secret(token) is not None, "asking does nothing"
    client.post("/cuenta/perfil/clave/revocar/")
    assert client.get("/cuenta/perfil/clave/revocar/").headers["Location"] == "/cuenta/perfil/"
    assert client.get("/cuenta/perfil/clave/?choose=1").status_code == 422


def test_no_address_of_an_account_answers_a_reader_with_nothing(client, people):
    client.force_login(people.alice)
    for path in ("salir/", "perfil/clave/", "perfil/clave/revocar/", "perfil/contrasena/"):
        for prefix in ("", "/en"):
            answer = client.get(f"{prefix}/cuenta/{path}", follow=True)
            assert answer.status_code == 200, path
            assert "<h1>" in answer.content.decode()
    superuser = User.objects.create_superuser("root-user")
    client.force_login(superuser)
    assert client.get("/es/admin/logout/").headers["Location"] == "/es/admin/"
    assert client.post("/admin/logout/").status_code == 200
    assert not signed_in(client)


def owner_of(secret: str) -> User:
    token = services.token_of_secret(secret)
    assert token is not None
    return token.user


def fresh_token(answer) -> str:
    assert answer.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    found = re.search(r'id="fresh-token">(crd_[\w-]{43})<', answer.content.decode())
    assert found is not None
    return found[1]


def test_a_token_is_nobodys_when_it_was_never_given_or_its_owner_was_disabled(people):
    token = services.reset_token(people.alice)
    assert services.token_of_secret(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert services.token_of_secret("") is None
    User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert services.token_of_secret(token) is None


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(people):
    token, now = services.reset_token(people.alice), timezone.now()
    for seconds in (0, 30, 90):
        services.token_of_secret(token, now=now + timedelta(seconds=seconds))
        noted = Token.objects.get(user=people.alice).last_used_at
        assert noted == now + timedelta(seconds=0 if seconds < 60 else seconds)


def test_who_came_by_a_link_sets_a_password_without_an_old_one(client):
    dora = User.objects.create(username="dora")
    dora.set_unusable_password()
    dora.save()
    client.post(services.make_login_link(dora))
    assert "old_password" not in client.get("/cuenta/perfil/").content.decode()
    form = {"new_password1": "dora-measures-rain", "new_password2": "dora-measures-rain"}
    assert client.post("/cuenta/perfil/contrasena/", form).status_code == 302
    assert signed_in(client)
    assert Client().post("/cuenta/acceder/", {"username": "dora", "password": "dora-measures-rain"}).status_code == 302


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(client, people):
    elsewhere = Client()
    elsewhere.force_login(people.alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.force_login(people.alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    form = {"new_password1": "alice-likes-rain-too", "new_password2": "alice-likes-rain-too"}
    assert client.post("/cuenta/perfil/contrasena/", {**form, "old_password": "wrong"}).status_code == 422
    assert client.post("/cuenta/perfil/contrasena/", {**form, "old_password": "alice-likes-robots"}).status_code == 302
    assert client.get("/cuenta/perfil/").status_code == 200
    assert elsewhere.get("/cuenta/perfil/").status_code == 302


# The command


def link(*arguments: str) -> str:
    out = StringIO()
    call_command("login-link", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_an_address_that_logs_in(client, people):
    url = link("--user", "alice", "--base", "https://croody.example", "--language", "en")
    assert url.startswith("https://croody.example/en/cuenta/entrar/")
    assert client.post(url.removeprefix("https://croody.example")).headers["Location"] == "/en/console/"
    assert client.session["_auth_user_id"] == str(people.alice.pk)


def test_the_command_takes_the_only_user_and_names_them_when_there_are_more(db, settings):
    settings.ENV = replace(settings.ENV, demo=False)
    with pytest.raises(CommandError, match="no user yet"):
        link()
    User.objects.create_user("operator")
    assert "/cuenta/entrar/" in link()
    User.objects.create_user("another")
    with pytest.raises(CommandError, match=r"--user NAME, one of operator, another$"):
        link()
    with pytest.raises(CommandError, match="--user nobody"):
        link("--user", "nobody")


def test_the_demo_lets_its_operator_in_also_when_others_have_registered(client, db, settings):
    settings.ENV = replace(settings.ENV, demo=True)
    User.objects.create_user("visitor")
    operator = User.objects.create_user("operator")
    url = link("--base", "https://croody.example")
    assert client.post(url.removeprefix("https://croody.example")).status_code == 302
    assert client.session["_auth_user_id"] == str(operator.pk)


def test_the_command_makes_a_first_user_when_told_to(client, db):
    url = link("--user", "root", "--create", "--superuser")
    client.post("/" + url.split("/", 3)[3])
    assert client.get("/admin/").status_code == 200
