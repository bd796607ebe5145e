"""What is done to many robots of the fleet's list at once: to those that were chosen and to all that match, by role, and back again."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership
from croody.audit.models import Entry
from croody.console.many import acts
from croody.console.models import Star
from croody.fleet import services
from croody.fleet.models import Robot, Site

pytestmark = pytest.mark.django_db(databases="__all__")
HERE = "/es/console/many/"


def client_of(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def do(client: Client, verb: str, *robots: str, **more: str) -> str:
    """The fleet's page after it."""
    return client.post(f"{HERE}{verb}/", {"robots": " ".join(robots), "query": "", **more}, follow=True).content.decode()


def undo(client: Client, page: str) -> str:
    found = re.search(r'name="request" value="([^"]+)"', page)
    assert found, page
    return client.post(f"{HERE}undo/", {"request": found[1]}, follow=True).content.decode()


def robot(robot_id: str) -> Robot:
    return Robot.objects.select_related("site").get(pk=robot_id)


def test_what_was_chosen_is_told_and_then_done_and_can_be_taken_back_at_once(people: SimpleNamespace) -> None:
    alice = client_of(people.alice)
    asked = alice.post(HERE, {"robot": ["rover-2", "rover-1", "rover-2", "nobody"], "query": "?q=rover"}).content.decode()
    assert "<h1>Dos robots elegidos</h1>" in asked
    assert 'name="robots" value="rover-2 rover-1"' in asked
    assert 'name="query" value="?q=rover"' in asked

    page = do(alice, "tag", "rover-1", "rover-2", tags="turno de día, pesado")
    assert "2 robots etiquetados." in page
    assert robot("rover-1").tags == robot("rover-2").tags == ["turno de día", "pesado"]
    do(alice, "untag", "rover-1", tags="pesado")
    assert robot("rover-1").tags == ["turno de día"]
    # What changed since stays as it is.
    assert "Deshecho en 2 robots." in undo(alice, page)
    assert (robot("rover-1").tags, robot("rover-2").tags) == (["turno de día"], [])
    assert Entry.objects.filter(thing="robot", verb="tag").count() == 4


def test_maintenance_and_site_of_many_go_back_to_what_each_robot_had(people: SimpleNamespace) -> None:
    alice, now = client_of(people.alice), timezone.now()
    services.start_maintenance(robot("rover-2"), until=now + timedelta(hours=9), reason="Ruedas", actor=services.SYSTEM, now=now)
    page = do(alice, "maintain", "rover-1", "rover-2", hours="1", reason="Inventario")
    assert "2 robots en mantenimiento." in page
    assert {one.maintenance_reason for one in Robot.objects.filter(pk__in=["rover-1", "rover-2"])} == {"Inventario"}
    undo(alice, page)
    assert robot("rover-1").maintenance_until is None
    assert (robot("rover-2").maintenance_reason, robot("rover-2").maintenance_until) == ("Ruedas", now + timedelta(hours=9))

    yard = Site.objects.create(organisation=people.organisation, name="Patio", slug="patio")
    before = {robot_id: robot(robot_id).site for robot_id in ("rover-1", "rover-2")}
    page = do(alice, "move", "rover-1", "rover-2", site="patio")
    assert robot("rover-1").site == robot("rover-2").site == yard
    undo(alice, page)
    assert {robot_id: robot(robot_id).site for robot_id in before} == before


def test_all_that_match_are_those_of_the_filters_on_whichever_page(people: SimpleNamespace) -> None:
    for number in range(120):
        services.add_robot(f"cart-{number}", organisation=people.organisation)
    page = client_of(people.alice).get(f"{HERE}?q=cart").content.decode()
    assert "<h1>120 robots coinciden</h1>" in page
    assert "y 108 más" in page
    assert "<h1>Ningún robot coincide</h1>" in client_of(people.alice).get(f"{HERE}?q=truck").content.decode()
    assert "cart-1" not in client_of(people.carlos).get(f"{HERE}?q=cart").content.decode()
    assert client_of(people.alice).post(f"{HERE}explode/").status_code == 404


def test_a_role_that_does_not_reach_changes_nothing_and_is_told_so_but_has_favourites(people: SimpleNamespace) -> None:
    bob, carlos = client_of(people.bob), client_of(people.carlos)
    asked = bob.get(HERE).content.decode()
    assert "many/maintain/" not in asked
    assert "many/tag/" not in asked
    page = do(bob, "tag", "rover-1", "rover-2", tags="mine")
    assert "2 robots quedan como estaban: tu papel en su organización no alcanza" in page
    assert "2 robots entre tus favoritos." in do(bob, "star", "rover-1", "rover-2")
    assert Star.objects.filter(user=people.bob).count() == 2
    # Of robots of others nothing is said, and nobody takes back what another did.
    assert "rover-1" not in do(carlos, "maintain", "rover-1")
    assert robot("rover-1").tags in ([], None)
    assert robot("rover-1").maintenance_until is None
    done = do(client_of(people.alice), "tag", "rover-1", tags="hers")
    assert "Ya no hay nada que deshacer." in undo(bob, done)
    assert robot("rover-1").tags == ["hers"]

    Membership.objects.filter(user=people.bob).update(role=Membership.Role.OPERATOR)
    assert "1 robot en mantenimiento." in do(bob, "maintain", "rover-1", hours="1")
    assert "quedan como estaban" in do(bob, "move", "rover-1", "rover-2", site="bodega")


def test_one_request_acts_for_so_long_and_says_how_many_are_left(people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "RUN_S", -1.0)
    page = do(client_of(people.alice), "tag", "rover-1", "rover-2", tags="late")
    assert "Quedan 2: hazlo otra vez para seguir." in page
    assert robot("rover-1").tags in ([], None)


def test_what_cannot_be_is_named_once_with_its_reason(people: SimpleNamespace) -> None:
    page = do(client_of(people.alice), "tag", "rover-1", "rover-2", tags=" , ")
    assert page.count("2 robots quedan como estaban: etiquetas: escribe al menos una") == 1
    assert "1 robot queda como estaba: sitio moon: su organización no lo tiene" in do(
        client_of(people.alice), "move", "rover-1", site="moon"
    )
