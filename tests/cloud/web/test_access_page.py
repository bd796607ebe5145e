"""Who gets into an organisation, and who takes whom out: by the page, as owners, members and strangers meet it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from croody.accounts import invitations, members, tokens
from croody.accounts.caller import again, of_user
from croody.accounts.models import Invitation, Membership, Organisation, Token
from croody.accounts.services import sha256_of
from croody.audit.actor import Actor
from croody.audit.models import Entry

pytestmark = pytest.mark.django_db(databases="__all__")
Role = Membership.Role
ACTOR = Actor("person", name="alice")
HOME = "/console/access/alices/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def invited(people: SimpleNamespace, **form: str) -> str:
    """The path of an invitation that Alice made."""
    page = signed_in(people.alice).post(f"{HOME}invite/", {"role": "operator", "email": "", **form}, follow=True)
    found = re.search(r"http://testserver(/cuenta/invitacion/[^<]+)</code>", page.content.decode())
    assert found is not None, page.content.decode()
    return found[1]


def role_of(user: User, organisation: Organisation) -> str | None:
    return Membership.objects.filter(user=user, organisation=organisation).values_list("role", flat=True).first()


# Invitations


def test_who_is_invited_joins_with_the_role_that_was_chosen_and_the_log_says_so(people: SimpleNamespace):
    link, carlos = invited(people), signed_in(people.carlos)
    page = carlos.get(link, follow=True)
    assert page.redirect_chain == [("/cuenta/invitacion/", 302)], "the secret does not stay in the address"
    assert "Alice&#x27;s te invita" in page.content.decode()
    assert role_of(people.carlos, people.organisation) is None
    assert carlos.post("/cuenta/invitacion/").headers["Location"] == "/console/"
    assert role_of(people.carlos, people.organisation) == "operator"
    assert {(row.name, row.verb, row.thing) for row in Entry.objects.all()} >= {
        ("alice", "invite", "invitation"), ("carlos", "add", "member"),
    }  # fmt: skip


def test_an_invitation_lets_one_person_in_once(people: SimpleNamespace):
    link = invited(people)
    first, second = signed_in(people.carlos), signed_in(User.objects.create_user("dora"))
    for client in (first, second):
        client.get(link)
    first.post("/cuenta/invitacion/")
    assert second.post("/cuenta/invitacion/").status_code == 410
    assert Client().get(link, follow=True).status_code == 410


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_who_use_an_invitation_at_once_one_gets_in():
    organisation = Organisation.objects.create(name="O", slug="o")
    secret = invitations.invite(organisation, role=Role.VIEWER, email="", now=timezone.now(), actor=ACTOR)[1]
    users = [User.objects.create_user(f"user-{number}") for number in range(4)]

    def use(user: User) -> bool:
        try:
            return invitations.accept(sha256_of(secret), user, now=timezone.now(), actor=ACTOR) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, users)) == [False, False, False, True]
    assert Membership.objects.count() == 1


def test_an_invitation_is_over_after_seven_days_and_when_it_is_taken_back(people: SimpleNamespace):
    now = timezone.now()
    made, secret = invitations.invite(people.organisation, role=Role.VIEWER, email="", now=now, actor=ACTOR)
    late = now + timedelta(days=7, seconds=1)
    assert invitations.accept(sha256_of(secret), people.carlos, now=late, actor=ACTOR) is None
    signed_in(people.alice).post(f"{HOME}invitations/{made.pk}/revoke/")
    assert invitations.accept(sha256_of(secret), people.carlos, now=now, actor=ACTOR) is None


def test_who_is_in_already_keeps_their_role_and_leaves_the_invitation_to_another(people: SimpleNamespace):
    link, bob = invited(people), signed_in(people.bob)
    bob.get(link)
    bob.post("/cuenta/invitacion/")
    assert role_of(people.bob, people.organisation) == "viewer"
    assert Invitation.objects.get().used_at is None


def test_the_invited_make_an_account_even_where_nobody_else_may(people: SimpleNamespace, settings: Any):
    from dataclasses import replace

    settings.ENV = replace(settings.ENV, registration=False)
    form = {"username": "dora", "password": "dora-measures-rain"}
    assert Client().post("/cuenta/registro/", form).status_code == 403
    dora = Client()
    page = dora.get(invited(people), follow=True).content.decode()
    assert 'href="/cuenta/registro/"' in page
    assert dora.post("/cuenta/registro/", form).headers["Location"] == "/cuenta/invitacion/"
    dora.post("/cuenta/invitacion/")
    assert role_of(User.objects.get(username="dora"), people.organisation) == "operator"


def test_an_invitation_with_an_address_is_mailed_in_the_demo_too(people: SimpleNamespace, settings: Any, mailoutbox: Any):
    from dataclasses import replace

    settings.ENV = replace(settings.ENV, demo=True)
    link = invited(people, email="dora@example.org")
    assert [one.to for one in mailoutbox] == [["dora@example.org"]]
    assert link in mailoutbox[0].body
    assert "alice te invita a Alice's" in mailoutbox[0].body


def test_fifty_invitations_wait_at_most(people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    for _ in range(invitations.MOST):
        invitations.invite(people.organisation, role=Role.VIEWER, email="", now=timezone.now(), actor=ACTOR)
    answer = signed_in(people.alice).post(f"{HOME}invite/", {"role": "viewer", "email": ""})
    assert answer.status_code == 422
    assert "anula alguna antes" in answer.content.decode()


def test_no_secret_of_an_invitation_or_a_token_is_in_the_database_or_in_a_session(people: SimpleNamespace):
    from django.contrib.sessions.models import Session

    link = invited(people)
    secret = link.rstrip("/").rpartition("/")[2]
    carlos = signed_in(people.carlos)
    carlos.get(link)
    kept = [str(row) for model in (Invitation, Entry) for row in model.objects.values()]
    kept += [str(row.get_decoded()) for row in Session.objects.all()]
    assert not any(secret in row for row in kept)


# Members


def test_an_owner_changes_what_a_member_may_do_and_it_holds_at_once(people: SimpleNamespace):
    before = of_user(people.bob)
    signed_in(people.alice).post(f"{HOME}members/{people.bob.pk}/role/", {"role": "maintainer"})
    assert dict(again(before).roles)[people.organisation.pk] == "maintainer"
    change = Entry.objects.get(verb="change_role")
    assert (change.name, change.before, change.after) == ("alice", {"role": "viewer"}, {"role": "maintainer"})


def test_the_last_owner_neither_goes_nor_becomes_less(people: SimpleNamespace):
    alice = signed_in(people.alice)
    for address, form in ((f"members/{people.alice.pk}/role/", {"role": "viewer"}), ("leave/", {})):
        answer = alice.post(HOME + address, form)
        assert answer.status_code == 409
        assert "es la única persona que administra" in answer.content.decode()
    assert role_of(people.alice, people.organisation) == "owner"
    alice.post(f"{HOME}members/{people.bob.pk}/role/", {"role": "owner"})
    assert alice.post(f"{HOME}leave/").headers["Location"] == "/console/"
    assert role_of(people.alice, people.organisation) is None


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_owners_who_go_at_once_one_stays():
    organisation = Organisation.objects.create(name="O", slug="o")
    owners = [User.objects.create_user(f"owner-{number}") for number in range(2)]
    for user in owners:
        Membership.objects.create(user=user, organisation=organisation, role=Role.OWNER)

    def go(user: User) -> bool:
        try:
            members.remove(user, organisation, now=timezone.now(), actor=ACTOR)
        except members.LastOwner:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, owners)) == [False, True]


def test_taking_somebody_out_asks_first_and_says_what_it_does(people: SimpleNamespace):
    alice = signed_in(people.alice)
    page = alice.get(f"{HOME}members/{people.bob.pk}/remove/")
    assert "¿Quitar a bob de Alice&#x27;s?" in page.content.decode()
    assert role_of(people.bob, people.organisation) == "viewer"
    alice.post(f"{HOME}members/{people.bob.pk}/remove/")
    assert role_of(people.bob, people.organisation) is None


@pytest.mark.parametrize("name", ["bob", "carlos"])
def test_who_is_no_owner_sees_the_members_at_most_and_changes_nothing(people: SimpleNamespace, name: str):
    client = signed_in(getattr(people, name))
    seen, refused = (200, 403) if name == "bob" else (404, 404)
    page = client.get(HOME)
    assert page.status_code == seen
    assert "Claves de servicio" not in page.content.decode()
    acts = ["invite/", f"members/{people.alice.pk}/role/", f"members/{people.alice.pk}/remove/", "tokens/make/"]
    assert {client.post(HOME + act, {"role": "owner"}).status_code for act in acts} == {refused}
    assert Invitation.objects.count() == Token.objects.count() == 0


def test_another_organisations_member_invitation_or_token_is_not_found_by_its_number(people: SimpleNamespace):
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    Membership.objects.create(user=people.carlos, organisation=theirs, role=Role.OWNER)
    invitation = invitations.invite(theirs, role=Role.OWNER, email="", now=timezone.now(), actor=ACTOR)[0]
    token = tokens.make_service(theirs, "t", role=Role.OWNER, scopes=["read"], days=None, now=timezone.now(), actor=ACTOR)[0]
    alice = signed_in(people.alice)
    for act in (f"members/{people.carlos.pk}/role/", f"members/{people.carlos.pk}/remove/",
                f"invitations/{invitation.pk}/revoke/", f"tokens/{token.pk}/revoke/"):  # fmt: skip
        assert alice.post(HOME + act, {"role": "viewer"}).status_code == 404, act
    assert role_of(people.carlos, theirs) == "owner"


# Service tokens


def make(people: SimpleNamespace, **form: Any) -> str:
    asked = {"name": "board", "role": "viewer", "scope": ["read"], "days": "90", **form}
    page = signed_in(people.alice).post(f"{HOME}tokens/make/", asked, follow=True).content.decode()
    found = re.search(r'<code id="fresh-token">([^<]+)</code>', page)
    assert found is not None, page
    return found[1]


def test_a_service_token_is_the_organisations_does_what_its_role_may_and_outlives_who_made_it(people: SimpleNamespace):
    from django.test import RequestFactory

    from croody.accounts.caller import caller_of

    secret = make(people, role="operator", scope=["read", "act"])
    people.alice.delete()
    caller = caller_of(RequestFactory().get("/", headers={"X-API-Key": secret}))
    assert (caller.kind, caller.user_id, caller.roles) == ("token", None, ((people.organisation.pk, Role.OPERATOR),))
    assert caller.scopes == {"read", "act"}
    assert again(caller) == caller


def test_a_token_ends_with_its_time_and_when_it_is_revoked(people: SimpleNamespace):
    from croody.accounts.services import token_of_secret

    secret, now = make(people), timezone.now()
    assert token_of_secret(secret, now=now + timedelta(days=89)) is not None
    assert token_of_secret(secret, now=now + timedelta(days=91)) is None
    number = Token.objects.get().pk
    alice = signed_in(people.alice)
    assert "¿Revocar la clave «board»?" in alice.get(f"{HOME}tokens/{number}/revoke/").content.decode()
    alice.post(f"{HOME}tokens/{number}/revoke/")
    assert token_of_secret(secret, now=now) is None


def test_a_token_is_shown_in_the_browser_that_made_it_and_nowhere_else(people: SimpleNamespace):
    secret = make(people)
    assert secret not in signed_in(people.alice).get(HOME).content.decode()
    assert secret[:12] in signed_in(people.alice).get(HOME).content.decode()


def test_twenty_tokens_work_at_most(people: SimpleNamespace):
    for number in range(tokens.MOST):
        tokens.make_service(people.organisation, str(number), role=Role.VIEWER, scopes=[], days=1, now=timezone.now(), actor=ACTOR)
    form = {"name": "x", "role": "viewer", "scope": ["read"], "days": "30"}
    answer = signed_in(people.alice).post(f"{HOME}tokens/make/", form)
    assert answer.status_code == 422
    assert "revoca alguna antes" in answer.content.decode()


def test_a_token_without_a_scope_is_refused_with_the_remedy(people: SimpleNamespace):
    answer = signed_in(people.alice).post(f"{HOME}tokens/make/", {"name": "x", "role": "viewer", "days": "30"})
    assert answer.status_code == 422
    assert "Marca al menos una" in answer.content.decode()


# The organisation's own affairs


def test_an_owner_names_the_organisation_and_asks_for_a_second_factor_once_they_have_one(people: SimpleNamespace):
    from allauth.mfa.models import Authenticator

    alice, form = signed_in(people.alice), {"name": "Bodega", "asks_second_factor": "on"}
    refused = alice.post(f"{HOME}settings/", form)
    assert refused.status_code == 422
    assert "Activa antes el tuyo" in refused.content.decode()
    Authenticator.objects.create(user=people.alice, type=Authenticator.Type.TOTP, data={})
    assert alice.post(f"{HOME}settings/", form).status_code == 303
    people.organisation.refresh_from_db()
    assert (people.organisation.name, people.organisation.asks_second_factor) == ("Bodega", True)
    change = Entry.objects.get(thing="organisation")
    assert change.before == {"name": "Alice's", "asks_second_factor": False}
    assert signed_in(people.bob).get(HOME).status_code == 404


def test_who_runs_a_new_site_makes_its_first_organisation_and_adds_a_robot_without_a_shell(db):
    root = User.objects.create_superuser("root", password="root-likes-robots")
    client = Client()
    client.force_login(root)
    page = client.get("/console/robots/new/").content.decode()
    assert "aún no hay ninguna" in page
    assert 'href="/console/access/"' in page
    first = client.get("/console/access/").content.decode()
    assert "<h1>Aún no hay ninguna organización</h1>" in first
    assert 'action="/console/organisations/new/"' in first
    refused = client.post("/console/organisations/new/", {"name": " "})
    assert refused.status_code == 422
    assert "<h1>Aún no hay ninguna organización</h1>" in refused.content.decode()
    made = client.post("/console/organisations/new/", {"name": "Almacén Sur"})
    assert (made.status_code, made.headers["Location"]) == (303, "/console/access/almacen-sur/")
    found = Organisation.objects.get()
    assert Membership.objects.get(organisation=found, user=root).role == "owner"
    added = client.post("/console/robots/new/", {"robot_id": "rover-9", "kind": "robot", "way": "simulator"})
    assert added.headers["Location"].startswith("/console/robots/new/rover-9/")
    log = client.get("/console/log/").content.decode()
    assert "Hizo la organización almacen-sur" in log


def test_several_organisations_may_have_one_name_in_any_script_and_only_who_runs_the_site_makes_them(people):
    root = User.objects.create_superuser("root", password="root-likes-robots")
    client, alice = Client(), Client()
    client.force_login(root)
    alice.force_login(people.alice)
    for name in ("Alices", "仓库", "仓库", "a" * 120):
        assert client.post("/console/organisations/new/", {"name": name}).status_code == 303
    slugs = set(Organisation.objects.values_list("slug", flat=True))
    assert slugs == {"alices", "alices-2", "equipo", "equipo-2", "a" * 42}
    assert client.post("/console/organisations/new/", {"name": "a" * 121}).status_code == 422
    assert "Hacer otra organización" in client.get("/console/access/alices/").content.decode()
    assert "Hacer otra organización" not in alice.get("/console/access/alices/").content.decode()
    assert alice.post("/console/organisations/new/", {"name": "Mine"}).status_code == 403
    assert alice.get("/console/organisations/new/").headers["Location"] == "/console/access/"
    assert Organisation.objects.count() == 5


@pytest.mark.parametrize("page", ["9" * 5000, "0", "x", "٣"])
def test_a_page_of_members_that_cannot_be_is_one_that_is_there(people: SimpleNamespace, page: str):
    answer = signed_in(people.alice).get(HOME, {"page": page})
    assert answer.status_code == 200
    assert people.alice.username in answer.content.decode()
