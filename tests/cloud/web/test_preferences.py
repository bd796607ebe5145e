"""What people like to see, and their own tokens by name."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts import tokens
from croody.accounts.models import Preferences, Token
from croody.accounts.services import token_of_secret
from croody.audit.actor import SYSTEM

pytestmark = pytest.mark.django_db(databases="__all__")
LIKED = {"name": "Alice Ruiz", "language": "en", "theme": "dark", "zone": "America/Bogota"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_what_one_likes_shows_on_every_page_and_in_the_next_browser_too(people: Any):
    here = signed_in(people.alice)
    assert here.post("/cuenta/preferencias/", LIKED).status_code == 302
    there = signed_in(people.alice)
    there.get("/cuenta/perfil/")
    for client in (here, there):
        page = client.get("/robots/monitor/").content.decode()
        assert re.search(r'<html lang="en"[^>]* data-theme="dark" data-home="America/Bogota"', page)
    assert User.objects.get(pk=people.alice.pk).get_full_name() == "Alice Ruiz"


def test_who_comes_next_at_a_browser_does_not_see_it_as_the_one_before(people: Any):
    client = signed_in(people.alice)
    client.post("/cuenta/preferencias/", LIKED)
    client.post("/cuenta/salir/")
    assert "data-theme=" not in client.get("/").content.decode().partition("<body")[0]


def test_a_preference_that_cannot_be_is_refused_and_a_cookie_that_is_none_of_ours_is_nothing(people: Any):
    client = signed_in(people.alice)
    assert client.post("/cuenta/preferencias/", {**LIKED, "zone": "Mars/Olympus"}).status_code == 422
    assert not Preferences.objects.exists()
    client.cookies["look"] = 'x" onload="y.<b>'
    head = client.get("/").content.decode().partition("<body")[0]
    assert "onload" not in head
    assert "data-home" not in head


def made(client: Client, **form: Any) -> str:
    page = client.post("/cuenta/perfil/claves/", {"name": "board", "scope": ["read"], "days": "30", **form}, follow=True)
    found = re.search(r'<code id="fresh-named">([^<]+)</code>', page.content.decode())
    assert found is not None, page.content.decode()
    return found[1]


def test_a_person_has_several_tokens_by_name_and_revokes_one_by_one(people: Any):
    client = signed_in(people.alice)
    first, second = made(client), made(client, name="script", scope=["read", "act"])
    plain = client.post("/cuenta/perfil/clave/").content.decode()
    assert "board" in plain, "making the one without a name leaves the others"
    assert token_of_secret(first) is not None
    number = Token.objects.get(name="board").pk
    assert f'action="/cuenta/perfil/claves/{number}/revocar/"' in client.get(f"/cuenta/perfil/claves/{number}/revocar/").content.decode()
    client.post(f"/cuenta/perfil/claves/{number}/revocar/")
    assert token_of_secret(first) is None
    kept = token_of_secret(second)
    assert kept is not None
    assert (kept.user, kept.scopes) == (people.alice, ["act", "read"])


def test_nobody_revokes_another_ones_token_or_learns_of_it(people: Any):
    secret = made(signed_in(people.alice))
    number = Token.objects.get(name="board").pk
    bob = signed_in(people.bob)
    for ask in (bob.get, bob.post):
        assert ask(f"/cuenta/perfil/claves/{number}/revocar/").status_code == 404
    assert token_of_secret(secret) is not None


def test_twenty_tokens_a_person_work_at_most(people: Any):
    for number in range(tokens.MOST):
        tokens.make_personal(people.alice, str(number), scopes=[], days=1, now=timezone.now(), actor=SYSTEM)
    answer = signed_in(people.alice).post("/cuenta/perfil/claves/", {"name": "x", "scope": ["read"], "days": "30"})
    assert answer.status_code == 422
    assert "revoca alguna antes" in answer.content.decode()
