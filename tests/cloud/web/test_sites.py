"""Sites in the console: made, changed, deleted, by whom; bad input kept and named. A robot's own page of what it is to its team."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.accounts.models import Membership, Organisation
from croody.audit.models import Entry
from croody.console.robot_edit import facts
from croody.fleet.models import Robot, Site
from croody.monitor.plan import draw

pytestmark = pytest.mark.django_db(databases="__all__")
HERE = "/es/console/sites/"
ROBOT = "/es/console/robots/rover-1/edit/"


@pytest.fixture
def alice(people: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(people.alice)
    return client


@pytest.fixture
def bob(people: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(people.bob)
    return client


def typed(**changes: str) -> dict[str, str]:
    return {"name": "Patio", "width_m": "30,5", "height_m": "20", "lat": "4.7", "lng": "-74.1", "parts": ""} | changes


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_site_is_made_with_a_plan_that_can_be_drawn(alice: Client, people: SimpleNamespace):
    answer = alice.post(HERE, typed(parts='{"racks": [{"name": "A1", "x_m": 2, "y_m": 2, "w_m": 2, "h_m": 5}], "secret": 1}'))

    assert answer.status_code == 303
    site = Site.objects.get(slug="patio")
    assert (site.organisation, site.origin_lat, site.plan["width_m"]) == (people.organisation, 4.7, 30.5)
    assert "secret" not in site.plan
    drawing = draw(site.plan)
    assert drawing is not None
    assert (len(drawing.racks), len(drawing.walls), drawing.bare) == (1, 4, False)
    assert Entry.objects.get(thing="site", verb="add").thing_id == "patio"
    page = text(alice.get(HERE))
    assert "30,5 × 20\xa0m" in page
    assert "4.70000, -74.10000" in page


def test_two_sites_may_have_one_name_and_any_script(alice: Client):
    for _ in range(2):
        alice.post(HERE, typed(name="Patio"))
    alice.post(HERE, typed(name="仓库"))
    assert list(Site.objects.order_by("pk").values_list("slug", flat=True)) == ["bodega", "patio", "patio-2", "sitio"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Nombre"),
        ({"width_m": "mucho"}, "«mucho» no es un número"),
        ({"width_m": "1,500"}, "«1,500» puede ser 1500 o 1,5"),
        ({"height_m": ""}, "escribe los dos, o ninguno"),
        ({"width_m": "0"}, "ancho: de 1 a 10000 m; escribiste 0"),
        ({"width_m": "nan"}, "«nan» no es un número"),
        ({"width_m": "900", "height_m": "2"}, "20 veces"),
        ({"lat": "91"}, "latitud: de -90 a 90 °; escribiste 91"),
        ({"lng": ""}, "escribe las dos, o ninguna"),
        ({"parts": "{walls"}, "no es JSON"),
        ({"parts": "[1]"}, "no un objeto"),
        ({"parts": '{"walls": 3}'}, "un plano tiene listas"),
        ({"parts": "[" * 60_000}, "no es JSON"),
    ],
)
def test_what_cannot_be_is_said_and_stays_typed(changes: dict[str, str], said: str, alice: Client):
    answer = alice.post(HERE, typed(lat="4.7111") | changes)

    page = text(answer).replace("&#x27;", "'")
    assert answer.status_code == 422
    assert said in page
    assert "lat" in changes or 'value="4.7111"' in page
    assert not Site.objects.filter(slug="patio").exists()


def test_three_digits_that_can_only_be_one_number_are_read_and_a_form_saves_what_it_shows(alice: Client):
    assert alice.post(HERE, typed(width_m="12.1250", height_m="20,125", lat="4.711", lng="-74,081")).status_code == 303
    site = Site.objects.get(slug="patio")
    assert (site.plan["width_m"], site.plan["height_m"], site.origin_lat, site.origin_lng) == (12.125, 20.125, 4.711, -74.081)

    where = f"{HERE}{site.pk}/"
    shown = {
        name: re.search(rf'name="{name}" value="([^"]*)"', text(alice.get(where)))[1] for name in ("width_m", "height_m", "lat", "lng")
    }
    assert shown["width_m"] == "12.1250"
    assert alice.post(where, typed(**shown)).status_code == 303
    site.refresh_from_db()
    assert (site.plan["width_m"], site.plan["height_m"], site.origin_lat, site.origin_lng) == (12.125, 20.125, 4.711, -74.081)


def test_a_site_is_changed_and_keeps_its_slug(alice: Client, people: SimpleNamespace):
    where = f"{HERE}{people.site.pk}/"
    assert 'value="Bodega"' in text(alice.get(where))

    assert alice.post(where, typed(name="Bodega 3")).status_code == 303

    people.site.refresh_from_db()
    assert (people.site.name, people.site.slug, people.site.plan["height_m"]) == ("Bodega 3", "bodega", 20)
    entry = Entry.objects.get(verb="change", thing="site")
    assert (entry.before["name"], entry.after["name"]) == ("Bodega", "Bodega 3")


def test_deleting_a_site_leaves_its_robots(alice: Client, people: SimpleNamespace):
    where = f"{HERE}{people.site.pk}/"
    assert "2 robots trabajan en él" in text(alice.get(where))

    assert alice.post(f"{where}delete/").status_code == 303

    assert not Site.objects.exists()
    assert list(Robot.objects.order_by("pk").values_list("site", flat=True)) == [None, None]
    assert Entry.objects.get(verb="delete").before["robots"] == ["rover-1", "rover-2"]


def test_who_looks_sees_sites_and_changes_none(bob: Client, people: SimpleNamespace):
    page = text(bob.get(HERE))
    assert "Bodega" in page
    assert "<form method" not in page.partition("<main")[2].partition("</main>")[0]
    assert bob.post(HERE, typed()).status_code == 403
    assert bob.get(f"{HERE}{people.site.pk}/").status_code == 403
    assert bob.post(f"{HERE}{people.site.pk}/delete/").status_code == 403


def test_a_maintainer_changes_sites_and_deletes_none(bob: Client, people: SimpleNamespace):
    Membership.objects.filter(user=people.bob).update(role=Membership.Role.MAINTAINER)
    where = f"{HERE}{people.site.pk}/"
    assert "danger" not in text(bob.get(where)).partition("<main")[2]
    assert bob.post(where, typed()).status_code == 303
    assert bob.post(f"{where}delete/").status_code == 403


def test_sites_of_others_are_not_there(people: SimpleNamespace, alice: Client):
    others = Organisation.objects.create(name="Carlos's", slug="carlos")
    theirs = Site.objects.create(organisation=others, name="Lejos", slug="lejos")
    assert "Lejos" not in text(alice.get(HERE))
    assert alice.get(f"{HERE}{theirs.pk}/").status_code == 404
    assert alice.post(f"{HERE}{theirs.pk}/delete/").status_code == 404
    assert alice.get(f"{HERE}{10**30}/").status_code == 404


@pytest.mark.parametrize(
    ("act", "field", "value", "read"),
    [
        ("label", "label", "Ana, la rápida", lambda robot: robot.label == "Ana, la rápida"),
        ("tags", "tags", "muelle, pesado", lambda robot: robot.tags == ["muelle", "pesado"]),
        ("site", "site", "", lambda robot: robot.site is None),
        ("share", "shared", "1", lambda robot: robot.shared),
    ],
)
def test_what_a_robot_is_to_its_team_is_changed_and_undone(act: str, field: str, value: str, read: Any, alice: Client):
    before = Robot.objects.filter(pk="rover-1").values("label", "tags", "site", "shared").get()
    assert alice.post(f"{ROBOT}{act}/", {field: value}).headers["Location"] == ROBOT
    assert read(Robot.objects.get(pk="rover-1"))
    page = text(alice.get(ROBOT))
    assert "Deshacer" in page
    form = page.partition('class="changed"')[2]
    old = form.partition(f'name="{field}" value="')[2].partition('"')[0]

    alice.post(f"{ROBOT}{act}/", {field: old})

    assert Robot.objects.filter(pk="rover-1").values("label", "tags", "site", "shared").get() == before


def test_what_another_changed_since_is_not_undone_by_mistake(alice: Client, people: SimpleNamespace):
    from django.utils import timezone

    from croody.audit.actor import Actor
    from croody.fleet import services

    alice.post(f"{ROBOT}label/", {"label": "Ana"})
    services.set_notes(Robot.objects.get(pk="rover-1"), "cuidado", actor=Actor("person", people.bob.pk, "bob"), now=timezone.now())

    assert "Deshacer" not in text(alice.get(ROBOT))
    assert facts.changed(Robot.objects.get(pk="rover-1"), None, timezone.now()) is None


def test_a_name_that_is_too_long_stays_typed(alice: Client):
    answer = alice.post(f"{ROBOT}label/", {"label": "x" * 81})
    assert answer.status_code == 422
    assert "x" * 81 in text(answer)
    assert "80" in text(answer).partition('id="errors"')[2][:300]


def test_a_site_of_another_organisation_is_no_choice(alice: Client):
    others = Organisation.objects.create(name="Carlos's", slug="carlos")
    Site.objects.create(organisation=others, name="Lejos", slug="lejos")
    assert "Lejos" not in text(alice.get(ROBOT))
    assert alice.post(f"{ROBOT}site/", {"site": "lejos"}).status_code == 422
    assert alice.post(f"{ROBOT}site/", {"site": "\x00"}).status_code == 303
