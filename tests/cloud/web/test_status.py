"""`/estado/`: is Croody up?"""

import contextlib
import dataclasses
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import pytest
from django.utils import timezone

from croody.liveness import parts as health
from croody.liveness.models import Listening

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def healthy() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Healthy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _fresh(settings, tmp_path, free_port) -> Iterator[None]:
    nobody = f"http://127.0.0.1:{free_port}"
    settings.ENV = dataclasses.replace(
        settings.ENV, state_dir=tmp_path, telemetry_url=nobody, ids_url=nobody, broker_url=nobody.replace("http", "mqtt")
    )
    health._kept = (0.0, [])
    yield
    health._kept = (0.0, [])


def well() -> set[str]:
    health._kept = (0.0, [])
    return {answer.part for answer in health.answers() if answer.well}


def test_each_part_is_said_to_be_well_only_when_it_answers(settings, tmp_path, healthy):
    assert well() == {"web", "database"}
    with broker_that_says(b"\x20\x02\x00\x05") as broker:
        settings.ENV = dataclasses.replace(
            settings.ENV,
            telemetry_url=f"http://127.0.0.1:{healthy}",
            ids_url=f"http://127.0.0.1:{healthy}",
            broker_url=f"mqtt://127.0.0.1:{broker}",
        )
        (tmp_path / "worker.heartbeat").write_text(f"leader {timezone.now().isoformat()}\n")
        Listening.objects.create(pk=Listening.ONLY, since=timezone.now(), at=timezone.now())
        assert well() == {"web", "database", "telemetry", "ids", "broker", "bridge", "worker"}
        (tmp_path / "worker.heartbeat").write_text(f"leader {(datetime.now(UTC) - timedelta(seconds=30)).isoformat()}\n")
        Listening.objects.update(at=timezone.now() - timedelta(seconds=30))
        assert well() == {"web", "database", "telemetry", "ids", "broker"}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_its_own_parts_are_not_asked_through_a_proxy(settings, healthy, free_port, monkeypatch, name):
    for other in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    settings.ENV = dataclasses.replace(settings.ENV, telemetry_url=f"http://127.0.0.1:{healthy}")

    assert "telemetry" in well()


def test_a_broker_that_hangs_is_the_one_to_blame_and_not_the_bridge(settings, tmp_path, healthy, client):
    with socket.create_server(("127.0.0.1", 0)) as hung:
        api = f"http://127.0.0.1:{healthy}"
        settings.ENV = dataclasses.replace(
            settings.ENV, telemetry_url=api, ids_url=api, broker_url=f"mqtt://127.0.0.1:{hung.getsockname()[1]}"
        )
        (tmp_path / "worker.heartbeat").write_text(f"leader {timezone.now().isoformat()}\n")
        Listening.objects.create(pk=Listening.ONLY, since=timezone.now(), at=timezone.now() - timedelta(seconds=30))
        assert "bridge" not in well()
        assert "No responde: Broker MQTT" in client.get("/estado/").content.decode()
        assert "Waits for: MQTT broker" in client.get("/en/estado/").content.decode()


@contextlib.contextmanager
def broker_that_says(answer: bytes) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_head_is_the_answer_in_both_languages(client):
    assert "4 partes no responden" in client.get("/estado/").content.decode()
    assert "4 parts do not answer" in client.get("/en/estado/").content.decode()


def test_nothing_about_addresses_or_errors_is_told(client, free_port):
    text = client.get("/estado/").content.decode()
    assert "127.0.0.1" not in text
    assert str(free_port) not in text


def test_scripts_of_the_earlier_system_are_told_that_it_is_healthy(client):
    assert client.get("/health/").json() == {"status": "healthy", "service": "croody", "version": version("croody")}
