"""Mapa: where the robots are, on a plan in metres and on Earth; none is dropped because it says no place or is away."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.accounts.caller import of_user
from croody.console.fleet.facts import audience_of
from croody.console.map.facts import MOST_ROBOTS
from croody.console.map.page import Asked
from croody.console.map.stream import MapFeed, View
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.live.page_feed import Viewer
from tests.cloud.web.helpers import DRIVING, say

pytestmark = pytest.mark.django_db(databases="__all__")


def page(user: Any, address: str = "/console/map/") -> str:
    client = Client()
    client.force_login(user)
    return client.get(address).content.decode()


def test_the_plan_comes_first_and_who_says_no_place_is_listed_and_counted(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING)
    html = page(people.alice)
    assert '<h1 data-page="sentence">Un robot no dice dónde está</h1>' in html
    assert "Bodega: 1 de 2 en el plano, en metros" in html
    assert 'id="mark-rover-1"' in html
    assert html.index('id="plan"') < html.index('id="map"')
    nowhere = html[html.index('id="nowhere"') :]
    assert "rover-2" in nowhere
    assert "rover-1" not in nowhere[: nowhere.index("</section>")]


def test_a_robot_beyond_the_floor_stands_at_its_edge_with_its_distance(people: SimpleNamespace) -> None:
    say("rover-1", 1, {**DRIVING, "x_m": 52.0})
    html = page(people.alice)
    assert "1 fuera del plano" in html
    assert "a 12,0\u00a0m" in html or "a 12,0 m" in html


def test_who_is_away_stays_where_it_was_last_with_its_age(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING, now=datetime.now(UTC) - timedelta(hours=2))
    html = page(people.alice)
    mark = html[html.index('id="mark-rover-1"') :]
    assert "is-offline" in mark[:60]
    assert "hace 2\u00a0h" in mark[: mark.index("</svg>")]


def test_the_address_chooses_the_site_and_a_robot_chooses_its_own(people: SimpleNamespace) -> None:
    yard = Site.objects.create(organisation=people.organisation, name="Aa patio", slug="patio", plan={"width_m": 10, "height_m": 10})
    services.add_robot("yard-1", organisation=people.organisation, site=yard)
    say("yard-1", 1, DRIVING)
    say("rover-1", 1, DRIVING)
    assert 'data-site="patio"' in page(people.alice)
    assert 'data-site="bodega"' in page(people.alice, "/console/map/?site=bodega")
    assert 'data-site="bodega"' in page(people.alice, "/console/map/?robot=rover-1")
    assert 'data-site="patio"' in page(people.alice, "/console/map/?site=nowhere&robot=nobody")


def test_markers_move_for_all_who_look_by_one_message(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING)
    feed = MapFeed(round_s=60)
    viewers: list[Any] = []
    for user in (people.alice, people.bob):
        one = Viewer(View(audience_of(of_user(user)), "es", Asked()), "")
        feed.listeners.add(one)
        feed.welcome(one)
        viewers.append(one)
    feed.publish(feed.read())
    for one in viewers:
        one._waiting.clear()
    say("rover-1", 3, {**DRIVING, "x_m": 21.0})
    feed.publish(feed.read())
    assert viewers[0]._waiting[0] is viewers[1]._waiting[0]
    message = json.loads(viewers[0]._waiting[0].decode().split("data: ")[-1])
    assert set(message["texts"]["rover-1"]) == {"at", "spot"}
    assert "html" not in message


def test_a_fleet_larger_than_what_is_drawn_is_said_to_be(people: SimpleNamespace) -> None:
    Robot.objects.bulk_create(Robot(robot_id=f"crowd-{number}", organisation=people.organisation) for number in range(MOST_ROBOTS))
    assert "Dónde están 2\u00a0000 de 2\u00a0002 robots, primero los que piden atención" in page(people.alice)
