"""Readings by HTTP, out of the same outbox, against a server that answers as the test wants."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from croody_contract.messages import Event, Position, Reading, Telemetry, encode
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import Counting, Silent, reading, settings, wait_until

Drive = Callable[..., Driven]


PORTAL = b"<!doctype html><title>Hotel Sol</title><form>Log in to the network</form>"


def as_croody(body: dict[str, Any], status: int) -> bytes:
    """Our own answer: the stored row, or what is wrong."""
    row = {"id": 7, "ts": body["ts"], "data": body["data"], "robot_id": body["robot_id"]}
    return json.dumps(row if status in (200, 201) else {"detail": "as the test wants"}).encode()


class Server:
    """`POST /api/telemetry/ingest`, with an answer that the test chooses for each body."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.tokens: list[str | None] = []
        self.paths: list[str] = []
        self.answer: Callable[[dict[str, Any]], int] = lambda _: 201
        self.text: Callable[[dict[str, Any], int], bytes] = as_croody
        self.stored: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(raw)
                outer.raw.append(raw)
                outer.bodies.append(body)
                outer.paths.append(self.path)
                outer.tokens.append(self.headers["X-API-Key"])
                status = outer.answer(body)
                if status in (200, 201):
                    outer.stored.append(body)
                text = outer.text(body, status)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                if status == 429:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def numbers(self) -> list[int]:
        return [body["data"]["n"] for body in self.stored]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def test_readings_go_one_by_one_as_the_contract_says(tmp_path: Path, server: Server, drive: Drive) -> None:
    source = Counting(0.01)
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), source, None)
    assert wait_until(lambda: len(server.stored) > 30)
    driven.stop()
    assert server.numbers() == list(range(1, source.count + 1))
    assert driven.agent.pending() == 0
    assert set(server.paths) == {"/api/telemetry/ingest"}
    assert server.bodies[0]["robot_id"] == "rover-alice"
    assert server.bodies[0]["ts"].endswith("Z")
    assert set(server.tokens) == {"s" * 43}


@pytest.mark.parametrize(
    "whole",
    [
        Reading(data={"n": 1}),
        Reading(data={"temp_c": 0.1, "mode": "café ☕", "ok": True, "big": 2**53}, ts=datetime(2026, 11, 24, 10, 0, 0, 250_000, UTC)),
        Reading(data={"n": 2}, position=Position(4.6, -74.1), environment="bodega", status="moving"),
    ],
)
def test_a_body_is_byte_for_byte_the_contracts_though_nothing_is_decoded(
    tmp_path: Path, server: Server, drive: Drive, whole: Reading
) -> None:
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    driven.agent.publish(whole)
    assert wait_until(lambda: server.raw)
    told = Telemetry(whole.data, "rover-alice", whole.ts, whole.position, whole.environment, whole.status)
    assert server.raw == [encode(told)]


def test_the_path_of_the_url_and_the_shared_token_are_used(tmp_path: Path, server: Server, drive: Drive) -> None:
    drive(settings(tmp_path / "edge", ingest_url=f"{server.url}/elsewhere?x=1", secret="", ingest_token="shared"), Counting(), None)
    assert wait_until(lambda: server.stored)
    assert (server.paths[0], server.tokens[0]) == ("/elsewhere?x=1", "shared")


@pytest.mark.parametrize("status", [500, 503, 401, 404])
def test_an_answer_that_is_not_the_readings_fault_is_waited_out(tmp_path: Path, server: Server, drive: Drive, status: int) -> None:
    server.answer = lambda _: status
    source = Counting(0.01)
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), source, None)
    time.sleep(0.8)
    assert 2 <= len(server.bodies) <= 12, "with backoff"
    assert len({body["data"]["n"] for body in server.bodies}) == 1
    server.answer = lambda _: 200
    assert wait_until(lambda: len(server.stored) > 50)
    driven.stop()
    assert server.numbers() == list(range(1, source.count + 1))


def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path, server: Server, drive: Drive) -> None:
    server.answer = lambda _: 429
    drive(settings(tmp_path / "edge", ingest_url=server.url), Counting(0.01), None)
    time.sleep(0.4)
    assert len(server.bodies) == 1


def test_a_reading_that_is_refused_is_set_apart_and_does_not_block(tmp_path: Path, server: Server, drive: Drive) -> None:
    server.answer = lambda body: 422 if body["data"]["n"] % 3 == 0 else 201
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    for number in range(1, 10):
        driven.agent.publish(reading(number))
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert server.numbers() == [1, 2, 4, 5, 7, 8]
    driven.stop()
    import sqlite3

    with sqlite3.connect(tmp_path / "edge" / "outbox.db") as db:
        dead = [(reason, json.loads(body)["data"]["n"]) for reason, body in db.execute("SELECT reason, body FROM dead ORDER BY key")]
    db.close()
    assert dead == [("422 as the test wants", number) for number in (3, 6, 9)]


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 404, 407, 413, 415, 422, 451, 511])
def test_what_somebody_on_the_way_answers_neither_deletes_nor_sets_apart(
    tmp_path: Path, server: Server, drive: Drive, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server.answer, server.text = lambda _: status, lambda _body, _status: b"" if status == 204 else PORTAL
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    for number in range(1, 6):
        driven.agent.publish(reading(number))
    assert wait_until(lambda: len(server.bodies) >= 2)
    assert {body["data"]["n"] for body in server.bodies} == {1}
    assert driven.agent.pending() >= 5
    assert str(status) in driven.agent.trouble
    assert caplog.text.count(driven.agent.trouble) == 1, "said once, with the remedy"
    server.stored.clear()
    server.answer, server.text = lambda _: 201, as_croody
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert server.numbers() == [1, 2, 3, 4, 5]
    assert driven.agent.trouble == ""


def test_a_trouble_of_another_kind_is_said_too_and_no_page_reaches_the_terminal_as_it_came(
    tmp_path: Path, server: Server, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer, server.text = lambda _: 502, lambda _body, _status: b"\x1b[2Jbad gateway"
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    driven.agent.publish(reading(1))
    assert wait_until(lambda: "502" in caplog.text)
    server.answer = lambda _: 200
    assert wait_until(lambda: "answers 200 is not Croody" in caplog.text)
    assert "\\x1b[2Jbad gateway" in caplog.text
    assert "\x1b" not in caplog.text + driven.agent.trouble


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path, drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    driven = drive(settings(tmp_path / "edge", ingest_url="http://127.0.0.1:9"), Counting(0.01), None)
    time.sleep(0.6)
    assert driven.agent.pending() > 20
    assert sum("trying again" in record.getMessage() for record in caplog.records) == 1
    assert driven.error is None


def test_what_cannot_go_by_http_is_logged_and_leaves_the_queue(
    tmp_path: Path, server: Server, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    driven = drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    driven.agent.publish(Event(code="bumped"))
    driven.agent.publish(reading(1))
    assert wait_until(lambda: server.stored and driven.agent.pending() == 0)
    assert server.numbers() == [1]
    assert "bumped" in caplog.text


def test_readings_of_an_earlier_start_are_sent_too(tmp_path: Path, server: Server, drive: Drive) -> None:
    away = drive(settings(tmp_path / "edge", ingest_url="http://127.0.0.1:9"), Silent(), None)
    away.agent.publish(reading(1))
    away.stop(0.0)
    drive(settings(tmp_path / "edge", ingest_url=server.url), Silent(), None)
    assert wait_until(lambda: server.numbers() == [1])
