"""`/robots/monitor/`: who sees which robot, in which words."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from croody.accounts.caller import ANONYMOUS, of_user
from croody.alarms.services import raise_alarm
from croody.fleet import services
from croody.fleet.access import ids_now
from croody.liveness.models import Listening
from croody.monitor import facts
from tests.cloud.web.helpers import DRIVING, PLAN, say

pytestmark = pytest.mark.django_db(databases="__all__")


def page(client, path: str = "/robots/monitor/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def row_of(text: str, robot_id: str) -> str:
    found = re.search(rf'<tr[^>]*id="robot-{robot_id}".*?</tr>', text, re.DOTALL)
    assert found is not None, f"{robot_id} has no row"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]).replace("&nbsp;", " ")).strip()


def test_the_public_sees_shared_robots_and_alice_and_bob_their_own_too(client, people):
    assert ids_now(ANONYMOUS) == {"rover-2"}
    for user, expected in ((people.alice, {"rover-1", "rover-2"}), (people.bob, {"rover-1", "rover-2"}), (people.carlos, {"rover-2"})):
        assert ids_now(of_user(user)) == expected
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        text = page(client)
        assert ("rover-1" in text) == ("rover-1" in expected)
        assert "rover-2" in text


def test_a_robot_that_is_shared_no_more_is_gone_and_so_is_a_revoked_one(client, people):
    from croody.fleet.models import Robot

    Robot.objects.filter(pk="rover-2").update(shared=False)
    assert "rover-2" not in page(client)
    Robot.objects.filter(pk="rover-2").update(shared=True)
    services.revoke(Robot.objects.get(pk="rover-2"), now=datetime.now(UTC))
    assert "rover-2" not in page(client)


def test_a_user_who_was_deleted_sees_what_strangers_see(people):
    audience = of_user(people.alice)
    people.alice.delete()
    assert ids_now(audience) == {"rover-2"}


def test_the_head_is_the_answer_in_both_languages(client, people):
    assert "0 de 1 robot en línea" in page(client)
    say("rover-2", 1, DRIVING)
    assert "1 de 1 robot en línea" in page(client)
    services.add_robot("rover-3", organisation=people.organisation, shared=True)
    assert "1 de 2 robots en línea" in page(client)
    assert "1 of 2 robots online" in page(client, "/en/robots/monitor/")


def test_a_row_has_state_values_with_units_age_battery_score_and_delivery(client, people):
    say("rover-2", 1, DRIVING)
    text = row_of(page(client), "rover-2")
    for part in ("En marcha", "se mueve", "0 s", "Velocidad 1,10 m/s", "Temp. motor 41,2 °C", "81", "0,03", "100 %", "sin huecos"):
        assert part in text
    english = row_of(page(client, "/en/robots/monitor/"), "rover-2")
    for part in ("Moving", "driving", "Speed 1.10 m/s", "0.03", "100 %", "no gaps"):
        assert part in english


def test_a_robot_that_was_never_heard_says_so(client, people):
    text = row_of(page(client), "rover-2")
    assert "Sin estrenar" in text
    assert "Espera su primera lectura" in text


def test_a_gap_is_counted_and_never_rounded_away(client, people):
    say("rover-2", 1, DRIVING)
    say("rover-2", 5, DRIVING)
    text = row_of(page(client), "rover-2")
    assert "60,000 %" in text
    assert "1 hueco" in text


def test_a_robot_that_numbers_nothing_proves_nothing(client, people):
    from croody.telemetry.ingest.services import ingest_one
    from croody_contract.messages import Telemetry

    ingest_one(Telemetry(data={"TEMP": 20.0}, robot_id="rover-2"), "rover-2", "http", now=datetime.now(UTC))
    text = row_of(page(client), "rover-2")
    assert "sin numerar" in text
    assert "100" not in text


def test_a_stale_robot_keeps_its_values_and_shows_their_age(client, people):
    say("rover-2", 1, DRIVING, now=datetime.now(UTC) - timedelta(seconds=40))
    text = page(client)
    assert 'class="bot is-stale' in text
    assert "Atrasado" in row_of(text, "rover-2")
    assert re.search(r"hace 4\d\u00a0s", text)


def test_strangers_are_not_told_of_faults_and_quarantines():
    from croody.liveness.judge import State, public
    from croody.monitor.words import WORDS

    assert {str(WORDS[public(state)]) for state in (State.FAULTED, State.QUARANTINED, State.MAINTENANCE)} == {"Mantenimiento"}
    assert all(public(state) in WORDS for state in State)


def test_the_plan_shows_the_robot_where_it_is(client, people):
    say("rover-2", 1, *[{**DRIVING, "x_m": 10.0 + step, "y_m": 12.0} for step in range(5)])
    text = page(client)
    left, top, width = (float(re.search(rf'data-{side}="([\d.]+)"', text)[1]) for side in ("left", "top", "width"))
    scale = width / PLAN["width_m"]
    x, y = (float(part) for part in re.search(r'data-robot="rover-2" transform="translate\(([\d.]+) ([\d.]+)\)', text).groups())
    assert x == pytest.approx(left + 14 * scale, abs=0.1)
    assert y == pytest.approx(top + 12 * scale, abs=0.1)
    assert "rotate(90.0)" in text
    trail = re.search(r'class="new" d="([^"]+)"', text)[1]
    assert trail.count("M") == 1
    assert trail.count("L") == 4


def test_a_robot_without_a_position_is_in_its_own_list(client, people):
    say("rover-2", 1, {"cpu_pct": 12.5, "disk_free_bytes": 41_876_543_210})
    text = page(client)
    assert "1 robot no la informa" in text
    assert 'class="bot' not in text
    assert "39,0 GiB" in row_of(text, "rover-2")


def test_a_robot_with_a_place_on_earth_and_none_on_a_plan_is_on_the_map(client, people):
    services.add_robot("drone-1", organisation=people.organisation, shared=True)
    say("drone-1", 1, {"TEMP": 11.0}, place=(4.8, -73.9))
    places = json.loads(re.search(r'<script id="places" type="application/json">(.*?)</script>', page(client))[1])
    assert {"name": "drone-1", "site": "", "lat": 4.8, "lng": -73.9, "state": "moving", "count": ""} in places
    assert {place["name"] for place in places} == {"Bodega", "drone-1"}


def test_a_robot_that_says_nonsense_is_shown_and_breaks_nothing(client, people):
    say("rover-2", 1, {"x_m": "left", "y_m": True, "battery_pct": "full", "name": "<script>alert(1)</script>", "on": True, "big": 1e300})
    text = page(client)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "full" in row_of(text, "rover-2")


def test_while_the_cloud_is_deaf_no_robot_is_said_to_be_gone(people):
    now = datetime.now(UTC)
    say("rover-2", 1, DRIVING, now=now)
    Listening.objects.create(pk=Listening.ONLY, since=now - timedelta(hours=1), at=now)
    later = facts.roster(ANONYMOUS, now + timedelta(hours=2))
    assert later.deaf_since == now
    assert later.robots[0].state == "moving"
    Listening.objects.update(at=now + timedelta(hours=2))
    heard = facts.roster(ANONYMOUS, now + timedelta(hours=2))
    assert heard.deaf_since is None
    assert heard.robots[0].state == "offline"


def test_a_lost_database_is_said_and_the_page_goes_on_by_itself(client, people, monkeypatch):
    def lost(*args: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("croody.monitor.facts.roster", lost)
    answer = client.get("/en/robots/monitor/")
    assert answer.status_code == 503
    text = answer.content.decode()
    assert "Croody cannot read its database" in text
    assert 'data-stream="/en/robots/monitor/stream" data-version="" data-lost' in text


def test_robots_are_paged_by_a_hundred_and_counted_whole(client, people):
    for number in range(3, 108):
        services.add_robot(f"rover-{number}", organisation=people.organisation, shared=True)
    text = page(client)
    assert "0 de 106 robots en línea" in text
    assert len(re.findall(r'<tr role="row" class="is-', text)) == 100
    assert "página 1 de 2" in text
    assert len(re.findall(r'<tr role="row" class="is-', page(client, "/robots/monitor/?pagina=2"))) == 6
    assert "página 2 de 2" in page(client, "/robots/monitor/?pagina=99")


def test_robot_two_comes_before_robot_ten():
    assert sorted(["r-10", "r-2", "r", "R-1", "a10b2", "a10b1"], key=facts.natural) == ["a10b1", "a10b2", "r", "R-1", "r-2", "r-10"]


def attention(client: Any, path: str = "/robots/monitor/") -> tuple[str, list[str]]:
    """The line above the list, and where its links lead."""
    line = re.search(r"<p class=\"attention[^>]*>(.*?)</p>", client.get(path).content.decode(), re.DOTALL)
    assert line
    return re.sub(r"<[^>]+>", "", line[1]), re.findall(r'href="([^"]+)"', line[1])


def test_who_is_late_or_silent_is_named_above_the_list(client, people):
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    say("rover-2", 1, {"TEMP": 20.0})
    assert attention(client) == ("Ninguno pide atención.", [])
    for number in range(3, 12):
        services.add_robot(f"rover-{number}", organisation=people.organisation, shared=True)
    say("rover-3", 1, {"TEMP": 20.0}, now=long_ago)
    assert attention(client) == ("1 pide atención: rover-3", ["#robot-rover-3"])
    for number in range(4, 12):
        say(f"rover-{number}", 1, {"TEMP": 20.0}, now=long_ago)
    text, links = attention(client, "/en/robots/monitor/")
    assert text == "9 need attention: rover-3, rover-4, rover-5, rover-6, rover-7, rover-8, rover-9, rover-10, …"
    assert links == [f"#robot-rover-{number}" for number in range(3, 11)]


def test_trouble_stands_first_and_is_linked_from_any_page(client, people):
    for number in range(10, 115):
        services.add_robot(f"a-{number}", organisation=people.organisation, shared=True)
        say(f"a-{number}", 1, {"TEMP": 20.0})
    say("rover-2", 1, {"TEMP": 20.0}, now=datetime.now(UTC) - timedelta(minutes=10))
    assert re.search(r'id="robot-([^"]+)"', page(client))[1] == "rover-2"
    assert attention(client)[1] == ["#robot-rover-2"]
    assert attention(client, "/robots/monitor/?pagina=2")[1] == ["/robots/monitor/#robot-rover-2"]


def test_a_robot_that_never_spoke_stands_last(client, people):
    services.add_robot("a-new", organisation=people.organisation, shared=True)
    say("rover-2", 1, {"TEMP": 20.0})
    assert re.findall(r'id="robot-([^"]+)"', page(client)) == ["rover-2", "a-new"]


def test_attention_counts_open_alarms_and_gaps_for_the_team_and_says_nothing_of_them_to_strangers(client, people):
    now = datetime.now(UTC)
    say("rover-2", 1, {"TEMP": 20.0})
    raise_alarm("rover-2", "anomaly", "", "high", {}, now)
    raise_alarm("rover-2", "gap", "s", "medium", {"missing": 3}, now)
    assert attention(client) == ("Ninguno pide atención.", [])
    client.force_login(people.bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert attention(client) == ("2 alertas abiertas · 1 robot con huecos", ["#alarms"])
    assert attention(client, "/en/robots/monitor/")[0] == "2 open alerts · 1 robot with gaps"


def test_the_list_is_narrowed_by_its_address_and_the_head_still_counts_all(client, people):
    say("rover-2", 1, {"TEMP": 20.0}, now=datetime.now(UTC) - timedelta(minutes=10))
    for number in range(3, 6):
        services.add_robot(f"drone-{number}", organisation=people.organisation, shared=True)
        say(f"drone-{number}", 1, {"TEMP": 20.0})

    def ids(query: str) -> list[str]:
        text = page(client, "/robots/monitor/" + query)
        assert "3 de 4 robots en línea" in text
        return re.findall(r'id="robot-([^"]+)"', text)

    assert ids("?buscar=ONE-4") == ["drone-4"]
    assert ids("?estado=atencion") == ["rover-2"]
    assert ids("?estado=offline&buscar=rover") == ["rover-2"]
    assert ids("?sitio=bodega") == ["rover-2"]
    assert ids("?estado=moving&pagina=9&buscar=drone-5") == ["drone-5"]
    assert ids("?buscar=nobody") == []
    assert ids("?estado=nonsense&pagina=-1") == ["rover-2", "drone-3", "drone-4", "drone-5"]


def test_a_robot_beyond_the_plan_stands_at_its_edge_with_its_distance_and_is_counted(client, people):
    say("rover-2", 1, {**DRIVING, "x_m": -1.5, "y_m": -2.0})
    text = page(client)
    assert re.search(r'class="bot [^"]* off" data-robot="rover-2" transform="translate\(40.0 18.0\)"', text)
    assert ">a 2,5 m</text>" in text
    assert "1 fuera del plano" in text
    assert "Sin posición" not in re.sub(r"<section[^>]*hidden.*?</section>", "", text, flags=re.DOTALL)


def test_a_site_without_a_plan_shows_a_grid_round_its_robots_also_left_of_zero(client, people):
    people.site.plan = {}
    people.site.save()
    services.add_robot("rover-3", organisation=people.organisation, site=people.site, shared=True)
    say("rover-2", 1, {"x_m": -12.0, "y_m": -3.0})
    say("rover-3", 1, {"x_m": -4.0, "y_m": -9.5})
    text = page(client)
    assert len(re.findall(r'class="bot ', text)) == 2
    assert " off" not in "".join(re.findall(r'class="bot [^"]*"', text))
    assert re.search(r">\u2212?\d+\u00a0m</text>", text), "the scale says its unit"
    assert ">\u221210</text>" in text


def test_the_largest_double_is_short_and_an_integer_has_no_decimals(client, people):
    say("rover-2", 1, {"range_m": 1.7976931348623157e308, "x": 3.4028234663852886e38, "pieces": 49})
    text = row_of(page(client), "rover-2")
    assert "Range 1,8e308 m" in text
    assert "X 3,4e38" in text
    assert "Pieces 49" in text
    assert "49,00" not in text
    assert "1.8e308" in row_of(page(client, "/en/robots/monitor/"), "rover-2")


def test_a_robot_with_only_a_battery_shows_its_value_and_age(client, people):
    say("rover-2", 1, {"battery_pct": 90})
    text = row_of(page(client), "rover-2")
    assert "Espera su primera lectura" not in text
    assert "90" in text
    assert " 0 s " in text


def test_more_than_fifty_robots_on_a_plan_are_dots_without_trails(client, people):
    for number in range(3, 56):
        services.add_robot(f"rover-{number}", organisation=people.organisation, site=people.site, shared=True)
        say(f"rover-{number}", 1, {**DRIVING, "x_m": number / 2}, {**DRIVING, "x_m": number / 2 + 1})
    text = page(client)
    assert re.search(r'id="plan" class="[^"]*dots"', text)
    assert re.findall(r'class="new" d="([^"]+)"', text) == []
    assert "estela" not in text


def test_sites_are_offered_where_there_is_something_to_choose(client, people):
    say("rover-2", 1, DRIVING)
    assert 'href="?sitio=bodega"' not in page(client)
    services.add_robot("drone-1", organisation=people.organisation, shared=True)
    text = page(client)
    assert "Todos" in text
    assert re.search(r'href="\?sitio=bodega"[^>]*>Bodega <span class="count">\(1\)', text), "a name and a count are told apart"


def test_the_home_page_shows_trouble_first_and_counts_who_has_no_room(client, people):
    for number in range(10, 75):
        services.add_robot(f"a-{number}", organisation=people.organisation, shared=True)
    say("rover-2", 1, {"TEMP": 20.0}, now=datetime.now(UTC) - timedelta(minutes=10))
    text = page(client, "/")
    shown = re.findall(r'id="strip-([^"]+)"', text)
    assert shown[0] == "rover-2"
    assert len(shown) == 60
    assert "y 6 robots más" in text


def test_who_asks_for_somebody_is_drawn_above_the_others_on_the_plan(client, people):
    now = datetime.now(UTC)
    for name in ("a-1", "b-2", "c-3"):
        services.add_robot(name, organisation=people.organisation, site=people.site, shared=True)
        say(name, 1, DRIVING, now=now - timedelta(seconds=40 if name == "b-2" else 0))
    text = client.get("/robots/monitor/").content.decode()
    assert re.findall(r'<g id="mark-([^"]+)"', text) == ["a-1", "c-3", "b-2"]
    assert re.findall(r'<tr role="row" class="[^"]+" id="robot-([abc][^"]+)"', text) == ["b-2", "a-1", "c-3"]
