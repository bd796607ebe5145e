"""`/console/robots/<id>/`: what it says and shows, what its charts are told, what people change there, who else looks."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody_contract.batch import payload_hash
from croody_contract.messages import Answer, Born, Event, Log, MetricInfo, Reading, Snapshot, Telemetry
from tests.cloud.web.helpers import DRIVING, say
from tests.contract.test_pictures import jpeg

pytestmark = pytest.mark.django_db(databases="__all__")
HOUR = timedelta(hours=1)


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


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def alarm(robot_id: str = "rover-1", kind: str = "conflict", severity: str = "high", **detail: Any) -> Any:
    from croody.alarms.services import raise_alarm

    return raise_alarm(robot_id, kind, "", severity, detail, datetime.now(UTC))


def test_the_page_answers_in_its_head_and_shows_every_value_with_its_unit(alice: Client):
    say("rover-1", 1, DRIVING)
    page = text(alice, "/console/robots/rover-1/")
    assert "rover-1 está en marcha</h1>" in page
    assert '<span data-t="v0">1,10</span>&nbsp;<span class="unit">m/s</span>' in page
    assert 'id="because" hidden' in page
    english = text(alice, "/en/console/robots/rover-1/")
    assert "rover-1 is moving</h1>" in english
    assert '<span data-t="v0">1.10</span>' in english


def test_a_robot_that_never_spoke_has_a_page_that_says_so(alice: Client):
    page = text(alice, "/console/robots/rover-1/")
    assert "rover-1 espera su primera lectura</h1>" in page
    assert "Sin lecturas todavía." in page


def test_what_is_wrong_stands_on_top_with_what_changed_before_and_one_act(alice: Client, bob: Client):
    say("rover-1", 1, DRIVING)
    alarm()
    page = text(alice, "/console/robots/rover-1/")
    because = page.partition('id="because"')[2].partition("</section>")[0]
    assert "Llegaron dos registros distintos con el mismo número" in because
    assert "Antes cambió esto:" in because
    assert "Arrancó su agente, test" in because
    assert "Cambiar su secreto…" in because
    assert "Cerrar alerta" in because
    seen_by_bob = text(bob, "/console/robots/rover-1/").partition('id="because"')[2].partition("</section>")[0]
    assert "Llegaron dos registros" in seen_by_bob
    assert "<button" not in seen_by_bob, "who only looks is offered nothing"


def test_an_alarm_that_is_dealt_with_is_closed_from_the_page(alice: Client):
    row = alarm()
    answer = alice.post(f"/console/robots/rover-1/alarms/{row.pk}/close/", follow=True)
    assert "La alerta quedó cerrada." in answer.content.decode()
    row.refresh_from_db()
    assert row.resolved_at is not None


def test_charts_are_told_lanes_holes_alarms_and_events_in_the_unit_that_people_read(alice: Client):
    now = datetime.now(UTC)
    from tests.cloud.web.helpers import stream_of

    say("rover-1", 1, *([DRIVING] * 60), now=now - timedelta(minutes=5))
    say("rover-1", 62, *([{**DRIVING, "disk_free_bytes": 3 * 2**30}] * 60), now=now)
    from croody.telemetry.ingest import services
    from tests.cloud.telemetry.helpers import batch

    told = Event(code="door_open", severity="low", ts=now - timedelta(seconds=90))
    services.ingest_relay(batch("rover-1", stream_of("rover-1"), 200, [told]), now=now)
    row = alarm()
    said = alice.get("/console/robots/rover-1/series?range=15m&m=speed_mps&m=disk_free_bytes").json()
    assert said["step"] == 3
    assert [lane["metric"] for lane in said["lanes"]] == ["speed_mps", "disk_free_bytes"]
    speed, disk = (lane["mean"] for lane in said["lanes"])
    assert {value for value in speed if value is not None} == {1.1}
    assert {value for value in disk if value is not None} == {3.0}, "GiB, as its tile says"
    assert said["count"] == len(speed) == len(disk)
    assert len(said["holes"]) == 1
    first, last, _asked = said["holes"][0]
    assert 200 <= last - first <= 245
    assert any(flag["letter"] == "S" for flag in said["flags"])
    assert [span["severity"] for span in said["spans"]] == [row.severity]
    assert said["note"] == "1 punto = 3\u00a0s, de 3 lecturas"


def test_a_range_that_cannot_be_asked_for_is_told_why(alice: Client):
    answer = alice.get("/console/robots/rover-1/series?range=15m")
    assert answer.status_code == 422
    assert "ask for 1 to 32" in answer.json()["detail"]


def test_a_range_chosen_by_hand_is_history_and_one_that_makes_no_sense_is_the_usual_one():
    from croody.console.robot.selection import Asked

    now = datetime(2026, 11, 24, tzinfo=UTC)
    chosen = Asked.of({"from": "1764000000", "to": "1764003600"}, ["a", "a", "b"])
    assert (chosen.live, chosen.metrics) == (False, ("a", "b"))
    assert chosen.span(now)[1] - chosen.span(now)[0] == HOUR
    assert chosen.address() == "?from=1764000000&to=1764003600&m=a&m=b"
    assert chosen.address(range="6h") == "?range=6h&m=a&m=b"
    for query in ({"from": "9", "to": "5"}, {"from": "-1", "to": "x"}, {"range": "8 weeks"}, {"from": "1" * 40, "to": "2"}):
        assert Asked.of(query) == Asked()


def test_the_table_behind_a_chart_has_its_numbers_as_people_read_them(alice: Client):
    say("rover-1", 1, DRIVING)
    page = text(alice, "/console/robots/rover-1/table/?range=15m&m=speed_mps")
    assert '<td class="num">1,10</td>' in page
    piece = alice.get("/console/robots/rover-1/table/?m=speed_mps", headers={"HX-Request": "true"}).content.decode()
    assert piece.startswith('<div class="table-scroll"')


def test_the_log_has_everything_in_pages_without_leaving_out_or_repeating(alice: Client):
    from croody.console.robot.log import page, parsed

    now = datetime.now(UTC)
    say("rover-1", 1, DRIVING)
    rows = [alarm(kind="gap", severity="medium")]
    from croody.alarms.models import Alarm

    same = now - HOUR
    Alarm.objects.bulk_create(
        Alarm(robot_id="rover-1", kind="gap", key=str(n), severity="low", opened_at=same, last_at=same, resolved_at=now) for n in range(7)
    )
    whole = page("rover-1", datetime.now(UTC), 100).items
    assert len(whole) == len(rows) + 7 * 2 + 2, "opened, ended, its start, and that it was added"
    seen: list[Any] = []
    cursor = ""
    while True:
        until, skip = parsed(cursor, datetime.now(UTC))
        found = page("rover-1", until, 3, skip=skip)
        seen += found.items
        cursor = found.older
        if not cursor:
            break
    assert [(item.at, item.letter) for item in seen] == [(item.at, item.letter) for item in whole]
    assert len({(item.letter, item.over, getattr(item.alarm, "pk", 0), getattr(item.told, "number", 0)) for item in seen}) == len(seen)
    assert "Faltan registros" in text(alice, "/console/robots/rover-1/log/")


def test_a_new_secret_is_shown_once_and_works(alice: Client):
    from croody.fleet.queries import robot_id_of_secret

    answer = alice.post("/console/robots/rover-1/rotate/")
    page = answer.content.decode()
    secret = page.partition('<code id="secret">')[2].partition("</code>")[0]
    assert robot_id_of_secret(secret, datetime.now(UTC)) == "rover-1"
    assert answer.headers["Cache-Control"].startswith("max-age=0") or "no-store" in answer.headers["Cache-Control"]
    assert secret not in text(alice, "/console/robots/rover-1/")


def test_a_robot_is_revoked_only_by_its_name_and_can_be_brought_back(alice: Client):
    from croody.fleet.models import Robot

    answer = alice.post("/console/robots/rover-1/revoke/", {"robot_id": "rover"}, follow=True)
    assert "escribe su identificador" in answer.content.decode()
    assert Robot.objects.get(pk="rover-1").deleted_at is None
    answer = alice.post("/console/robots/rover-1/revoke/", {"robot_id": "rover-1"}, follow=True)
    assert "rover-1 está revocado</h1>" in answer.content.decode()
    answer = alice.post("/console/robots/rover-1/bring-back/")
    assert "No volveremos a mostrarlo" in answer.content.decode()
    assert Robot.objects.get(pk="rover-1").returned_at is not None


def test_a_revoked_robot_is_nothing_to_who_may_not_bring_it_back(alice: Client, bob: Client):
    alice.post("/console/robots/rover-1/revoke/", {"robot_id": "rover-1"})
    assert bob.get("/console/robots/rover-1/").status_code == 404


def test_notes_are_kept_and_read_by_the_whole_team(alice: Client, bob: Client):
    alice.post("/console/robots/rover-1/notes/", {"notes": "rueda izquierda\ncambiada <hoy>"})
    assert "rueda izquierda<br>cambiada &lt;hoy&gt;" in text(bob, "/console/robots/rover-1/")


def test_a_dead_letter_is_listed_with_its_reason_and_judged_again(alice: Client):
    from croody.telemetry.models import DeadLetter

    body = b'{"data":{"a":1}}'
    letter = DeadLetter.objects.create(
        robot_id="rover-1",
        reason="unknown_robot",
        detail="no such robot",
        topic="croody/v1/rover-1/up/telemetry",
        body=body,
        hash=payload_hash(body),
        received_at=datetime.now(UTC),
    )
    assert "de un robot que no existe" in text(alice, "/console/robots/rover-1/")
    answer = alice.post(f"/console/robots/rover-1/letters/{letter.pk}/replay/", follow=True)
    assert f"Carta {letter.pk}: 1 guardadas, 0 otra vez muertas." in answer.content.decode()


def test_who_else_looks_is_told_by_name_until_they_are_gone(people: SimpleNamespace):
    from croody.console.robot import page, viewers

    now = datetime.now(UTC)
    found = viewers.tell({(people.alice.pk, "rover-1"), (people.bob.pk, "rover-1"), (people.bob.pk, "rover-2")}, now)
    assert [person.name for person in found["rover-1"]] == ["alice", "bob"]
    assert [person.name for person in found["rover-2"]] == ["bob"]
    later = viewers.tell({(people.alice.pk, "rover-1")}, now + timedelta(seconds=40))
    assert [person.name for person in later["rover-1"]] == ["alice"]
    assert page.others(()) == ""
    assert page.others(("bob",)) == "bob también ve este robot ahora"
    assert page.others(("a", "b", "c", "d", "e", "f")) == "a, b, c, d y 2 personas más también lo ven"


def test_the_stream_tells_a_page_what_changes_and_nobody_else(people: SimpleNamespace):
    from croody.accounts.caller import of_user
    from croody.console.robot.stream import RobotFeed, View
    from croody.live.page_feed import Viewer

    say("rover-1", 1, DRIVING)
    feed = RobotFeed()
    alice = Viewer(View(of_user(people.alice), "es", "rover-1"), "")
    carlos = Viewer(View(of_user(people.carlos), "es", "rover-1"), "")
    for one in (alice, carlos):
        feed.listeners.add(one)
        feed.welcome(one)
    found = feed.read()
    assert '"v0":"1,10"' in found.welcomes[alice.view, ""].decode()
    assert "1,10" not in found.welcomes[carlos.view, ""].decode()
    feed._new.clear()
    say("rover-1", 3, {**DRIVING, "speed_mps": 0.5})
    assert '"v0":"0,50"' in feed.read().chunks[alice.view].decode()


def test_what_lies_on_a_robot_says_when_it_will_be_here():
    from croody.console.robot.facts import Queue
    from croody.console.robot.stream import _Robot
    from croody.console.robot.words.delivery import queue

    at = datetime(2026, 11, 24, tzinfo=UTC)
    known = _Robot()
    known.beat(Queue(1300, at))
    assert known.rate is None
    known.beat(Queue(1300, at))
    known.beat(Queue(1000, at + timedelta(seconds=30)))
    assert known.rate == 10.0
    assert queue(Queue(1000, at), known.rate, "es") == (
        "1\u00a0000 registros siguen en el robot",
        "Al ritmo de ahora llega en 1\u00a0min.",
    )
    assert queue(Queue(1000, at), -1.0, "es")[1].startswith("A este ritmo no llega")
    assert queue(Queue(0, at), None, "es") == ("Nada por enviar", "")
    assert queue(None, None, "es") == ("", "")


def test_the_agents_own_log_is_asked_for_once_and_its_answer_stands_on_the_page(alice: Client, bob: Client):
    from croody.commands.models import Outgoing
    from croody.commands.services import answer as booked
    from croody.telemetry.ingest import services
    from tests.cloud.telemetry.helpers import batch

    now = datetime.now(UTC)
    records = [Born(agent="croody-edge 9", capabilities=["resend", "logs"], ts=now), Reading(data={"TEMP": 1.0}, ts=now)]
    services.ingest_relay(batch("rover-1", "stream-of-logs", 1, records), now=now)
    assert "Pedir las últimas 100 líneas" in text(alice, "/console/robots/rover-1/")
    assert "Pedir las últimas 100 líneas" not in text(bob, "/console/robots/rover-1/"), "who only looks does not ask"
    for _ in range(2):
        alice.post("/console/robots/rover-1/logs/")
    row = Outgoing.objects.get(kind="logs")
    assert (row.payload, row.robot_id) == ({"lines": 100}, "rover-1")
    assert "en cola" in text(alice, "/console/robots/rover-1/")
    services.ingest_relay(batch("rover-1", "stream-of-logs", 3, [Log(lines=["connected <now>", "reading 7"], ts=now)]), now=now)
    booked("rover-1", row.pk, Answer(state="done", detail="2 lines"), now=now)
    page = text(bob, "/console/robots/rover-1/")
    assert "connected &lt;now&gt;\nreading 7" in page
    assert "Mandó las últimas 2 líneas de su registro" in page
    assert "cumplida" in page


def test_a_robot_that_speaks_by_http_by_now_is_asked_nothing_and_its_page_says_why(alice: Client):
    from croody.commands.models import Outgoing
    from croody.telemetry.ingest import services
    from tests.cloud.telemetry.helpers import batch

    now = datetime.now(UTC)
    records = [Born(agent="croody-edge 9", capabilities=["logs", "rotate"], ts=now), Reading(data={"TEMP": 1.0}, ts=now)]
    services.ingest_relay(batch("rover-1", "stream-before-http", 1, records), now=now - timedelta(seconds=20))
    page = text(alice, "/console/robots/rover-1/")
    assert "Pedir las últimas 100 líneas" in page
    assert "El robot hace un secreto nuevo" in page
    services.ingest_one(Telemetry(data={"TEMP": 2.0}), "rover-1", "http", now=now)
    page = text(alice, "/console/robots/rover-1/")
    assert "Pedir las últimas 100 líneas" not in page
    assert "No puede mandarlo: va por HTTP" in page
    assert "manda sus lecturas por HTTP, y por ahí no le llega ninguna orden" in page
    said = alice.post("/console/robots/rover-1/logs/", follow=True).content.decode()
    assert "no puede mandar su registro" in said
    assert not Outgoing.objects.exists()


def test_what_a_robot_says_of_its_metrics_is_what_its_pages_call_them(alice: Client):
    from croody.telemetry.ingest import services
    from tests.cloud.telemetry.helpers import batch

    now = datetime.now(UTC)
    infos = [
        MetricInfo("hydraulic", unit="bar", es="Presión <hidráulica>", en="Hydraulic pressure", decimals=1),
        MetricInfo("TEMP", unit="K", en="Oil", es="Aceite"),
        MetricInfo("lamp", es="Luz", en="Lamp", type="switch"),
    ]
    records = [Born(agent="croody-edge 9", metrics=infos, ts=now), Reading(data={"hydraulic": 7.126, "TEMP": 293.0, "lamp": True}, ts=now)]
    services.ingest_relay(batch("rover-1", "stream-of-infos", 1, records), now=now)
    page = text(alice, "/console/robots/rover-1/")
    assert "Presión &lt;hidráulica&gt;" in page
    assert "7,1" in page
    assert "Aceite" in page
    assert "Temperatura" not in page
    assert "Luz" in page
    assert "Presión &lt;hidráulica&gt;" in text(alice, "/console/robots/rover-1/table/?m=hydraulic")
    services.ingest_relay(
        batch("rover-1", "stream-without", 1, [Born(agent="x", ts=now), Reading(data={"hydraulic": 7.126}, ts=now)]), now=now
    )
    assert "pressure" not in text(alice, "/console/robots/rover-1/"), "this agent says nothing"


def test_a_picture_is_shown_with_its_age_and_only_to_its_team(alice: Client, people: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from tests.cloud.telemetry.helpers import batch

    now = datetime.now(UTC)
    shot = Snapshot(jpeg=jpeg(), camera="front", ts=now - timedelta(seconds=90))
    services.ingest_relay(batch("rover-1", "stream-of-pictures", 1, [shot]), now=now)
    jobs.keep_pictures(now)
    page = text(alice, "/console/robots/rover-1/")
    address = page.partition('<img src="')[2].partition('"')[0]
    assert "foto de" in page
    assert "hace 1\u00a0min" in page
    answer = alice.get(address)
    assert (answer.headers["Content-Type"], answer.content) == ("image/jpeg", jpeg())
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert alice.get(address.replace("rover-1", "rover-2")).status_code == 404
    carlos = Client()
    carlos.force_login(people.carlos)
    assert carlos.get(address).status_code == 404


def test_a_value_beyond_the_limit_of_a_rule_says_so_and_the_limit_is_drawn(alice: Client, people: SimpleNamespace):
    from croody.notices.models import Rule

    def rule(limit: str, side: str = "above", **about: Any) -> None:
        params = {"metric": "motor_temp_c", "limit": limit, "side": side}
        values: dict[str, Any] = {"severity": "high", "created_at": datetime.now(UTC), "by_name": "alice", "kind": "threshold", **about}
        Rule.objects.create(organisation=people.organisation, name=f"{side} {limit}", params=params, **values)

    rule("80")
    rule("40", robot_id="rover-1")
    rule("30", robot_id="rover-2")
    rule("20", enabled=False)
    rule("5", "below")
    say("rover-1", 1, DRIVING)
    page = text(alice, "/console/robots/rover-1/")
    tile = page.partition('title="motor_temp_c"')
    assert tile[0].endswith('<div class="tile over"><dt ')
    assert "límite 40,0 · mínimo 5,0" in tile[2].partition("</dd>")[0]
    said = alice.get("/console/robots/rover-1/series?m=motor_temp_c&m=TEMP").json()
    assert [lane["limits"] for lane in said["lanes"]] == [[[40.0, "límite 40,0"], [5.0, "mínimo 5,0"]], []]


def test_values_of_a_robot_with_a_fault_look_old_when_it_is_silent(alice: Client):
    say("rover-1", 1, DRIVING, now=datetime.now(UTC) - timedelta(minutes=50))
    alarm(kind="conflict", severity="critical")
    page = text(alice, "/console/robots/rover-1/")
    assert "rover-1 tiene una falla</h1>" in page
    assert 'class="tile old' in page
    assert '<span data-t="doing" class="doing"></span>' in page, "what it did then is no word on now"


def test_a_robot_is_asked_to_change_its_secret_where_it_can_and_the_page_says_why_where_it_cannot(alice: Client, bob: Client):
    from croody.commands.models import Outgoing
    from croody.commands.services import answer as booked
    from croody.telemetry.ingest import services
    from croody_contract.claims import hashes_of
    from tests.cloud.telemetry.helpers import batch

    now = datetime.now(UTC)
    button = "rotate-itself/"

    def begins(stream: str, *kinds: str) -> None:
        records = [Born(agent="croody-edge 9", capabilities=list(kinds), ts=now), Reading(data={"TEMP": 1.0}, ts=now)]
        services.ingest_relay(batch("rover-1", stream, 1, records), now=now)

    page = text(alice, "/console/robots/rover-1/")
    # The page's script opens none that the server closed.
    assert "data-closed disabled>Que cambie su secreto" in page
    assert "No tiene un agente nuestro que pueda" in page
    begins("of-an-earlier-agent", "logs")
    assert "Su agente es anterior" in text(alice, "/console/robots/rover-1/")
    alice.post("/console/robots/rover-1/rotate-itself/")
    assert not Outgoing.objects.exists(), "what the page does not offer is refused"
    begins("of-a-newer-agent", "logs", "rotate")
    assert button not in text(bob, "/console/robots/rover-1/"), "who only looks does not ask"
    alice.post("/console/robots/rover-1/rotate-itself/")
    row = Outgoing.objects.get(kind="rotate")
    assert "Pedido; el robot no contestó aún." in text(alice, "/console/robots/rover-1/")
    booked("rover-1", row.pk, Answer(state="received", hashes=hashes_of("its own")), now=now)
    assert "falta que entre con él" in text(alice, "/console/robots/rover-1/")
    booked("rover-1", row.pk, Answer(state="done"), now=now)
    page = text(alice, "/console/robots/rover-1/")
    assert "Lo cambió él mismo." in page
    assert "Cambió su secreto él mismo" in page
