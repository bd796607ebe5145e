"""The audit log: everything that somebody causes is in it, nothing in it can be changed, and no secret gets in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory

from croody.accounts import organisations, services
from croody.accounts.caller import DEMO, Caller, actor_of
from croody.accounts.models import Membership, Organisation
from croody.alarms.acts import close_as
from croody.alarms.services import raise_alarm
from croody.audit import triggers
from croody.audit.actor import Actor, command_actor
from croody.audit.content import HIDDEN, clean
from croody.audit.models import AppendOnly, Entry
from croody.audit.services import record
from croody.fleet import services as fleet
from croody.worker.retention import let_go

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
ALICE = Actor("person", user_id=1, name="alice", address="192.0.2.7", request_id="abc")

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded() -> Iterator[None]:
    """The database with all its triggers; SQLite's were taken away, so that tests can be tidied up."""
    if connection.vendor == "sqlite":
        triggers.create(connection)
    yield
    if connection.vendor == "sqlite":
        triggers.drop(connection)


@pytest.fixture
def team() -> Organisation:
    return Organisation.objects.create(name="Alice's", slug="alices")


def told() -> list[tuple[str, str, str]]:
    return [(entry.verb, entry.thing, entry.thing_id) for entry in Entry.objects.order_by("pk")]


def test_an_entry_says_who_did_what_to_what_from_where() -> None:
    record(ALICE, "move", "robot", "rover-1", organisation_id=7, before={"site": "a"}, after={"site": "b"}, now=NOW)
    found = Entry.objects.get()
    assert (found.kind, found.user_id, found.name, found.address, found.request_id) == ("person", 1, "alice", "192.0.2.7", "abc")
    assert (found.verb, found.thing, found.thing_id, found.organisation_id) == ("move", "robot", "rover-1", 7)
    assert (found.before, found.after, found.at) == ({"site": "a"}, {"site": "b"}, NOW)


def test_the_code_changes_and_deletes_no_entry() -> None:
    entry = record(ALICE, "move", "robot", "rover-1", organisation_id=7, now=NOW)
    for act in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(name="bob"),
        lambda: Entry.objects.bulk_update([entry], ["name"]),
    ):
        with pytest.raises(AppendOnly, match="only added to"):
            act()
    assert Entry.objects.get().name == "alice"


def test_the_database_refuses_what_goes_around_the_code(guarded: None) -> None:
    record(ALICE, "move", "robot", "rover-1", organisation_id=7, now=datetime.now(UTC))
    for statement in ("UPDATE audit_entry SET name = 'bob'", "DELETE FROM audit_entry"):
        with pytest.raises(DatabaseError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Entry.objects.get().name == "alice"


def test_what_had_its_long_life_goes_and_the_rest_stays(guarded: None, settings: Any) -> None:
    days = settings.ENV.audit_days
    assert days == 730
    record(ALICE, "move", "robot", "old", organisation_id=7, now=NOW - timedelta(days=days, seconds=1))
    record(ALICE, "move", "robot", "young", organisation_id=7, now=NOW - timedelta(days=days - 1))
    let_go(NOW)
    assert [entry.thing_id for entry in Entry.objects.all()] == ["young"]


def test_no_secret_and_nothing_long_gets_in() -> None:
    shown = clean({"secret": "s3cret", "new_password": "x", "sha256": "y", "deep": {"api_key": "z"}, "text": "a" * 999, "nul": "a\x00b"})
    assert shown["secret"] == shown["new_password"] == shown["sha256"] == shown["deep"]["api_key"] == HIDDEN
    assert len(shown["text"]) == 200
    assert "\x00" not in shown["nul"]
    assert len(clean({str(number): number for number in range(500)})) == 40
    entry = record(ALICE, "v" * 99, "t" * 99, "i" * 999, organisation_id=None, after={"\ud800": "\ud800"}, now=NOW)
    assert Entry.objects.get(pk=entry.pk).thing_id.startswith("iii")


def test_what_is_done_to_a_robot_is_told_and_its_secret_is_not(team: Organisation) -> None:
    robot, first = fleet.add_robot("rover-1", organisation=team, actor=ALICE)
    second = fleet.rotate_secret(robot, actor=ALICE)
    fleet.revoke(robot, now=NOW, actor=ALICE)
    fleet.revoke(robot, now=NOW, actor=ALICE)
    fleet.add_robot("rover-1", organisation=team, actor=ALICE)
    assert told() == [(verb, "robot", "rover-1") for verb in ("add", "rotate", "revoke", "bring_back")]
    everything = str(list(Entry.objects.values()))
    assert first not in everything
    assert second not in everything
    assert set(Entry.objects.values_list("organisation_id", "name")) == {(team.pk, "alice")}


def test_a_command_is_told_with_the_account_of_the_machine(team: Organisation) -> None:
    User.objects.create_user("bob")
    call_command("robot", "add", "rover-2", stdout=StringIO(), stderr=StringIO())
    call_command("robot", "rotate", "rover-2", stdout=StringIO(), stderr=StringIO())
    call_command("robot", "revoke", "rover-2", stdout=StringIO())
    call_command("member", "add", "bob", "--role", "operator", stdout=StringIO())
    call_command("member", "add", "bob", "--role", "operator", stdout=StringIO())
    call_command("member", "add", "bob", "--role", "owner", stdout=StringIO())
    call_command("login-link", "--user", "bob", stdout=StringIO())
    call_command("member", "remove", "bob", stdout=StringIO())
    call_command("login-link", "--user", "eve", "--create", stdout=StringIO())
    assert told() == [
        ("add", "robot", "rover-2"),
        ("rotate", "robot", "rover-2"),
        ("revoke", "robot", "rover-2"),
        ("add", "member", "bob"),
        ("change_role", "member", "bob"),
        ("make", "login_link", "bob"),
        ("remove", "member", "bob"),
        ("add", "person", "eve"),
        ("make", "login_link", "eve"),
    ]
    assert set(Entry.objects.values_list("kind", "name")) == {("command", command_actor().name)}
    changed = Entry.objects.get(verb="change_role")
    assert (changed.before, changed.after) == ({"role": "operator"}, {"role": "owner"})


def test_a_token_is_told_by_its_first_letters_in_each_organisation_of_its_owner(team: Organisation) -> None:
    other = Organisation.objects.create(name="Other", slug="other")
    bob = User.objects.create_user("bob")
    for organisation in (team, other):
        organisations.join(bob, organisation, role=Membership.Role.VIEWER)
    secret = services.reset_token(bob, actor=ALICE)
    assert services.revoke_token(bob, actor=ALICE)
    assert not services.revoke_token(bob, actor=ALICE)
    mine = Entry.objects.filter(thing="token").order_by("pk")
    assert list(mine.values_list("verb", "organisation_id")) == [
        ("make", team.pk),
        ("make", other.pk),
        ("revoke", team.pk),
        ("revoke", other.pk),
    ]
    assert {entry.thing_id for entry in mine} == {secret[:12]}
    assert secret not in str(list(Entry.objects.values()))


def test_an_alarm_that_somebody_closes_is_told_once(team: Organisation) -> None:
    robot, _secret = fleet.add_robot("rover-1", organisation=team)
    alarm = raise_alarm(robot.robot_id, "conflict", "", "high", {}, NOW)
    admin = Caller("person", user_id=1, superuser=True)
    close_as(admin, alarm.pk, NOW, actor=ALICE)
    close_as(admin, alarm.pk, NOW, actor=ALICE)
    entry = Entry.objects.get(thing="alarm")
    assert (entry.verb, entry.thing_id, entry.organisation_id) == ("close", str(alarm.pk), team.pk)
    assert entry.before == {"resolved_at": None}
    assert entry.after == {"robot": "rover-1", "kind": "conflict", "key": "", "resolved_at": NOW.isoformat()}


def test_who_comes_in_and_goes_is_told(team: Organisation, client: Client) -> None:
    bob = User.objects.create_user("bob", password="a-long-password")
    organisations.join(bob, team, role=Membership.Role.VIEWER)
    client.post("/es/cuenta/acceder/", {"username": "bob", "password": "a-long-password"}, headers={"X-Request-ID": "r-1"})
    client.post("/es/cuenta/salir/")
    found = Entry.objects.filter(thing="person").order_by("pk")
    assert [(entry.verb, entry.name, entry.organisation_id, entry.address) for entry in found] == [
        ("log_in", "bob", team.pk, "127.0.0.1"),
        ("log_out", "bob", team.pk, "127.0.0.1"),
    ]
    assert found[0].request_id == "r-1"


def test_a_password_that_strangers_try_is_told_when_it_locks_the_account_and_not_before(client: Client) -> None:
    User.objects.create_user("bob", password="a-long-password")
    for _ in range(10):
        client.post("/es/cuenta/acceder/", {"username": "bob", "password": "wrong"})
    assert told() == [("lock_out", "person", "bob")]
    assert Entry.objects.get().kind == "anonymous"


def test_a_failed_second_factor_is_told() -> None:
    from allauth.mfa.signals import authentication_failed

    bob = User.objects.create_user("bob")
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.9")
    authentication_failed.send(sender=User, request=request, user=bob, authenticator=None, reauthentication=False)
    entry = Entry.objects.get()
    assert (entry.verb, entry.thing_id, entry.address, entry.organisation_id) == ("fail_second_factor", "bob", "192.0.2.9", None)


@pytest.mark.parametrize(
    ("where", "name", "expected"),
    [
        ("account", "user_signed_up", ("sign_up", "person", "bob")),
        ("account", "password_reset", ("reset_password", "person", "bob")),
        ("account", "email_changed", ("change_email", "person", "bob")),
        ("mfa", "authenticator_added", ("add", "second_factor", "bob")),
        ("mfa", "authenticator_removed", ("remove", "second_factor", "bob")),
        ("mfa", "authenticator_reset", ("reset", "second_factor", "bob")),
    ],
)
def test_what_people_change_of_how_they_come_in_is_told(where: str, name: str, expected: tuple[str, str, str]) -> None:
    from importlib import import_module

    bob = User.objects.create_user("bob")
    signal = getattr(import_module(f"allauth.{where}.signals"), name)
    signal.send(sender=User, request=RequestFactory().post("/", REMOTE_ADDR="192.0.2.9"), user=bob, authenticator=None)
    assert told() == [expected]
    assert Entry.objects.get().address == "192.0.2.9"


def test_what_is_changed_on_the_admin_site_is_told(client: Client) -> None:
    root = User.objects.create_superuser("root", password="a-long-password")
    bob = User.objects.create_user("bob")
    client.force_login(root)
    before = Entry.objects.count()
    page = f"/admin/auth/user/{bob.pk}/change/"
    form = client.get(page).context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields if isinstance(form.initial.get(name), str)}
    client.post(page, {**values, "first_name": "Bob", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"})
    bob.refresh_from_db()
    assert bob.first_name == "Bob"
    entry = Entry.objects.order_by("-pk").first()
    assert entry is not None
    assert Entry.objects.count() == before + 1
    assert (entry.before["first_name"], entry.after["first_name"]) == ("", "Bob")
    assert (entry.kind, entry.name, entry.verb, entry.thing, entry.thing_id) == ("admin", "root", "change", "user", "bob")
    assert entry.address == "127.0.0.1"
    client.post(f"/admin/auth/user/{bob.pk}/delete/", {"post": "yes"})
    gone = Entry.objects.order_by("-pk").first()
    assert gone is not None
    assert (gone.kind, gone.verb, gone.thing, gone.thing_id) == ("admin", "delete", "user", "bob")


def test_a_caller_is_written_down_as_what_they_came_as() -> None:
    bob = User.objects.create_user("bob")
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
    token = actor_of(request, Caller("token", user_id=bob.pk, token_id=4))
    assert (token.kind, token.name, token.user_id, token.token_id, token.address) == ("token", "bob", bob.pk, 4, "192.0.2.9")
    assert actor_of(request, Caller("service", service="ingest")).name == "ingest"
    assert actor_of(request, Caller("robot", robot_id="rover-1")).name == "rover-1"
    assert actor_of(request, DEMO).kind == "demo"
