"""`croody_client` against the real API over HTTP, and against servers that fail in every way."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from croody_client import ApiError, Away, Client
from croody_client.rows import Rows
from croody_client.shapes import Alarm, Site, made
from tests.cloud.api.conftest import team  # noqa: F401
from tests.cloud.telemetry.helpers import batch

BEGAN = timezone.now() - timedelta(minutes=10)


@pytest.fixture
def croody(transactional_db: None, live_server: Any, team: SimpleNamespace) -> Client:  # noqa: F811
    from croody.alarms.services import raise_alarm
    from croody.fleet import services as fleet
    from croody.telemetry.ingest import services

    for number in range(250):
        fleet.add_robot(f"many-{number:03d}", organisation=team.ours, kind="small")
    said: list[dict[str, Any]] = [
        {"kind": "reading", "ts": (BEGAN + timedelta(seconds=number)).isoformat(), "data": {"n": number}} for number in range(20)
    ]
    services.ingest_relay(batch("rover-1", "stream-a", 1, [*said, {"kind": "event", "code": "hit", "severity": "low"}]), now=BEGAN)
    raise_alarm("rover-1", "conflict", "", "high", {}, timezone.now())
    return Client(live_server.url, team.keys["alice"])


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_program_works_through_the_client_alone(croody: Client, tmp_path: Path):
    robots = list(croody.robots())
    assert len(robots) == len({robot.robot_id for robot in robots}) == 252
    assert [robot.robot_id for robot in croody.robots(kind="rover")] == ["rover-1"]
    assert croody.robot("rover-1").site == Site(croody.robot("rover-1").site.number, "bodega", "Bodega")  # type: ignore[union-attr]
    assert croody.values("rover-1").values == {"n": 19}
    assert croody.change("rover-1", label="one", tags=["a"]).tags == ["a"]
    assert croody.start_maintenance("rover-1", timezone.now() + timedelta(hours=1), "wheels").maintenance.by == "alice"  # type: ignore[union-attr]
    assert croody.end_maintenance("rover-1").maintenance is None
    assert [tag.tag for tag in croody.tags()] == ["a"]
    assert [one.role for one in croody.organisations()] == ["owner"]
    claim = croody.claim("rover-1", minutes=5)
    assert str(claim.line).startswith("croody+http://127.0.0.1:")
    assert croody.revoke_claim(claim.number).state == "revoked"
    group = croody.claim_group("alices", "line", serials="RV-##", most=2)
    assert [one.number for one in croody.claims()] == [group.number]
    assert [one.state for one in croody.claims("rover-1")] == ["revoked"]
    [alarm] = croody.alarms()
    seen = croody.acknowledge(alarm.id, revision=alarm.revision)
    assert seen.assignee == "alice"
    with pytest.raises(ApiError) as late:
        croody.snooze(alarm.id, timezone.now() + timedelta(hours=1), revision=alarm.revision)
    assert (late.value.status, late.value.code) == (409, "late")
    assert croody.resolve(alarm.id).resolved_at is not None
    assert [act.verb for act in croody.history(alarm.id)] == ["close", "acknowledge"]
    assert [event.data["code"] for event in croody.events("rover-1")] == ["hit"]
    assert croody.delivery("rover-1").streams[0].stored == 21  # type: ignore[index]
    line = croody.series("rover-1", "n", BEGAN - timedelta(seconds=1), BEGAN + timedelta(seconds=30), step_s=1).lines[0]
    assert [value for value in line.mean or () if value is not None] == [float(number) for number in range(20)]
    assert {entry.verb for entry in croody.audit(thing="alarm")} >= {"acknowledge", "close"}
    whole = croody.export("readings", tmp_path / "a.csv", start=BEGAN, end=BEGAN + timedelta(hours=1), robot_id=["rover-1"])
    assert len(whole.read_text().splitlines()) == 21
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_robot_comes_goes_and_comes_back_through_the_client_alone(croody: Client, live_server: Any):
    new = croody.add_robot("amr-07", "alices", kind="rover", label="Forklift 7")
    assert (new.robot.label, new.secret in repr(new)) == ("Forklift 7", False)
    assert Client(live_server.url, new.secret).robot("amr-07").kind == "rover"
    other = croody.rotate_secret("amr-07")
    with pytest.raises(ApiError) as old:
        Client(live_server.url, new.secret).robot("amr-07")
    assert (old.value.status, other.secret != new.secret) == (401, True)
    with pytest.raises(ApiError) as deaf:
        croody.ask_to_rotate("amr-07")
    assert (deaf.value.status, croody.rotation("amr-07").state) == (422, "never")
    assert croody.revoke_robot("amr-07").robot_id == "amr-07"
    with pytest.raises(ApiError) as gone:
        croody.add_robot("amr-07", "alices")
    assert (gone.value.status, gone.value.code) == (409, "revoked")
    back = croody.bring_back("amr-07", site=None)
    assert (back.robot.kind, back.robot.label, back.robot.site) == ("rover", "Forklift 7", None)
    token = croody.make_token("plant", ["read"], organisation="alices", role="operator")
    assert [one.name for one in croody.tokens(organisation="alices")] == ["plant"]
    assert Client(live_server.url, token.secret).robot("amr-07").robot_id == "amr-07"
    assert croody.revoke_token(token.token.number).revoked_at is not None


@pytest.fixture
def web(transactional_db: None, team: SimpleNamespace) -> Iterator[str]:  # noqa: F811
    """The web role's own server: Django's for tests forgets how an address was written."""
    import uvicorn
    from django.core.asgi import get_asgi_application

    server = uvicorn.Server(uvicorn.Config(get_asgi_application(), port=0, lifespan="off", log_config=None))
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    serving.join()


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_robot_with_any_id_is_reached_through_the_client(web: str, team: SimpleNamespace):  # noqa: F811
    for robot_id in ("línea 3/ñ", "line%2F3", "a/../b", "rover-1/values"):
        _reach(Client(web, team.keys["alice"]), robot_id, team.ours)


def _reach(croody: Client, robot_id: str, organisation: Any) -> None:
    from croody.fleet.models import Robot
    from croody.telemetry.ingest import services
    from croody_contract.messages import Telemetry

    Robot.objects.create(pk=robot_id, organisation=organisation)
    services.ingest_one(Telemetry(data={"n": 1}), robot_id, "http", now=timezone.now())
    assert croody.robot(robot_id).robot_id == robot_id
    assert croody.values(robot_id).values == {"n": 1}
    assert croody.change(robot_id, label="odd").label == "odd"
    assert croody.share(robot_id, True).shared
    assert croody.start_maintenance(robot_id, timezone.now() + timedelta(hours=1)).maintenance is not None
    assert croody.end_maintenance(robot_id).maintenance is None
    assert list(croody.events(robot_id)) == list(croody.claims(robot_id)) == []
    assert croody.delivery(robot_id).robot_id == robot_id
    assert croody.rotation(robot_id).state == "never"
    assert croody.revoke_robot(robot_id).robot_id == robot_id


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_refusal_has_its_parts(croody: Client, live_server: Any):
    with pytest.raises(ApiError) as refused:
        list(croody.robots(state="happy"))
    error = refused.value
    assert (error.status, error.code, error.field, error.value) == (422, "bad_value", "state", "happy")
    assert "online" in (error.rule or "")
    with pytest.raises(ApiError) as nobody:
        list(Client(live_server.url, "crd_nonsense").robots())
    assert (nobody.value.status, nobody.value.code) == (401, "no_key")


Play = Callable[[BaseHTTPRequestHandler, int], None]


class Bad:
    """A server that plays a part: what it does with each request is a function of how many came before."""

    def __init__(self, play: Play) -> None:
        asked = self.asked = []  # type: ignore[var-annotated]

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked.append((self.command, self.path, self.rfile.read(length)))
                play(self, len(asked) - 1)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def bad() -> Iterator[Callable[[Play], Bad]]:
    made: list[Bad] = []

    def start(play: Play) -> Bad:
        made.append(Bad(play))
        return made[-1]

    yield start
    for one in made:
        one.end()


def say(handler: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
    data = json.dumps(body).encode() if not isinstance(body, bytes) else body
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def client(server: Bad, waits: list[float], tries: int = 4) -> Client:
    return Client(server.url, "crd_x", timeout_s=3, tries=tries, sleep=waits.append)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_question_is_asked_again_while_the_server_is_away(bad: Callable[[Play], Bad], status: int):
    server = bad(
        lambda handler, count: say(handler, status, {"detail": "away"}) if count < 2 else say(handler, 200, {"items": [], "next": None})
    )
    waits: list[float] = []
    assert list(client(server, waits).tags()) == []
    assert len(server.asked) == 3
    assert 0 < waits[0] < waits[1] * 4 <= 4


def test_the_server_is_believed_when_it_says_how_long(bad: Callable[[Play], Bad]):
    server = bad(
        lambda handler, count: say(handler, 429, {}, Retry_After="7") if not count else say(handler, 200, {"items": [], "next": None})
    )
    waits: list[float] = []
    list(client(server, waits).tags())
    assert waits == [7.0]


def test_a_question_that_nobody_answers_ends_and_says_so(bad: Callable[[Play], Bad]):
    server = bad(lambda handler, count: hang_up(handler))
    waits: list[float] = []
    with pytest.raises(Away, match="/tags"):
        list(client(server, waits).tags())
    assert len(server.asked) == 4
    with pytest.raises(Away, match="refused"):
        list(Client("http://127.0.0.1:9", tries=2, sleep=waits.append).tags())


def test_an_act_that_may_have_been_done_is_not_sent_again(bad: Callable[[Play], Bad]):
    server = bad(lambda handler, count: hang_up(handler))
    with pytest.raises(Away):
        client(server, []).resolve(7)
    assert len(server.asked) == 1
    gateway = bad(lambda handler, count: say(handler, 502, b"<h1>Bad gateway</h1>"))
    with pytest.raises(ApiError) as error:
        client(gateway, []).resolve(7)
    assert (len(gateway.asked), error.value.code) == (1, "http_502")


def test_an_act_of_which_nothing_was_done_is_sent_again(bad: Callable[[Play], Bad]):
    server = bad(lambda handler, count: say(handler, 503, {"code": "away"}) if not count else say(handler, 404, {"code": "not_found"}))
    with pytest.raises(ApiError) as error:
        client(server, []).resolve(7)
    assert (len(server.asked), error.value.code) == (2, "not_found")


def test_a_key_is_carried_to_no_other_address(bad: Callable[[Play], Bad]):
    other = bad(lambda handler, count: say(handler, 200, {"items": [], "next": None}))
    server = bad(lambda handler, count: say(handler, 302, {}, Location=f"{other.url}/api/v1/tags"))
    with pytest.raises(ApiError) as error:
        list(client(server, []).tags())
    assert (error.value.status, other.asked) == (302, [])


HEAD = b"id,robot_id,note\n"
ROWS = [b'%d,rover-1,"a %s\n b"\n' % (number, b"x" * 50) for number in range(1, 41)]


def export(handler: BaseHTTPRequestHandler, most: int) -> None:
    """An export of `ROWS`, as the API makes one, that is cut off after so many bytes."""
    from urllib.parse import parse_qs, urlsplit

    asked = parse_qs(urlsplit(handler.path).query)
    after = int(asked["after"][0]) if "after" in asked else 0
    whole = (b"" if after else HEAD) + b"".join(ROWS[after : after + int(asked.get("limit", ["99"])[0])])
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("Export-As-Of", "2026-11-24T12:00:00+00:00")
    handler.end_headers()
    sent = whole[:most]
    if sent:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
    if len(whole) > most:
        hang_up(handler)
    else:
        handler.wfile.write(b"0\r\n\r\n")


def test_an_export_that_is_cut_off_goes_on_behind_its_last_whole_row(bad: Callable[[Play], Bad], tmp_path: Path):
    server = bad(lambda handler, count: export(handler, 700 + count))
    found = client(server, []).export("readings", tmp_path / "a.csv", start=BEGAN, end=timezone.now())
    assert found.read_bytes() == HEAD + b"".join(ROWS)
    assert len(server.asked) >= 3
    assert all("as_of=2026-11-24T12" in path for _, path, _ in server.asked[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_an_export_lies_on_the_disk_before_it_has_its_name(bad: Callable[[Play], Bad], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[tuple[str, list[str]]] = []

    def look(what: str, real: Callable[..., None]) -> Callable[..., None]:
        def first(*given: Any) -> None:
            done.append((what, sorted(path.name for path in tmp_path.iterdir())))
            real(*given)

        return first

    monkeypatch.setattr("os.fsync", look("on the disk", os.fsync))
    monkeypatch.setattr("os.replace", look("its name", os.replace))
    server = bad(lambda handler, count: export(handler, 99_999))
    client(server, []).export("readings", tmp_path / "a.csv", start=BEGAN, end=timezone.now())
    assert done == [("on the disk", ["a.csv.part", "a.csv.part.json"]), ("its name", ["a.csv.part", "a.csv.part.json"])]


def test_an_export_goes_on_in_another_run_and_only_for_the_same_question(bad: Callable[[Play], Bad], tmp_path: Path):
    server = bad(lambda handler, count: export(handler, 700 if count == 0 else 0 if count < 5 else 10**6))
    end = timezone.now()
    with pytest.raises(Away, match=r"a\.csv\.part"):
        client(server, []).export("readings", tmp_path / "a.csv", start=BEGAN, end=end)
    assert not (tmp_path / "a.csv").exists()
    assert client(server, []).export("readings", tmp_path / "a.csv", start=BEGAN, end=end).read_bytes() == HEAD + b"".join(ROWS)
    assert "after=" in server.asked[5][1]
    (tmp_path / "b.csv.part").write_bytes(HEAD + ROWS[0])
    assert client(server, []).export("readings", tmp_path / "b.csv", start=BEGAN, end=end).read_bytes() == HEAD + b"".join(ROWS)


def test_a_limit_counts_what_is_here_already(bad: Callable[[Play], Bad], tmp_path: Path):
    server = bad(lambda handler, count: export(handler, 700 if count < 3 else 10**6))
    found = client(server, []).export("readings", tmp_path / "a.csv", start=BEGAN, end=timezone.now(), limit=25)
    assert found.read_bytes() == HEAD + b"".join(ROWS[:25])


def test_rows_are_whole_only_with_their_last_line():
    rows = Rows()
    rows.take(HEAD + b'7,"a\n')
    assert (rows.whole, rows.last, rows.count) == (len(HEAD), "", 0)
    rows.take(b'b"\n8,')
    assert (rows.last, rows.count) == ("7", 1)
    rows.cut()
    rows.take(b"8,c\n")
    assert (rows.last, rows.count) == ("8", 2)


def test_what_a_newer_server_says_besides_is_left_out():
    said = {
        "id": 1,
        "robot_id": "a",
        "robots": [],
        "robot_count": 0,
        "part_of": None,
        "kind": "k",
        "key": "",
        "severity": "low",
        "detail": {},
    }
    times = {"opened_at": "2026-11-24T12:00:00Z", "last_at": "2026-11-24T12:00:00Z", "resolved_at": None}
    rest = {"count": 1, "revision": 0, "acknowledged_at": None, "assignee": None, "snoozed_until": None, "false": False, "newer": 1}
    assert made(Alarm, {**said, **times, **rest}).opened_at.hour == 12


def test_the_client_imports_nothing_but_the_standard_library():
    import sys

    folder = Path(__file__).parents[2] / "client" / "croody_client"
    import ast

    roots = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add((node.module or "").partition(".")[0])
    assert roots - {"croody_client"} <= set(sys.stdlib_module_names)


def test_an_address_that_is_none_is_told_so():
    with pytest.raises(ValueError, match="https://SITE"):
        Client("site.example")
