"""People choose for themselves which alarms reach them by mail: theirs alone, at their confirmed address, while they may see them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.fleet import services as fleet
from croody.notices import deliver
from croody.notices.models import Channel, Notice

pytestmark = pytest.mark.django_db(databases="__all__")
FORM = {"severity": "high", "quiet_from": "", "quiet_to": "", "time_zone": "America/Bogota", "language": "en", "enabled": "on"}
PAGE = "/console/rules/mine/"


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    fleet.add_robot("rover-1", organisation=organisation)
    found: dict[str, Any] = {}
    for name, team, role in (("vera", organisation, "viewer"), ("olga", organisation, "owner"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        EmailAddress.objects.create(user=user, email=f"{name}@example.org", primary=True, verified=True)
        Membership.objects.create(user=user, organisation=team, role=role)
        found[name] = Client()
        found[name].force_login(user)
    return SimpleNamespace(organisation=organisation, **found)


def told(kind: str = "conflict", severity: str = "high") -> list[list[str]]:
    """To whom what goes that happens now."""
    now = timezone.now() + timedelta(seconds=5)
    raise_alarm("rover-1", kind, "", severity, {}, now)
    mail.outbox.clear()
    deliver.tell(now)
    deliver.send(now)
    return [message.to for message in mail.outbox]


def test_who_merely_looks_chooses_what_reaches_them_and_when(world: SimpleNamespace):
    assert "a vera@example.org" in world.vera.get(PAGE).content.decode()
    assert world.vera.post(PAGE, FORM).status_code == 303
    row = Channel.objects.get()
    assert (row.person.username, row.target, row.severity, row.language) == ("vera", "", "high", "en")  # type: ignore[union-attr]
    assert told() == [["vera@example.org"]]
    assert "High" in mail.outbox[0].subject
    assert told("gap", "low") == []
    assert world.vera.post(PAGE, {**FORM, "severity": "low"}).status_code == 303
    assert Channel.objects.count() == 1
    assert told("offline", "low") == [["vera@example.org"]] * 2, "what was below it until now goes, too"
    assert list(Entry.objects.filter(thing="channel").values_list("verb", "name").order_by("pk")) == [("add", "vera"), ("change", "vera")]


def test_it_goes_to_the_address_of_today_and_to_nobody_who_left(world: SimpleNamespace):
    world.vera.post(PAGE, FORM)
    EmailAddress.objects.filter(user__username="vera").update(email="vera@elsewhere.example")
    assert told() == [["vera@elsewhere.example"]]
    EmailAddress.objects.filter(user__username="vera").update(verified=False)
    assert told("gap") == []
    assert Notice.objects.order_by("-pk")[0].status == "failed"
    EmailAddress.objects.filter(user__username="vera").update(verified=True)
    Membership.objects.filter(user__username="vera").delete()
    assert told("offline") == []


def test_nobody_else_sees_changes_or_deletes_it(world: SimpleNamespace):
    world.vera.post(PAGE, FORM)
    row = Channel.objects.get()
    for client in (world.olga, world.carlos):
        assert "Correo, solo a ti" not in client.get("/console/rules/").content.decode()
        assert client.get(f"/console/rules/channels/{row.pk}/").status_code == 404
        assert client.post(f"/console/rules/channels/{row.pk}/delete/").status_code == 404
        assert client.post(f"/console/rules/channels/{row.pk}/test/").status_code == 404
    assert "Correo, solo a ti" in world.vera.get("/console/rules/").content.decode()
    aimed = world.vera.post(f"/console/rules/channels/{row.pk}/", {**FORM, "name": "x", "target": "all@example.org"})
    assert (aimed.status_code, Channel.objects.get().target) == (303, "")
    assert world.vera.post(f"/console/rules/channels/{row.pk}/test/").status_code == 303
    assert world.vera.post(f"/console/rules/channels/{row.pk}/delete/").status_code == 303
    assert not Channel.objects.exists()


def test_without_a_confirmed_address_nothing_is_promised_and_nonsense_is_refused(world: SimpleNamespace):
    assert world.vera.post(PAGE, {**FORM, "quiet_from": "22:00"}).status_code == 422
    EmailAddress.objects.filter(user__username="vera").update(verified=False)
    assert "Todavía no tienes una dirección confirmada." in world.vera.get(PAGE).content.decode()
    assert world.vera.post(PAGE, FORM).status_code == 422
    assert not Channel.objects.exists()
    stranger = Client()
    stranger.force_login(User.objects.create_user("who-registered"))
    assert stranger.get(PAGE).status_code == 404
    # Another organisation's name in the address is no way in.
    world.carlos.post(f"{PAGE}?team=alices", FORM)
    assert Channel.objects.get().organisation.slug == "carlos"


def test_however_many_there_are_each_has_its_turn(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deliver, "CHANNELS", 1)
    # Whose turn it is next belongs to this test.
    monkeypatch.setitem(deliver._turn, "after", 0)
    world.vera.post(PAGE, FORM)
    world.olga.post(PAGE, FORM)
    now = timezone.now() + timedelta(seconds=5)
    raise_alarm("rover-1", "conflict", "", "high", {}, now)
    for _run in range(3):
        deliver.tell(now)
    assert set(Notice.objects.values_list("channel__person__username", flat=True)) == {"vera", "olga"}
    deliver.tell(now)
