"""One compose project under test, spoken to as its users do. Knows docker and sockets, nothing of Croody's code."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import paho.mqtt.client as mqtt

ROOT = Path(__file__).parents[2]
#: Begins the names of this clone's projects and the tags of its images: two clones on one engine leave each other alone.
OWN = f"croodytest{crc32(str(ROOT).encode()):08x}"
#: Which part of the test this is, where there are several at a time.
PART = os.environ.get("CROODY_STACK_PART", "")
#: Compose writes the project's name into what it builds, so a system that builds moves its tag: each part has one.
TAG = OWN + PART
#: What tests measured, told at the end of the run.
FIGURES: list[str] = []
#: Files of a production system, and the robots that the tests' own one has.
PRODUCTION = ["docker-compose.yml", "docker-compose.prod.yml"]
ROBOTS = [f"amr-{number:02d}" for number in range(1, 21)]
#: Services that run for good, without those of a profile.
CLOUD = ("gateway", "croody", "telemetry-gateway", "ids-ml", "bridge", "worker", "broker", "certificate")


class System:
    """Use as a context manager: `up` on the way in, `down -v` on the way out unless CROODY_STACK_KEEP is set."""

    def __init__(self, project: str, files: Sequence[str], folder: Path = ROOT, **environ: str) -> None:
        self.project, self.folder = project, folder
        self.http, self.https, self.mqtts, self.robot = free_ports(4)
        self._authority = ""
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in {"COMPOSE_FILE", "COMPOSE_PROJECT_NAME"}},
            "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_FILE": ":".join(files),
            "CROODY_VERSION": TAG,
            "HTTP_PORT": str(self.http),
            "HTTPS_PORT": str(self.https),
            "MQTTS_PORT": str(self.mqtts),
            "ROBOT_PORT": str(self.robot),
            "ALLOWED_ORIGINS": f"http://localhost:{self.http},https://localhost:{self.https}",
            # Nothing from a person's .env: a clone has none.
            "COMPOSE_DISABLE_ENV_FILE": "1",
            # Nor from its history: a commit that comes while the test runs would make every image another one.
            "GIT_DIR": os.devnull,
            # As ./croody does: the same sources are the same image.
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
            "LANG": "C.UTF-8",
            **environ,
        }

    def __enter__(self) -> "System":
        self.down()
        return self

    def __exit__(self, *_: object) -> None:
        if not os.environ.get("CROODY_STACK_KEEP"):
            self.down()

    # -- docker --------------------------------------------------------------------------------------------------
    def run(self, *command: str, check: bool = True, stdin: bytes | None = None, timeout_s: float = 500) -> str:
        """Standard output of a command in the root of the repository (or `folder`), under this project's environment."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True, check=False, timeout=timeout_s,
        )  # fmt: skip
        text = done.stdout.decode(errors="replace")
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(command)}: exit status {done.returncode}\n{text[-3000:]}\n{done.stderr.decode(errors='replace')[-3000:]}"
            )
        return text

    def compose(self, *command: str, check: bool = True, stdin: bytes | None = None, timeout_s: float = 500) -> str:
        """`docker compose COMMAND`."""
        return self.run("docker", "compose", "--progress", "quiet", *command, check=check, stdin=stdin, timeout_s=timeout_s)

    def croody(self, *command: str, **options: Any) -> str:
        """`./croody COMMAND`."""
        return self.run("./croody", *command, **options)

    def up(self, *services: str, timeout_s: float = 900) -> None:
        """Build what is missing, start, wait until all is healthy."""
        try:
            self.compose("up", "-d", "--wait", "--wait-timeout", "240", *services, timeout_s=timeout_s)
        except AssertionError as error:
            states = self.compose("ps", "-a", check=False)
            raise AssertionError(f"{error}\n{states}\n{self.compose('logs', '--tail', '20', check=False)[-8000:]}") from None

    def down(self) -> None:
        """Everything of this project away, volumes too."""
        self._authority = ""
        self.compose("--profile", "*", "down", "-v", "--remove-orphans", "-t", "10", check=False)

    def container(self, service: str) -> str:
        """Id of the container of a service."""
        return self.compose("ps", "-aq", service).split()[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        found: dict[str, Any] = json.loads(self.run("docker", "inspect", self.container(service)))[0]
        return found

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """Standard output of a command in a running container."""
        return self.compose("exec", "-T", service, *command, check=check)

    def kill(self, service: str, away_s: float = 1) -> None:
        """SIGKILL, and back after a while: the engine takes a kill for a wish and does not restart what was killed so."""
        container = self.container(service)
        self.run("docker", "kill", "-s", "KILL", container)
        time.sleep(away_s)
        self.run("docker", "start", container)

    def sql(self, query: str) -> list[list[str]]:
        """Rows of a query on PostgreSQL, as text."""
        out = self.inside("db", "psql", "-U", "croody", "-d", "croody", "-AtF", "\t", "-c", query)
        return [line.split("\t") for line in out.splitlines()]

    # -- the outside ---------------------------------------------------------------------------------------------
    def certificate(self) -> str:
        """The gateway's certificate (PEM)."""
        return ssl.get_server_certificate(("127.0.0.1", self.https), timeout=10)

    def authority(self) -> str:
        """The certificate (PEM) of the site's own authority."""
        if not self._authority:
            self._authority = self.inside("gateway", "cat", "/data/tls/ca.pem")
        return self._authority

    def context(self) -> ssl.SSLContext:
        """Trusts the site's own authority and nothing else, and checks the name."""
        return ssl.create_default_context(cadata=self.authority())

    def get(self, path: str, **headers: str) -> "Answer":
        """`GET` through the gateway over TLS."""
        return self.request("GET", path, None, **headers)

    def post(self, path: str, body: object, **headers: str) -> "Answer":
        """`POST` of JSON through the gateway over TLS."""
        return self.request("POST", path, json.dumps(body).encode(), **{"Content-Type": "application/json", **headers})

    def request(self, method: str, path: str, body: bytes | None, **headers: str) -> "Answer":
        """One request over a connection of its own."""
        connection = http.client.HTTPSConnection("localhost", self.https, timeout=30, context=self.context())
        return answer(connection, method, path, body, headers)

    def plain(self, path: str, **headers: str) -> "Answer":
        """`GET` at the gateway's port without TLS; redirects are not followed."""
        return answer(http.client.HTTPConnection("localhost", self.http, timeout=30), "GET", path, None, headers)

    @contextmanager
    def mqtt_client(self, user: str, password: str, **options: Any) -> Iterator[mqtt.Client]:
        """A stock client over TLS, the certificate checked: at port 8883, or (`transport="websockets"`) through the gateway."""
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user, **options)
        client.tls_set_context(self.context())
        client.username_pw_set(user, password)
        client.ws_set_options(path="/mqtt")
        client.connect("localhost", self.https if options.get("transport") == "websockets" else self.mqtts, keepalive=30)
        client.loop_start()
        try:
            yield client
        finally:
            client.disconnect()
            client.loop_stop()

    def publishes(self, robot_id: str, secret: str, **options: Any) -> None:
        """See that a stock client with a robot's secret is let in, and that what it publishes is stored."""
        eventually("the new robot to be let in", lambda: self.lets_in(robot_id, secret), 15)
        data = {"TEMP": 33.25}
        with self.mqtt_client(robot_id, secret, **options) as client:

            def publish_and_look() -> bool:
                client.publish(f"croody/v1/{robot_id}/up/telemetry", json.dumps({"robot_id": robot_id, "data": data}), qos=1)
                found = self.get(f"/api/telemetry/last?robot_id={robot_id}")
                return found.status == 200 and bool(found.json["data"] == data)

            eventually("the reading behind the gateway", publish_and_look, 15, every_s=1)

    def lets_in(self, user: str, password: str, patience_s: float = 3) -> bool:
        """Whether the broker lets this account in at port 8883."""
        with self.mqtt_client(user, password) as client:
            deadline = time.monotonic() + patience_s
            while not client.is_connected() and time.monotonic() < deadline:
                time.sleep(0.05)
            return client.is_connected()


class Answer:
    """Status, headers (names in small letters), body and cookies of an answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, cookies: Sequence[str] = ()) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.cookies = cookies

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@contextmanager
def overlay(system: System, tmp_path: Path, text: str, **environ: str) -> Iterator[None]:
    """Another version: the same files, and one more."""
    (tmp_path / "another.yml").write_text(text)
    before = dict(system.environ)
    system.environ |= {"COMPOSE_FILE": f"{before['COMPOSE_FILE']}:{tmp_path / 'another.yml'}", **environ}
    try:
        yield
    finally:
        system.environ = before


def remove_images(system: System, tag: str) -> None:
    """Every image of this tag away, but what the engine keeps to build the next one from. Not by force: one that is in use is told."""
    listed = system.run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference=croody-*:{tag}")
    if listed:
        system.run("docker", "image", "rm", *listed.split())


def answer(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    """Ask, read all, close."""
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        got = connection.getresponse()
        headers = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, headers, got.read(), got.headers.get_all("Set-Cookie", []))
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, below those that the kernel hands out by itself."""
    found: list[int] = []
    # Far from what another run of these tests, which begins at the same moment, looks at.
    port = 21_000 + os.getpid() * 101 % 8_000
    while len(found) < count:
        port += 1
        with socket.socket() as trial:
            try:
                trial.bind(("0.0.0.0", port))
            except OSError:
                continue
        found.append(port)
    return found


def eventually(what: str, probe: Callable[[], object], timeout_s: float = 30, every_s: float = 0.5) -> Any:
    """The first true answer of `probe`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = probe()
            if last:
                return last
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            last = error
        time.sleep(every_s)
    raise AssertionError(f"{what}: not within {timeout_s} s; last: {last!r}")
