"""One reading, every door: HTTP, plain MQTT and a batch, over TCP and WebSocket, and a dead letter that is played again judge it alike and
in the same words, on both databases."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.bridge import handler
from croody_contract import topics
from tests.broker.house import ALICE, ENGINES
from tests.broker.test_broker_websocket import doors_of
from tests.cloud.telemetry.helpers import NOON, stored

INGEST, BRIDGE = "i" * 40, "b" * 40
#: Of a reading that is taken nothing is said.
TAKEN = ""
#: Readings with their robot's name to be put in, and how what is told of each begins.
READINGS: dict[str, tuple[bytes, str]] = {
    "ordinary": (b'{"data":{"temp_c":21.5,"on":true,"mode":"auto"}}', TAKEN),
    "the largest double": (b'{"data":{"range_m":1.7976931348623157e+308,"x":3.4028234663852886e+38}}', TAKEN),
    "the smallest": (b'{"data":{"a":5e-324,"b":-0.0}}', TAKEN),
    "only a battery": (b'{"data":{"battery_pct":90}}', TAKEN),
    "left of the plan": (b'{"data":{"x_m":-1.5,"y_m":-2.0}}', TAKEN),
    "a name that commands a terminal": (b'{"data":{"\\u001b[2J":1,"\\u202etxt":2,"cr\\r":3}}', TAKEN),
    "one name twice": (b'{"data":{"b":0,"a":1,"a":2}}', "data.a: stands twice in one object, as 1 and as 2: send each name once"),
    "one name twice, written otherwise": (b'{"data":{"a":"x","\\u0061" : true}}', 'data.a: stands twice in one object, as "x" and as true'),
    "one name twice, the same value": (b'{"data":{"a":1,"a":1}}', "data.a: stands twice"),
    "all values twice": (b'{"data":{"a":1},"data":{"a":2}}', "data: stands twice in one object, as an object and as an object"),
    "a place twice": (b'{"data":{},"position":{"lat":1,"lng":2,"alt":null,"lat":3}}', "position.lat: stands twice"),
    "a name that nobody reads twice": (b'{"data":{"a":1},"x":[{"b":1,"b":[]}]}', "x[0].b: stands twice in one object, as 1 and as a list"),
    "one name in two objects": (
        b'{"data":{"data":1,"ts":2,"lat2":3,":a":":b","position":4},"position":{"lat":1,"lng":2,"alt":null}}',
        TAKEN,
    ),
    "years away": (b'{"data":{"a":1},"ts":"9999-12-31T23:59:59Z"}', TAKEN),
    "years ago": (b'{"data":{"a":1},"ts":"0001-01-01T00:00:00Z"}', TAKEN),
    "nothing in it": (b'{"data":{"\\u001b[2J":null}}', "data.\u001b[2J: null breaks the rule"),
    "Unix seconds": (b'{"data":{"a":1},"ts":1764000000}', "ts: 1764000000 breaks the rule"),
    "a leap second": (b'{"data":{"a":1},"ts":"2026-06-30T23:59:60Z"}', "ts: "),
    "a wall clock": (b'{"data":{"a":1},"ts":"2026-11-30T20:00:00"}', "ts: "),
    "a number beyond": (b'{"data":{"b":2,"a":1e400}}', "data.a: 1e400 breaks the rule"),
    "an integer beyond": (b'{"data":{"a":18446744073709551616}}', "data.a: 18446744073709551616 breaks the rule"),
    "NaN": (b'{"data":{"a":NaN}}', "data.a: NaN breaks the rule"),
    "U+0000": (b'{"data":{"a":"\\u0000"}}', "data.a: holds the character U+0000"),
    "U+0000 in a word": (b'{"data":{},"status":"x\\u0000"}', "status: holds the character U+0000"),
    "half of a pair": (b'{"data":{"a":"\\ud800"}}', "data.a: holds \\ud800"),
    "half of a pair in a name": (b'{"data":{"\\udfff":1}}', "data key: holds \\udfff"),
    "deep": (b'{"data":{"a":' + b"[" * 40 + b"]" * 40 + b"}}", "body: nested deeper than 32"),
    "deep where nobody reads": (b'{"data":{"a":1},"x":' + b"[" * 40 + b"]" * 40 + b"}", "body: nested deeper than 32"),
    "degrees as MAVLink has them": (b'{"data":{},"position":{"lat":404168000,"lng":-37038000}}', "position.lat: 404168000"),
    "another name of a field": (b'{"data":{},"position":{"lat":40.4,"lon":-3.7}}', "position.lon: there is no such field"),
    "a place among the metrics": (b'{"data":{"LAT":4.5,"LON":-74,"ALT":2600}}', TAKEN),
    "half a place among the metrics": (b'{"data":{"lat":4.5}}', TAKEN),
    "too many": (b'{"data":' + json.dumps({f"m{number}": 1 for number in range(257)}).encode() + b"}", "data: "),
}
#: Cases that somebody keeps beside the repository, where there are any: what is a reading in them is tried, too.
_BESIDE = Path(__file__).parents[4] / "shared" / "data" / "cases" / "cases.json"


def _beside() -> dict[str, bytes]:
    if not _BESIDE.is_file():
        return {}
    cases = json.loads(_BESIDE.read_text(encoding="utf-8"))
    given = {case["name"]: case["given"] if isinstance(case["given"], list) else [case["given"]] for case in cases}
    return {
        f"{name} {number}": json.dumps(one).encode()
        for name, several in given.items()
        for number, one in enumerate(several)
        if isinstance(one, dict) and "data" in one
    }


Way = Callable[[str, bytes], bytes]


@pytest.fixture(scope="module")
def over_websocket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    """Of each broker: what a bridge is given of bytes that a robot publishes over WebSocket; Alice's robot speaks for all."""
    with ExitStack() as stack:
        yield {engine: stack.enter_context(_published(engine, tmp_path_factory.mktemp(engine))) for engine in ENGINES}


@contextmanager
def _published(engine: str, folder: Path) -> Iterator[Way]:
    with doors_of(engine, folder) as house:
        bridge, robot = house.house.bridge(), house.client(ALICE).up()

        def publish(topic: str, body: bytes) -> bytes:
            mine = topic.replace("/rover-1/", f"/{ALICE}/")
            robot.publish(mine, body)
            came = bridge.next()
            assert came[0] == mine
            return bytes(came[1])

        yield publish


def _as_it_is(topic: str, body: bytes) -> bytes:
    return body


@pytest.fixture
def doors(telemetry: str, fleet: SimpleNamespace, settings: Any, over_websocket: dict[str, Way]) -> dict[str, Callable[[bytes], str]]:
    """What is said of a body by each; nothing where it is stored."""
    from croody.fleet.services import add_robot
    from croody.telemetry.ingest import services

    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    settings.ENV = dataclasses.replace(settings.ENV, ingest_token=INGEST, bridge_token=BRIDGE)
    client = Client()
    seqs = iter(range(1, 1000))

    def http(body: bytes) -> str:
        named = b'{"robot_id":"rover-1",' + body[1:]
        answer = client.post("/api/telemetry/ingest", named, "application/json", headers={"X-API-Key": INGEST})
        return TAKEN if answer.status_code == 201 else str(answer.json()["detail"])

    def relayed(topic: topics.Topic, body: bytes) -> list[Any]:
        from croody.telemetry.models import DeadLetter

        items = handler.read(topics.build(topic), body)
        answer = client.post("/api/telemetry/bridge/relay", handler.encode(items), "application/json", headers={"X-API-Key": BRIDGE})
        assert answer.status_code == 200, answer.content
        return list(DeadLetter.objects.filter(robot_id=topic.robot_id))

    def mqtt(topic: topics.Topic, body: bytes) -> str:
        letters = relayed(topic, body)
        for letter in letters:
            letter.delete()
        return "".join(letter.detail for letter in letters)

    def batch(body: bytes, way: Way = _as_it_is) -> str:
        seq = next(seqs)
        topic = topics.UpBatch("rover-1", "stream-a", seq, seq)
        said = mqtt(topic, way(topics.build(topic), b'{"records":[{"kind":"reading",' + body[1:] + b"]}"))
        assert (seq in stored()) == (not said)
        return said

    def plain(body: bytes, way: Way = _as_it_is) -> str:
        topic = topics.UpTelemetry("rover-1")
        return mqtt(topic, way(topics.build(topic), body))

    def again(body: bytes, make: Callable[[str], topics.Topic], before: bytes = b"{", after: bytes = b"") -> str:
        """What is said when it is played again: its robot was made too late."""
        robot_id = f"late-{next(seqs)}"
        [letter] = relayed(make(robot_id), before + body[1:] + after)
        add_robot(robot_id, organisation=fleet.alices)
        try:
            replayed = services.replay(letter, now=NOON)
        except services.NotReplayable as why:
            return str(why).partition(": ")[2]
        assert replayed.stored + replayed.dead == 1
        assert bool(replayed.dead) == bool(replayed.why)
        return replayed.why

    record = b'{"records":[{"kind":"reading",', b"]}"
    return {
        "http": http,
        "plain": plain,
        "batch": batch,
        **{f"plain over WebSocket, {engine}": partial(plain, way=way) for engine, way in over_websocket.items()},
        **{f"batch over WebSocket, {engine}": partial(batch, way=way) for engine, way in over_websocket.items()},
        "plain, played again": lambda body: again(body, topics.UpTelemetry),
        "batch, played again": lambda body: again(body, lambda robot_id: topics.UpBatch(robot_id, "stream-a", 1, 1), *record),
    }


def test_every_door_says_the_same_of_a_reading(doors: dict[str, Callable[[bytes], str]]) -> None:
    taken = 0
    for name, (body, begins) in READINGS.items():
        said = {door: judge(body) for door, judge in doors.items()}
        assert len(set(said.values())) == 1, (name, said)
        assert said["http"].startswith(begins), (name, said)
        assert bool(said["http"]) == bool(begins), (name, said)
        taken += not said["http"]
    assert [len(stored("rover-1", stream)) for stream in ("http", "mqtt", "stream-a")] == [taken, 3 * taken, 3 * taken]


def test_every_door_finds_a_place_among_the_metrics(doors: dict[str, Callable[[bytes], str]]) -> None:
    from croody.telemetry.models import Record

    for body in (b'{"data":{"LAT":4.5,"LON":-74,"ALT":2600}}', b'{"data":{"LAT":1,"LON":2},"position":{"lat":4.5,"lng":-74,"alt":2600}}'):
        assert not any(judge(body) for judge in doors.values())
    places = list(Record.objects.filter(kind="reading").values_list("lat", "lng", "alt"))
    assert len(places) == 2 * len(doors)
    assert set(places) == {(4.5, -74.0, 2600.0)}


#: Metrics that look like a place and are none: as MAVLink, NMEA and receivers without a fix say them.
NOWHERE = {
    "LAT": b'{"data":{"temp_c":21.5,"LAT":91,"LON":0}}',
    "lon": b'{"data":{"temp_c":21.5,"lat":4.5,"lon":-180.5}}',
    "lng": b'{"data":{"temp_c":21.5,"lat":4.5,"lng":1e308}}',
    "lat": b'{"data":{"temp_c":21.5,"lat":404168000,"lon":-37038000}}',
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_place_beyond_the_earth_is_told_to_who_waits_for_an_answer_and_costs_a_robots_reading_nothing_but_its_place(
    doors: dict[str, Callable[[bytes], str]], name: str
) -> None:
    from croody.telemetry.models import Record

    said = {door: judge(NOWHERE[name]) for door, judge in doors.items()}
    assert said.pop("http").startswith(f"data.{name}: ")
    assert set(said.values()) == {TAKEN}, said
    rows = Record.objects.filter(kind="reading")
    assert rows.count() == len(said)
    assert set(rows.values_list("lat", "lng", "alt")) == {(None, None, None)}
    assert all(row["temp_c"] == 21.5 and name in row for row in rows.values_list("data", flat=True))


def test_a_place_beyond_the_earth_costs_its_batch_neither_a_row_nor_the_quick_way(doors: dict[str, Callable[[bytes], str]]) -> None:
    from croody.telemetry.models import DeadLetter, Record

    assert doors["batch"](b'{"data":{"LAT":91,"LON":0,"a":1}}') == TAKEN
    assert doors["batch"](b'{"data":{"LAT":4.5,"LON":-74}}') == TAKEN
    assert list(Record.objects.filter(kind="reading").order_by("seq").values_list("lat", flat=True)) == [None, 4.5]
    assert not DeadLetter.objects.exists()


def test_every_door_has_one_limit_of_bytes(doors: dict[str, Callable[[bytes], str]]) -> None:
    def of(size: int) -> bytes:
        texts = ",".join(f'"m{number}":"{"x" * 1000}"' for number in range(size // 1000))
        return b'{"data":{' + texts.encode() + b"}}"

    assert not any(judge(of(60_000)) for judge in doors.values())
    for door, judge in doors.items():
        if door.endswith("played again"):  # A dead letter keeps no more than that of it.
            continue
        assert re.fullmatch(r"record: \d{5} bytes, at most 65536: send fewer metrics or shorter texts", judge(of(70_000))), door


@pytest.mark.skipif(not _BESIDE.is_file(), reason="no cases beside the repository")
def test_every_door_says_the_same_of_a_reading_that_somebody_keeps_beside(doors: dict[str, Callable[[bytes], str]]) -> None:
    found = _beside()
    assert found
    for name, body in found.items():
        said = {door: judge(body) for door, judge in doors.items()}
        assert len(set(said.values())) == 1, (name, said)
