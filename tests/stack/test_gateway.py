"""The way in: what sslyze and gixy say of it, what it refuses, and how one request is found again in the logs behind it."""

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.stack.analysers import complaints_of_gixy, complaints_of_sslyze
from tests.stack.system import OWN, TAG, Answer, System, eventually

pytestmark = pytest.mark.stack
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
#: Of a login link: as good as a password until it was used.
SECRET = "a-secret-that-stands-in-a-path"
#: Seconds between the gateway's looks at its certificate.
LOOK_S = 1
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
HAS_IPV6 = Path("/proc/net/if_inet6").exists()
#: The first 48 bits of this clone's two networks.
NETWORK = f"fd43:{int(OWN[-8:-4], 16):x}:{int(OWN[-4:], 16):x}"
#: Run by a visitor in a container: how the forms that it sends one after the other are answered.
VISIT = """
import http.client, sys
for _ in range(int(sys.argv[2])):
    connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=20)
    connection.request("POST", "/cuenta/acceder/", b"username=alice", {"Host": "localhost", "User-Agent": "visitor"})
    print(connection.getresponse().status)
    connection.close()
"""


@pytest.fixture(scope="module")
def system(images: None) -> Iterator[System]:
    """The development system without robots, which need none of this; open to IPv6 where this machine has it."""
    over_ipv6 = ["docker-compose.ipv6.yml", "tests/stack/ipv6/compose.yml"] if HAS_IPV6 else []
    subnets = {"CROODY_IPV6_SUBNET": f"{NETWORK}:1::/64", "CROODY_TEST_SUBNET": f"{NETWORK}:2::/64"}
    with System(f"{OWN}-gateway", ["docker-compose.yml", *over_ipv6], GATEWAY_LOOK_S=str(LOOK_S), **subnets) as system:
        system.up("gateway", "bridge", "worker")
        yield system


def test_sslyze_finds_mozillas_intermediate_profile_at_the_gateway(system: System) -> None:
    assert complaints_of_sslyze(system.https) == {}


def test_sslyze_finds_mozillas_intermediate_profile_at_the_broker(system: System) -> None:
    assert complaints_of_sslyze(system.mqtts) == {}


def test_gixy_finds_nothing_in_the_configuration_that_the_gateway_runs_with(system: System) -> None:
    assert complaints_of_gixy(system) == []


@pytest.mark.parametrize(
    "path", ["/", "/static/nothing.css", "/api/telemetry/healthz", "/api/ids/model", "/api/telemetry/bridge/relay", "/_away.css", "/mqtt"]
)
def test_whoever_answers_every_security_header_is_there_and_strict(system: System, path: str) -> None:
    headers = system.get(path).headers

    assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert {"camera=()", "geolocation=()", "microphone=()", "usb=()"} <= set(headers["permissions-policy"].split(", "))
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src") if name in policy} <= {"'self'"}


def test_a_self_signed_site_is_not_nailed_to_https_for_long(system: System) -> None:
    told = system.get("/").headers["strict-transport-security"]

    assert int(re.fullmatch(r"max-age=(\d+); includeSubDomains", told)[1]) <= 300  # type: ignore[index]
    assert "strict-transport-security" not in system.plain("/").headers


def send_form(system: System, path: str) -> Answer:
    """A form without what the site would ask for: it refuses, and answers all the same."""
    return system.request("POST", path, b"username=alice", Content_Type="application/x-www-form-urlencoded")


def test_whoever_sends_many_forms_is_told_to_wait_in_both_languages_and_pages_are_read_on(system: System) -> None:
    paths = ["/cuenta/acceder/", "/cuenta/registro/", "/en/cuenta/registro/", "/es/cuenta/acceder/", "/admin/login/"]
    answers = [send_form(system, paths[number % len(paths)]) for number in range(38)]
    statuses = [sent.status for sent in answers]
    refused = answers[-1]

    # A class of thirty at once beside the one that is due, and one more each six seconds.
    assert 429 not in statuses[:31]
    assert set(statuses[-2:]) == {429}
    assert refused.headers["retry-after"] == "60"
    assert "Demasiados intentos" in refused.text
    assert "Too many tries" in refused.text
    assert {name: refused.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert send_form(system, f"/cuenta/entrar/{SECRET}/").status == 429
    logged = '"method":"POST","host":"localhost","uri":"/admin/login/","protocol":"HTTP/1.1","status":429'
    assert logged in system.compose("logs", "gateway")
    assert system.get("/cuenta/acceder/").status == 200
    assert system.post("/api/ids/predict", {"rows": []}).status == 401


def test_a_login_link_stands_in_no_log(system: System) -> None:
    for answered in (system.get(f"/cuenta/entrar/{SECRET}/"), send_form(system, f"/en/cuenta/entrar/{SECRET}/")):
        assert answered.status in {200, 403, 404, 410, 429}
    for name in ("gateway", "croody"):
        eventually(f"the line of {name}", lambda name=name: "/cuenta/entrar/..." in system.compose("logs", name), 10)
        assert SECRET not in system.compose("logs", name)


def test_nobody_takes_all_the_room_for_streams(system: System) -> None:
    with ExitStack() as stack:

        def opened(path: str) -> http.client.HTTPResponse:
            connection = stack.enter_context(closing(http.client.HTTPConnection("localhost", system.http, timeout=20)))
            connection.request("GET", path)
            return connection.getresponse()

        statuses = [opened("/robots/monitor/stream").status for _ in range(203)]
        refused = opened("/api/telemetry/stream")

        assert statuses == [200] * 200 + [429] * 3
        assert refused.status == 429
        assert "200 open streams" in json.load(refused)["detail"]
        assert system.get("/robots/monitor/").status == 200


def knock(system: System) -> http.client.HTTPSConnection:
    """A robot's first words at the door of WebSockets, in the HTTP that browsers speak there."""
    context = system.context()
    context.set_alpn_protocols(["http/1.1"])
    connection = http.client.HTTPSConnection("localhost", system.https, timeout=20, context=context)
    connection.request("GET", "/mqtt", headers=UPGRADE)
    return connection


def test_nobody_takes_all_the_room_for_robots_over_websocket(system: System) -> None:
    # Side by side, for the broker sends those away who have not said in ten seconds who they are.
    with ExitStack() as stack, ThreadPoolExecutor(16) as pool:

        def status(_: int) -> int:
            return stack.enter_context(closing(knock(system))).getresponse().status

        statuses = sorted(pool.map(status, range(203)))

    assert statuses == [101] * 200 + [429] * 3


def test_a_robot_over_websocket_is_told_at_once_that_the_broker_is_away_and_let_in_when_it_is_back(system: System) -> None:
    system.compose("stop", "broker")
    try:
        began = time.monotonic()
        with closing(knock(system)) as connection:
            refused = connection.getresponse()
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "5"
            assert "away for a moment" in json.load(refused)["detail"]
        assert time.monotonic() - began < 10
    finally:
        system.compose("start", "broker")

    def let_in() -> bool:
        with closing(knock(system)) as connection:
            return connection.getresponse().status == 101

    eventually("the way to the broker", let_in, 30)


def test_a_certificate_that_a_person_puts_there_is_taken_up_when_both_halves_fit(system: System, tmp_path: Path) -> None:
    key, chain = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=by-hand"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    before = system.certificate()
    kept = {name: system.inside("gateway", "cat", f"/data/tls/{name}") for name in (chain.name, key.name)}

    def put(name: str, pem: str) -> None:
        system.compose("run", "--rm", "--no-deps", "-T", "certificate", "sh", "-c", f"cat > /data/tls/{name}", stdin=pem.encode())

    def complaints() -> int:
        return system.compose("logs", "gateway").count("key values mismatch")

    with closing(http.client.HTTPSConnection("localhost", system.https, timeout=30, context=system.context())) as connection:
        connection.request("GET", "/robots/monitor/stream")
        events = connection.getresponse()
        try:
            put(chain.name, chain.read_text())
            # It looks, and looks again.
            eventually("the gateway to see that they do not fit", lambda: complaints() >= 2, 30)
            assert system.certificate() == before
            assert system.get("/").status == 200

            put(key.name, key.read_text())
            eventually("the certificate by hand", lambda: system.certificate().split() == chain.read_text().split(), 30)
        finally:
            put(key.name, kept[key.name])
            put(chain.name, kept[chain.name])
        eventually("the former one", lambda: system.certificate() == before, 30)
        assert events.fp.readline(), "the stream ended"


def visit(system: System, network: str, address: str, forms: int) -> list[int]:
    """A visitor with this address sends forms over IPv6: the answers' statuses."""
    name = f"{system.project}_{network}"
    gateway = system.inspect("gateway")["NetworkSettings"]["Networks"][name]["GlobalIPv6Address"]
    client = ["docker", "run", "--rm", "--network", name, "--ip6", address, f"croody-cloud:{TAG}", "python", "-c", VISIT]
    return [int(status) for status in system.run(*client, gateway, str(forms)).split()]


@pytest.mark.skipif(not HAS_IPV6, reason="the kernel of this machine has no IPv6")
def test_visitors_over_ipv6_are_told_apart_by_their_networks_of_64_bits(system: System) -> None:
    flooding = visit(system, "front", f"{NETWORK}:1::aaaa:1", 40)
    same_network = visit(system, "front", f"{NETWORK}:1::bbbb:2", 4)
    somebody_else = visit(system, "elsewhere", f"{NETWORK}:2::cccc:3", 4)

    assert 429 not in flooding[:31]
    assert flooding[-1] == 429
    assert same_network[-1] == 429
    assert 429 not in somebody_else
    lines = [json.loads(line) for line in access_log(system) if '"agent":"visitor"' in line]
    assert {line["client"] for line in lines} == {f"{NETWORK}:1::aaaa:1", f"{NETWORK}:1::bbbb:2", f"{NETWORK}:2::cccc:3"}


def access_log(system: System) -> list[str]:
    """What the gateway wrote to its standard output; errors go to the other."""
    return system.run("docker", "logs", system.container("gateway")).splitlines()


def test_every_line_of_the_access_log_is_json_whatever_comes(system: System) -> None:
    agent = b'a"b\\c {}%22%s \t\x01\x7f' + "ñ€🤖".encode() + b"\xff\xfe"
    requests = [
        b'GET /r%22%0a%25"\\{}' + '/ñ?q="'.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + agent,
        b'GET /host HTTP/1.1\r\nHost: ex"am\\ple{}',
        b"GET /raw\x01\xff HTTP/1.1\r\nHost: localhost",
        b"GET /0.9",
        b"GET /none HTTP/1.0",
        b'BR"EW\x00 /pot HTTP/1.1\r\nHost: localhost',
        b'\x16\x03\x01\x02"\\',
        b"PRI * HTTP/2.0\r\n\r\nSM",
        b"GET /api/ids/model HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked",
    ]
    before = len(access_log(system))
    for request in requests:
        with socket.create_connection(("localhost", system.http), timeout=20) as connection:
            connection.sendall(request + b"\r\nConnection: close\r\n\r\n")
            while connection.recv(4096):
                pass

    lines = eventually("their lines", lambda: seen if len(seen := access_log(system)[before:]) >= len(requests) else None, 10)
    logged = [json.loads(line) for line in lines]
    (odd,) = [line for line in logged if line["agent"].startswith('a"b')]
    assert odd["agent"] == agent.decode(errors="replace")
    assert odd["uri"] == '/r%22%0a%25"\\{}/ñ'
    assert all(isinstance(line[name], int | float) for line in logged for name in ("status", "bytes", "seconds"))


@pytest.mark.parametrize(
    ("path", "service"),
    [("/robots/monitor/", "croody"), ("/api/telemetry/live", "telemetry-gateway"), ("/api/ids/model", "ids-ml")],
)
def test_a_request_is_found_by_its_id_in_the_logs_of_gateway_and_service(system: System, path: str, service: str) -> None:
    request_id = system.get(path, X_Request_ID="0" * 32).headers["x-request-id"]

    assert re.fullmatch(r"[0-9a-f]{32}", request_id)
    assert request_id != "0" * 32

    def lines(name: str) -> list[str]:
        return [line for line in system.compose("logs", "--no-log-prefix", name).splitlines() if request_id in line]

    for name in ("gateway", service):
        (line,) = eventually(f"the request in the log of {name}", lambda name=name: lines(name), 10)
        assert path in line


def test_a_reading_is_followed_from_the_broker_to_the_database_by_one_id(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "rastro-01", "--shared").split()[:2]
    eventually("the new robot to be let in", lambda: system.lets_in(robot_id, secret), 15)
    with system.mqtt_client(robot_id, secret) as client:
        eventually("the connection", client.is_connected, 10)
        client.publish(f"croody/v1/{robot_id}/up/telemetry", '{"data": {"TEMP": 20.5}}', qos=1).wait_for_publish(10)

        def relayed() -> str:
            found = re.search(rf"relayed .*{robot_id}/plain.* 200 \d+ms request_id=([0-9a-f]{{32}})", system.compose("logs", "bridge"))
            return found[1] if found else ""

        request_id = eventually("the relay in the bridge's log", relayed, 15)
    eventually("the relay in the API's log", lambda: f"request_id={request_id}" in system.compose("logs", "telemetry-gateway"), 10)


def test_the_health_probe_leaves_no_line_in_the_brokers_log_and_a_stranger_does(system: System) -> None:
    kind, *probe = system.inspect("broker")["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    for _ in range(3):
        system.inside("broker", *probe)
    assert "127.0.0.1" not in system.compose("logs", "broker")

    assert not system.lets_in("nobody-01", "guessed-in-vain-guessed-in-vain")
    # Once a minute for one address, so perhaps with the name of who knocked before.
    eventually("a line about the stranger", lambda: "refused: user '" in system.compose("logs", "broker"), 5)
