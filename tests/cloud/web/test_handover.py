"""A shift is handed over: what happened since, who may take it, and that it is written down."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms import acts, handover
from croody.alarms.models import Handover
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.audit.actor import Actor
from croody.audit.models import Entry
from croody.fleet import services

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    services.add_robot("rover-1", organisation=organisation)
    found = {}
    for name, team, role in (("bob", organisation, "operator"), ("vera", organisation, "viewer"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=team, role=role)
        found[name] = SimpleNamespace(client=Client(), caller=of_user(user), by=Actor("person", user_id=user.pk, name=name))
        found[name].client.force_login(user)
    return SimpleNamespace(organisation=organisation, now=timezone.now(), **found)


def raised(world: SimpleNamespace, key: str, hours: float) -> Any:
    return raise_alarm("rover-1", "conflict", key, "high", {}, world.now - timedelta(hours=hours))


def test_the_page_counts_what_happened_since_the_last_handover_and_shows_what_is_open(world):
    bob = world.bob
    raised(world, "old", 30)
    first = raised(world, "by-bob", 3)
    raised(world, "by-itself", 2)
    resolve_alarm("rover-1", "conflict", "by-itself", world.now - timedelta(hours=1))
    acts.resolve(bob.caller, first.pk, by=bob.by, now=world.now - timedelta(minutes=50))
    shift = handover.shift(world.organisation, world.now - timedelta(hours=8), world.now)
    assert (shift.opened, shift.closed_by_people, shift.closed_by_themselves, shift.open) == ({"high": 2}, 1, 1, {"high": 1})
    page = bob.client.get("/console/handover/").content.decode()
    assert "<h1>El turno se entrega con 1 alerta abierta</h1>" in page
    assert "la resolvió" in page
    assert bob.client.get("/en/console/handover/?since=7d").status_code == 200


def test_who_takes_the_shift_is_written_down_and_the_next_one_reads_the_note(world):
    raised(world, "s1", 1)
    answer = world.bob.client.post("/console/handover/sign/", {"team": world.organisation.pk, "note": "La puerta 2 <b>falla</b>"})
    assert answer.status_code == 303
    row = Handover.objects.get()
    assert (row.by_name, row.open) == ("bob", {"high": 1})
    assert Entry.objects.get(thing="shift").verb == "take"
    page = world.vera.client.get("/console/handover/").content.decode()
    assert "bob tomó el turno" in page
    assert "La puerta 2 &lt;b&gt;falla" in page
    assert "Recibir el turno" not in page


@pytest.mark.parametrize(("name", "status"), [("vera", 403), ("carlos", 404)])
def test_only_who_may_act_takes_a_shift(world, name, status):
    answer = getattr(world, name).client.post("/console/handover/sign/", {"team": world.organisation.pk})
    assert answer.status_code == status
    assert not Handover.objects.exists()


@pytest.mark.parametrize(
    "form", [{"team": "x"}, {"team": "9" * 30}, {"note": "x" * 3000}, {"since": "yesterday"}, {"since": "0001-01-01T00:00:00"}]
)
def test_a_form_that_says_nonsense_is_no_failure(world, form):
    answer = world.bob.client.post("/console/handover/sign/", {"team": world.organisation.pk, **form})
    assert answer.status_code in {303, 404}
    assert Handover.objects.count() == int("since" in form)
