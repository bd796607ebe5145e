"""Flota: who needs somebody, which, why, since when; the same for all who see the same."""

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.alarms.services import raise_alarm
from croody.audit.actor import Actor
from croody.console.fleet import facts, own, spark
from croody.console.fleet.roster import Listed, ordered
from croody.console.fleet.selection import Selection, select
from croody.console.fleet.stream import FleetFeed, View
from croody.console.models import SavedView, Star
from croody.fleet import services
from croody.fleet.models import Robot
from croody.live.page_feed import Viewer
from croody.liveness.judge import State
from tests.cloud.web.helpers import DRIVING, say

pytestmark = pytest.mark.django_db(databases="__all__")
ALICE = Actor("person", name="alice")


def told(one: Any) -> Any:
    chunk = b"".join(one._waiting)
    one._waiting.clear()
    return json.loads(chunk.decode().split("data: ")[-1]) if chunk else None


def watch(feed: FleetFeed, caller: Any, language: str = "es", asked: Selection = Selection()) -> Any:  # noqa: B008
    one = Viewer(View(facts.audience_of(caller), language, asked), "")
    feed.listeners.add(one)
    feed.welcome(one)
    return one


def turn(feed: FleetFeed) -> None:
    feed.publish(feed.read())


def page(user: Any, address: str = "/console/") -> str:
    client = Client()
    client.force_login(user)
    return client.get(address).content.decode()


def test_the_head_says_how_many_need_somebody_and_the_reason_stands_whole_in_its_row(people: SimpleNamespace) -> None:
    now = datetime.now(UTC)
    say("rover-1", 1, DRIVING)
    say("rover-2", 1, DRIVING)
    raise_alarm("rover-2", "conflict", "", "high", {}, now - timedelta(minutes=12))
    html = page(people.alice)
    assert '<h1 data-page="sentence">Un robot pide atención</h1>' in html
    row = html[html.index('id="robot-rover-2"') : html.index('id="robot-rover-1"')]
    assert "Llegaron dos registros distintos con el mismo número: revisa si otro robot usa su secreto." in row
    assert "desde hace 12" in row
    assert html.index("group-attention") < html.index('id="robot-rover-2"') < html.index("group-well")
    assert "One robot needs attention" in page(people.alice, "/en/console/")


def test_a_critical_alarm_makes_a_robot_faulted_and_stands_in_the_title(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING)
    raise_alarm("rover-1", "conflict", "", "critical", {}, datetime.now(UTC))
    html = page(people.alice)
    assert "<title>(1) Un robot pide atención · Flota · Croody</title>" in html
    assert "Con falla" in html
    assert "favicon-critical" in html.split('rel="icon"')[1].split(" data-live")[0]


def test_who_is_in_maintenance_asks_for_nobody_and_says_why_and_by_whom(people: SimpleNamespace) -> None:
    now = datetime.now(UTC)
    services.start_maintenance(
        Robot.objects.get(pk="rover-1"), until=now + timedelta(hours=1), reason="Cambio de rueda", actor=ALICE, now=now
    )
    html = page(people.alice)
    assert "Ningún robot pide atención" in html
    assert "Cambio de rueda (alice)" in html


def test_another_teams_shared_robot_is_on_the_monitor_and_not_here(people: SimpleNamespace) -> None:
    other = Organisation.objects.create(name="Carlos's", slug="carlos")
    Membership.objects.create(user=people.carlos, organisation=other, role="owner")
    services.add_robot("carlos-1", organisation=other)
    html = page(people.carlos)
    assert 'id="robot-carlos-1"' in html
    assert "rover-2" not in html


def test_who_belongs_to_no_organisation_is_told_what_to_do(people: SimpleNamespace) -> None:
    assert "Aún no perteneces a ninguna organización" in page(people.carlos)


def test_what_the_address_asks_for_is_what_is_shown(people: SimpleNamespace) -> None:
    services.set_tags(Robot.objects.get(pk="rover-1"), ["norte"], actor=ALICE, now=datetime.now(UTC))
    for query, shown in [
        ("?tag=norte", {"rover-1"}),
        ("?q=VER-2", {"rover-2"}),
        ("?q=nort", {"rover-1"}),
        ("?site=bodega", {"rover-1", "rover-2"}),
        ("?state=unknown", {"rover-1", "rover-2"}),
        ("?state=offline", set()),
        ("?state=nonsense&page=x&sort=y", {"rover-1", "rover-2"}),
    ]:
        assert set(re.findall(r'id="robot-([\w-]+)"', page(people.alice, "/console/" + query))) == shown, query
    assert "Ninguno con estos filtros." in page(people.alice, "/console/?state=offline")


def test_all_who_see_the_same_share_one_encoding_whoever_they_are(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING)
    feed = FleetFeed(round_s=60)
    alice, bob, english = watch(feed, of_user(people.alice)), watch(feed, of_user(people.bob)), watch(feed, of_user(people.bob), "en")
    turn(feed)
    assert alice._waiting[0] is bob._waiting[0]
    assert told(english)["texts"][""]["sentence"] == "No robot needs attention"
    assert told(alice)["texts"]["rover-1"]["battery"] == "81\u00a0%"
    told(bob)
    turn(feed)
    assert told(alice) is None


def test_trouble_moves_up_as_a_row_and_a_cell_of_the_strip(people: SimpleNamespace) -> None:
    say("rover-1", 1, DRIVING)
    say("rover-2", 1, DRIVING)
    feed = FleetFeed(round_s=60)
    one = watch(feed, of_user(people.alice))
    turn(feed)
    assert told(one)["lists"]["rows"] == ["group-well", "robot-rover-1", "robot-rover-2"]
    raise_alarm("rover-2", "conflict", "", "critical", {}, datetime.now(UTC))
    turn(feed)
    message = told(one)
    assert message["lists"]["rows"] == ["group-attention", "robot-rover-2", "group-well", "robot-rover-1"]
    assert message["lists"]["strip"] == ["cell-rover-2", "cell-rover-1"]
    assert "Con falla" in message["html"]["robot-rover-2"]
    assert "robot-rover-1" not in message["html"]
    assert message["texts"][""]["critical"] == 1
    assert message["texts"][""]["title"].startswith("(1) Un robot pide atención")


def test_a_thousand_robots_come_in_pages_of_a_hundred_with_bars_for_the_whole(people: SimpleNamespace) -> None:
    Robot.objects.bulk_create(Robot(robot_id=f"crowd-{number}", organisation=people.organisation) for number in range(998))
    html = page(people.alice, "/console/?page=3")
    assert len(re.findall(r'<tr role="row" class="is-', html)) == 100
    assert "página 3 de 10" in html
    assert 'id="bars"' in html
    assert 'id="strip"' not in html
    assert html.count('<rect class="is-unknown"') == 1
    assert 'data-page="count-group-well">1\u00a0000</span>' in html, "as many as there are on all pages"


def test_a_page_asks_as_much_of_the_database_for_a_hundred_robots_as_for_two(
    people: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    client.force_login(people.alice)
    for number in range(98):
        services.add_robot(f"crowd-{number}", organisation=people.organisation)
        say(f"crowd-{number}", 1, DRIVING)
        raise_alarm(f"crowd-{number}", "gap", "", "medium", {"missing": 1}, datetime.now(UTC))
    client.get("/console/")
    with django_assert_max_num_queries(32):
        client.get("/console/")


def test_favourites_are_ones_own_and_can_be_asked_for(people: SimpleNamespace) -> None:
    client = Client()
    client.force_login(people.alice)
    answer = client.post("/console/robots/rover-2/star/", {"on": "1", "sort": "name"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/?sort=name")
    assert set(re.findall(r'id="robot-([\w-]+)"', page(people.alice, "/console/?starred=1"))) == {"rover-2"}
    assert re.findall(r'id="robot-([\w-]+)"', page(people.bob, "/console/?starred=1")) == []
    assert page(people.alice).count('aria-pressed="true"') == 1
    assert client.post("/console/robots/rover-2/star/", {"on": ""}, headers={"X-Fragment": "star"}).status_code == 204
    assert page(people.alice).count('aria-pressed="true"') == 0


def test_who_may_not_add_robots_is_not_led_to_the_page(people: SimpleNamespace) -> None:
    assert "Agregar robot" in page(people.alice)
    assert "Agregar robot" not in page(people.bob)


def test_an_empty_fleet_leads_who_may_to_the_page_and_tells_others_who_may(people: SimpleNamespace) -> None:
    Robot.objects.all().delete()
    assert "Agrega el primero" in page(people.alice)
    html = page(people.bob)
    assert "Aún no hay robots" in html
    assert "/robots/new/" not in html
    assert "Los agrega quien puede mantener o administrar la organización." in html


def test_a_view_is_kept_under_a_name_found_again_and_dropped(people: SimpleNamespace) -> None:
    client = Client()
    client.force_login(people.alice)
    answer = client.post("/console/views/", {"name": "  La  noche ", "state": "offline", "q": "rover", "page": "7"}, follow=True)
    assert "Vista guardada: La noche" in answer.content.decode()
    assert 'href="?q=rover&amp;state=offline">La noche</a>' in page(people.alice)
    assert "La noche" not in page(people.bob)
    number = SavedView.objects.get().pk
    other = Client()
    other.force_login(people.bob)
    assert other.post(f"/console/views/{number}/forget/").status_code == 404
    assert client.post(f"/console/views/{number}/forget/").status_code == 303
    assert not SavedView.objects.exists()


def test_favourites_and_views_have_an_end_and_say_so(people: SimpleNamespace) -> None:
    client = Client()
    client.force_login(people.alice)
    for number in range(own.MOST_VIEWS):
        own.save(people.alice.pk, f"v{number}", Selection())
    assert "caben 30" in client.post("/console/views/", {"name": "one more"}, follow=True).content.decode()
    assert "escribe de 1 a 40 caracteres" in client.post("/console/views/", {"name": " "}, follow=True).content.decode()
    client.post("/console/views/", {"name": "v3", "state": "stale"})
    assert SavedView.objects.get(name="v3").query == "state=stale"
    Robot.objects.bulk_create(Robot(robot_id=f"crowd-{number}", organisation=people.organisation) for number in range(own.MOST_STARS))
    Star.objects.bulk_create(Star(user=people.alice, robot_id=f"crowd-{number}") for number in range(own.MOST_STARS))
    assert client.post("/console/robots/rover-1/star/", {"on": "1"}, headers={"X-Fragment": "star"}).status_code == 422


def test_maintenance_is_begun_made_longer_and_ended_on_its_page(people: SimpleNamespace) -> None:
    client = Client()
    client.force_login(people.alice)
    where = "/console/robots/rover-1/maintenance/"
    assert "Poner rover-1 en mantenimiento" in client.get(where).content.decode()
    assert client.get(f"{where}start/").headers["Location"] == where
    answer = client.post(f"{where}start/", {"hours": "4", "reason": "Cambio de rueda"})
    assert answer.headers["Location"] == "/console/robots/rover-1/"
    robot = Robot.objects.get(pk="rover-1")
    assert timedelta(hours=3.9) < robot.maintenance_until - datetime.now(UTC) <= timedelta(hours=4)
    assert (robot.maintenance_by, robot.maintenance_reason) == ("alice", "Cambio de rueda")
    html = client.get(where).content.decode()
    assert "rover-1 está en mantenimiento" in html
    assert "Terminar el mantenimiento" in html
    refused = client.post(f"{where}start/", {"hours": "8", "reason": "x" * 201})
    assert (refused.status_code, "caben 200" in refused.content.decode(), "x" * 201 in refused.content.decode()) == (422, True, True)
    client.post(f"{where}end/")
    assert Robot.objects.get(pk="rover-1").maintenance_until is None


# Pure parts


def listed(robot_id: str, state: State, worst: str = "", **more: Any) -> Listed:
    return Listed(robot_id, "robot", state, worst=worst, alerts=bool(worst), **more)


def test_the_gravest_come_first_and_names_are_ordered_as_people_count() -> None:
    robots = [
        listed("r-10", State.ONLINE),
        listed("r-2", State.ONLINE),
        listed("new", State.UNKNOWN),
        listed("mended", State.MAINTENANCE, "high"),
        listed("late", State.STALE),
        listed("gone", State.OFFLINE),
        listed("hot", State.FAULTED, "critical"),
        listed("odd", State.MOVING, "high"),
        listed("a-gap", State.MOVING, "medium"),
    ]
    names = [robot.robot_id for robot in ordered(robots)]
    assert names == ["hot", "gone", "late", "odd", "mended", "new", "a-gap", "r-2", "r-10"]


@pytest.mark.parametrize(("sort", "names"), [("name", ["a", "b"]), ("age", ["b", "a"]), ("alerts", ["a", "b"])])
def test_a_list_can_be_ordered_otherwise(sort: str, names: list[str]) -> None:
    robots = [listed("b", State.ONLINE, heard=10.0), listed("a", State.ONLINE, "low", heard=20.0)]
    assert [robot.robot_id for robot in select(robots, Selection(sort=sort)).robots] == names


def test_an_address_that_was_read_asks_for_the_same_again() -> None:
    asked = Selection.of({"q": "a b", "state": "attention", "tag": "x", "starred": "1", "sort": "age", "page": "3"})
    assert asked.address(page=3) == "?q=a+b&state=attention&tag=x&starred=1&sort=age&page=3"
    assert asked.address(state="") == "?q=a+b&tag=x&starred=1&sort=age"


def test_a_line_is_broken_where_nothing_came_and_hatched_there() -> None:
    values: list[float | None] = [10.0, 20.0, None, None, 30.0]
    drawn = spark.draw(values, spark.domain([values]))
    assert drawn.line.count("M") == 2
    assert drawn.holes == "M44.0 2H88.0V22H44.0Z"
    assert drawn.dot.startswith("M99 ")
    assert spark.draw([None] * 4, spark.domain([])).line == ""
    flat = spark.domain([[5.0, 5.0]])
    assert flat.low < 5.0 < flat.high or flat.low <= 5.0 < flat.high


def test_the_line_shows_what_most_robots_send_unless_another_one_is_asked_for() -> None:
    values = [{"motor_temp_c": 1.0, "battery_pct": 3.0}, {"motor_temp_c": 1.0, "speed_mps": 2}, {"word": "x"}]
    assert spark.choose(values, "") == "motor_temp_c"
    assert spark.choose(values, "speed_mps") == "speed_mps"
    assert spark.choose(values, "nothing") == "motor_temp_c"
    assert spark.choose([{}], "") == ""
