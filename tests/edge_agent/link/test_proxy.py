"""The agent through an HTTP proxy that asks for a login: MQTT over TLS, WebSocket over TLS, HTTP mode; and whom it leads past the proxy."""

import base64
import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from croody_contract.messages import Reading
from croody_edge.link.proxy import Proxies, Proxy, from_environment
from croody_edge.variables import BadSetting
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import Broker, Cloud, Silent, reading, settings, wait_until
from tests.edge_agent.link.lines import TlsDoor

Drive = Callable[..., Driven]
NAME = "robots.test"
LOGIN = "Basic " + base64.b64encode(b"alice:p@ss:word").decode()


class ProxyServer:
    """A proxy that finds `robots.test` on this machine, and lets only Alice through; `only_port`: and to nothing else."""

    def __init__(self, only_port: int | None = None) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def let_in(self) -> bool:
                outer.asked.append(f"{self.command} {self.path}")
                if self.headers["Proxy-Authorization"] == LOGIN:
                    return True
                self.send_response(407)
                self.send_header("Proxy-Authenticate", "Basic")
                self.end_headers()
                return False

            def do_CONNECT(self) -> None:
                if not self.let_in():
                    return
                if only_port is not None and not self.path.endswith(f":{only_port}"):
                    self.send_error(403)
                    return
                with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as far:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    back = threading.Thread(target=pipe, args=(far, self.connection), daemon=True)
                    back.start()
                    pipe(self.connection, far)
                    back.join(2)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.let_in():
                    return
                outer.bodies.append(body)
                answer = json.dumps({"id": 1, "ts": "x", "data": body["data"], "robot_id": body["robot_id"]}).encode()
                self.send_response(201)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def proxies(self, login: str = "alice:p%40ss:word@") -> Proxies:
        address = f"http://{login}127.0.0.1:{self.port}"
        return from_environment({"HTTPS_PROXY": address, "http_proxy": address, "NO_PROXY": "example.org"})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[ProxyServer]:
    made = ProxyServer()
    yield made
    made.close()


@pytest.fixture
def broker(tmp_path: Path, free_ports: Callable[[int], list[int]]) -> Iterator[Broker]:
    """A real broker, with a listener for WebSockets."""
    folder = tmp_path / "broker"
    folder.mkdir()
    port, websocket_port = free_ports(2)
    made = Broker(folder, port, "amqtt", websocket_port)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `robots.test` and its key."""
    folder = tmp_path_factory.mktemp("tls")
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    if subprocess.run(["openssl", "req", "-x509", *options, *files], capture_output=True, check=False).returncode:
        pytest.skip("no openssl here: apt-get install openssl")
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("websocket", [False, True])
def test_mqtt_over_tls_goes_through_the_proxy(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive, named: tuple[Path, Path], proxy: ProxyServer, websocket: bool
) -> None:
    door = TlsDoor(broker.websocket if websocket else broker.address, named)
    address = replace(door.address, host=NAME)
    driven = drive(settings(tmp_path / "edge", address, ca_file=named[0], proxies=proxy.proxies()), Silent(), None)
    driven.agent.publish(reading(1))
    assert wait_until(lambda: cloud.ledger.of(Reading))
    assert proxy.asked == [f"CONNECT {NAME}:{address.port}"]
    driven.stop()
    door.close()


def test_http_mode_goes_through_the_proxy(tmp_path: Path, drive: Drive, proxy: ProxyServer) -> None:
    url = f"http://{NAME}:9000/api/telemetry/ingest"
    driven = drive(settings(tmp_path / "edge", ingest_url=url, proxies=proxy.proxies()), Silent(), None)
    driven.agent.publish(reading(1))
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert proxy.asked == [f"POST {url}"]
    assert [body["data"] for body in proxy.bodies] == [{"n": 1}]


@pytest.mark.parametrize("mode", ["mqtt", "http"])
def test_a_proxy_that_asks_for_a_login_is_told_with_its_remedy_and_no_password(
    tmp_path: Path, drive: Drive, proxy: ProxyServer, named: tuple[Path, Path], mode: str, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    proxies = proxy.proxies("alice:wrong-word@")
    more = {"ingest_url": f"https://{NAME}/"} if mode == "http" else {}
    address = replace(broker.address, host=NAME, tls=True)
    driven = drive(settings(tmp_path / "edge", address, ca_file=named[0], proxies=proxies, **more), Silent(), None)
    driven.agent.publish(reading(1))
    assert wait_until(lambda: "asks for a name and password" in driven.agent.trouble)
    assert "HTTPS_PROXY" in driven.agent.trouble
    assert "wrong-word" not in caplog.text + driven.agent.trouble + repr(proxies)
    assert driven.agent.pending() > 0


def test_a_proxy_that_is_away_is_not_taken_for_the_broker(tmp_path: Path, drive: Drive, named: tuple[Path, Path], broker: Broker) -> None:
    proxies = Proxies(https=Proxy("127.0.0.1", 9))
    driven = drive(
        settings(tmp_path / "edge", replace(broker.address, host=NAME, tls=True), ca_file=named[0], proxies=proxies), Silent(), None
    )
    assert wait_until(lambda: "the proxy 127.0.0.1:9 cannot be reached" in driven.agent.trouble)


@pytest.mark.parametrize(
    ("host", "through"),
    [
        ("robots.example.com", True),
        ("example.org", False),
        ("deep.example.org", False),
        ("notexample.org", True),
        ("dotted.net", False),
        ("a.dotted.net", False),
        ("ported.net", True),
        ("10.1.2.3", False),
        ("11.1.2.3", True),
        ("203.0.113.7", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("telemetry-gateway", False),
    ],
)
def test_whom_no_proxy_names_and_what_is_near_is_reached_without_one(host: str, through: bool) -> None:
    told = {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "example.org, .dotted.net,ported.net:80,10.0.0.0/8,203.0.113.7"}
    assert (from_environment(told).to(host, 443, "https") is not None) is through
    assert from_environment({**told, "no_proxy": "*"}).to(host, 443, "https") is None
    assert from_environment(told).to(host, 80, "http") is None


@pytest.mark.parametrize("address", ["socks5://user:word@proxy:1080", "http://", "http://proxy:port", "ftp://proxy"])
def test_an_address_that_is_no_http_proxys_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(BadSetting, match="HTTPS_PROXY is a secret: it must be http://PROXY:PORT") as refused:
        from_environment({"HTTPS_PROXY": address})
    assert "word" not in str(refused.value).partition("NAME:PASSWORD")[0]
