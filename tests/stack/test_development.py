"""`docker compose up -d` with no .env: everything that is promised of it, tried from outside, over TLS where there is TLS."""

import gzip
import http.client
import os
import re
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography.x509 import load_pem_x509_certificate

from tests.stack.hardening import assert_hardened, assert_no_secret_shows, published
from tests.stack.site import ROBOT, Site
from tests.stack.system import CLOUD, System, eventually

pytestmark = pytest.mark.stack
SERVICES = [*CLOUD, "robot-sim"]
PAGES = ["/", "/robots/monitor/", "/cuenta/acceder/", "/cuenta/registro/", "/en/", "/es/robots/monitor/", "/estado/"]
HEADERS = ("x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security", "content-security-policy")


def days_left(certificate: str) -> int:
    """Of the first certificate of this text (PEM)."""
    return (load_pem_x509_certificate(certificate.encode()).not_valid_after_utc - datetime.now(UTC)).days


def ingest_token(system: System) -> str:
    return system.croody("ingest-token").strip()


def test_every_service_is_healthy_and_the_job_that_prepares_ended_well(development: System) -> None:
    for service in SERVICES:
        assert development.inspect(service)["State"]["Health"]["Status"] == "healthy", service
    assert development.inspect("migrate")["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", [*SERVICES, "migrate"])
def test_every_container_is_hardened_and_its_limits_are_in_force(development: System, service: str) -> None:
    assert_hardened(development, service)


def test_no_secret_stands_in_docker_inspect(development: System) -> None:
    listed = development.inside("croody", "sh", "-c", "cd /run/croody/cloud && for f in *; do echo $f $(cat $f); done")
    listed += development.inside("robot-sim", "sh", "-c", "cd /run/croody/robots && echo ADMIN_PASSWORD $(cat ADMIN_PASSWORD) && cat sim")
    secrets = dict(line.split() for line in listed.splitlines())

    assert {"SECRET_KEY", "BRIDGE_TOKEN", "TG_INGEST_TOKEN", "ADMIN_PASSWORD", "robot-clases"} <= set(secrets)
    assert_no_secret_shows(development, [*SERVICES, "migrate"], secrets)


def test_only_gateway_broker_and_robot_are_reached_from_outside(development: System) -> None:
    expected = {development.http, development.https, development.mqtts, development.robot}

    assert published(development, [*SERVICES, "migrate"]) == expected
    for network in ("back", "storage"):
        described = development.run("docker", "network", "inspect", "--format", "{{.Internal}}", f"{development.project}_{network}")
        assert described.strip() == "true"


@pytest.mark.parametrize("path", PAGES)
def test_pages_answer_over_tls_with_every_security_header(development: System, path: str) -> None:
    page = development.get(path)

    assert page.status == 200
    assert not [name for name in HEADERS if name not in page.headers]
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert "server" not in page.headers or "/" not in page.headers["server"], "the gateway tells its version"


@pytest.mark.parametrize(
    "path", ["/api/telemetry/healthz", "/api/telemetry/live", "/api/ids/model", "/nothing/here", "/api/telemetry/nothing"]
)
def test_every_other_answer_has_the_security_headers_once(development: System, path: str) -> None:
    connection = http.client.HTTPSConnection("localhost", development.https, timeout=10, context=development.context())
    connection.request("GET", path)
    got = connection.getresponse()
    names = [name.lower() for name, _ in got.getheaders()]
    got.read()
    connection.close()

    assert {name: names.count(name) for name in HEADERS} == dict.fromkeys(HEADERS, 1)


def test_the_earlier_ports_work_without_tls_too(development: System) -> None:
    assert development.plain("/").status == 200
    assert development.plain("/api/telemetry/healthz").json == {"status": "ok"}


def test_robots_drive_about_and_the_whole_fleet_is_shown(development: System) -> None:
    def readings() -> dict[str, int]:
        newest = {robot["robot_id"]: robot["last"]["id"] for robot in development.get("/api/telemetry/live").json["robots"]}
        return {name: newest[name] for name in ("robot-clases", "amr-02", "amr-03")}

    before = eventually("three robots", readings)
    eventually("new readings of all of them", lambda: all(readings()[name] > before[name] for name in before))


def test_readings_are_let_in_with_the_generated_token_and_refused_without(development: System) -> None:
    body = {"robot_id": "robot-clases", "data": {"TEMP": 21.5, "LAT": 4.6, "LON": -74.1}, "status": "ok"}

    refused = development.post("/api/telemetry/ingest", body)
    wrong = development.post("/api/telemetry/ingest", body, X_API_Key="not-the-token-not-the-token-not-the-token")
    stored = development.post("/api/telemetry/ingest", body, X_API_Key=ingest_token(development))

    assert refused.status == wrong.status == 401
    assert "detail" in refused.json
    assert stored.status in {200, 201}
    assert stored.json["data"]["TEMP"] == 21.5
    assert stored.json["position"]["lat"] == 4.6
    bad = development.post("/api/telemetry/ingest", {**body, "data": {"TEMP": [1]}}, X_API_Key=ingest_token(development))
    assert bad.status == 422


def test_who_claims_to_come_from_this_machine_is_not_believed(development: System) -> None:
    body = {"robot_id": "robot-clases", "data": {"TEMP": 1.0}}
    for claim in ({"X_Forwarded_For": "127.0.0.1"}, {"X_Real_IP": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        assert development.post("/api/telemetry/ingest", body, **claim).status == 401
    assert development.post("/api/telemetry/demo/robots", {"prefix": "sim", "count": 1}, X_Forwarded_For="127.0.0.1").status in {
        401,
        403,
        404,
    }
    development.get("/", X_Forwarded_For="203.0.113.77", X_Request_ID="forged")
    log = development.compose("logs", "--no-log-prefix", "--tail", "5", "gateway")
    assert "203.0.113.77" not in log
    assert "forged" not in log


def test_the_bridges_entrance_is_closed_to_the_outside(development: System) -> None:
    assert development.post("/api/telemetry/bridge/relay", {}).status == 404


def test_detection_answers_with_its_token(development: System) -> None:
    token = development.inside("ids-ml", "cat", "/run/croody/cloud/IDS_API_TOKEN").strip()

    assert development.post("/api/ids/predict", {"rows": [{"src_bytes": 10}]}).status == 401
    answer = development.post("/api/ids/predict", {"rows": [{"src_bytes": 10}]}, X_API_Key=token)
    assert answer.status == 200
    assert answer.json["predictions"] in ([0], [1])


def test_a_request_id_is_new_each_time_and_stands_in_the_services_log(development: System) -> None:
    first = development.get("/api/telemetry/last?robot_id=robot-clases").headers["x-request-id"]
    second = development.get("/api/telemetry/last?robot_id=robot-clases", X_Request_ID="mine").headers["x-request-id"]

    assert first != second
    assert re.fullmatch(r"[0-9a-f]{32}", second)
    eventually(
        "the id in both logs",
        lambda: all(second in development.compose("logs", "--tail", "50", name) for name in ("gateway", "telemetry-gateway")),
        10,
    )


def test_the_printed_login_works_once(development: System) -> None:
    link = development.compose("run", "--rm", "--no-deps", "croody", "login-link").strip().splitlines()[-1]
    path = "/" + link.split("/", 3)[3]
    page = development.plain(path)
    assert page.status == 200
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    cookie = page.headers["set-cookie"].split(";")[0]

    def enter() -> bool:
        connection = http.client.HTTPConnection("localhost", development.http, timeout=30)
        form = f"csrfmiddlewaretoken={token.group(1)}"
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://localhost:{development.http}"}
        connection.request("POST", path, form, headers)
        got = connection.getresponse()
        entered = "sessionid" in (got.getheader("set-cookie") or "")
        got.read()
        connection.close()
        return entered

    assert enter()
    assert not enter()


def test_any_mqtt_client_speaks_to_the_broker_over_tls_with_a_robots_own_secret(development: System) -> None:
    development.publishes(*development.croody("robot", "add", "taller-01", "--shared").split())


def test_a_robot_publishes_over_websocket_through_the_gateway(development: System) -> None:
    development.publishes(*development.croody("robot", "add", "navegador-01", "--shared").split(), transport="websockets")


def test_a_wrong_password_is_refused_at_the_broker(development: System) -> None:
    assert not development.lets_in("robot-clases", "wrong-password-wrong-password")


def test_more_than_a_hundred_requests_a_second_get_429_and_never_503(development: System) -> None:
    context = development.context()

    def burst(_: int) -> list[int]:
        connection = http.client.HTTPSConnection("localhost", development.https, timeout=30, context=context)
        statuses = []
        for _ in range(60):
            connection.request("GET", "/api/telemetry/healthz")
            got = connection.getresponse()
            got.read()
            statuses.append(got.status)
        connection.close()
        return statuses

    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        statuses = [status for some in pool.map(burst, range(12)) for status in some]
    took_s = time.monotonic() - began

    assert set(statuses) == {200, 429}, f"{len(statuses)} requests in {took_s:.1f} s"
    # A hundred at once, and a hundred a second after that; a few more for the edges of the clock.
    assert statuses.count(200) <= 100 + 100 * took_s + 20
    time.sleep(2)
    assert development.get("/api/telemetry/healthz").status == 200


def test_a_large_body_is_refused_and_a_large_answer_is_packed(development: System) -> None:
    large = development.request("POST", "/api/telemetry/ingest", b"x" * 3_000_000, Content_Type="application/json")
    packed = development.get("/api/telemetry/query?limit=200", Accept_Encoding="gzip")

    assert large.status == 413
    assert "detail" in large.json
    assert packed.headers["content-encoding"] == "gzip"
    assert len(gzip.decompress(packed.body)) > len(packed.body)


def test_static_files_are_kept_for_ever_and_pages_are_not(development: System) -> None:
    page = development.get("/")
    address = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert address is not None

    file = development.get(address.group(1))

    assert file.status == 200
    assert "immutable" in file.headers["cache-control"]
    assert "no-store" in page.headers["cache-control"] or "no-cache" in page.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "said"),
    # The API says what was sent, the page's stream what is read.
    [("/api/telemetry/stream", '"TEMP":10{}.5'), ("/robots/monitor/stream", "10{},5")],
)
def test_what_a_stream_has_to_say_arrives_before_it_says_more(site: Site, path: str, said: str) -> None:
    connection = http.client.HTTPSConnection("localhost", site.system.https, timeout=15, context=site.system.context())
    took_s = []
    # The virtual robots are silent meanwhile: a buffer on the way is filled by nobody else.
    site.system.compose("pause", "robot-sim")
    try:
        connection.request("GET", path, headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"})
        got = connection.getresponse()
        for number in range(1, 5):
            sent = time.monotonic()
            assert site.ingest({"robot_id": ROBOT, "data": {"TEMP": 100.5 + number}}).status == 201
            while said.format(number).encode() not in (line := got.fp.readline()):
                assert line, "the stream ended"
                assert time.monotonic() < sent + 30, "the stream says other things"
            took_s.append(time.monotonic() - sent)
    finally:
        site.system.compose("unpause", "robot-sim")
        connection.close()

    assert got.status == 200
    assert got.getheader("content-type", "").startswith("text/event-stream")
    assert got.getheader("content-encoding") is None
    # A stream looks once a second at most; in a buffer of 4 KB each of these would have waited for the next ones.
    assert max(took_s) < 3, took_s


def test_tls_is_as_mozillas_intermediate_profile_has_it(development: System) -> None:
    def negotiated(version: ssl.TLSVersion, ciphers: str = "") -> tuple[str, str]:
        context = development.context()
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        if ciphers:
            context.set_ciphers(ciphers)
        with (
            socket.create_connection(("127.0.0.1", development.https), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            return tls.version() or "", tls.selected_alpn_protocol() or ""

    assert negotiated(ssl.TLSVersion.TLSv1_3) == ("TLSv1.3", "h2")
    assert negotiated(ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "h2")
    with pytest.raises((ssl.SSLError, OSError)):
        negotiated(ssl.TLSVersion.TLSv1_1, "DEFAULT@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        negotiated(ssl.TLSVersion.TLSv1_2, "AES128-SHA")


def test_a_certificate_that_nears_its_end_is_renewed_and_taken_up_while_a_stream_goes_on(development: System) -> None:
    def shown() -> tuple[str, str]:
        return development.certificate(), ssl.get_server_certificate(("127.0.0.1", development.mqtts), timeout=10)

    before = shown()
    stream = http.client.HTTPSConnection("localhost", development.https, timeout=30, context=development.context())
    stream.request("GET", "/robots/monitor/stream")
    events = stream.getresponse()
    assert events.fp.readline()

    code = """
from croody.operations import certificate, prepare
certificate._DAYS = 20
(prepare.TLS / certificate.CHAIN).unlink()
certificate.ensure(prepare.TLS, prepare.AUTHORITY, prepare.hosts())
"""
    development.compose("run", "--rm", "--no-deps", "-T", "migrate", "python", "-c", code)
    assert days_left(development.inside("certificate", "cat", "/data/tls/fullchain.pem")) == 19
    development.compose("restart", "certificate")  # it looks at its start and every hour

    def taken_up() -> bool:
        now = shown()
        return now[0] == now[1] and now[0] != before[0] and days_left(now[0]) == 364

    eventually("the new certificate on both ports", taken_up, 60, every_s=1)
    assert before[0] == before[1]
    assert events.fp.readline(), "the stream ended"
    events.close()
    stream.close()


def test_while_croody_is_away_people_read_a_page_and_robots_go_on(development: System) -> None:
    development.compose("stop", "croody")
    try:
        page = development.get("/robots/monitor/")
        stream = development.get("/api/telemetry/stream")
        assert page.status == 503
        assert "Croody vuelve enseguida" in page.text
        assert "Croody is back in a moment" in page.text
        assert page.headers["retry-after"]
        assert not [name for name in HEADERS if name not in page.headers]
        assert stream.status == 503
        assert "detail" in stream.json
        assert development.get("/api/telemetry/healthz").status == 200
    finally:
        development.compose("start", "croody")
    eventually("the site again", lambda: development.get("/").status == 200, 60)


def test_sqlite_is_backed_up_and_restored_while_everything_writes(development: System, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("backups")
    development.croody("robot", "add", "before-backup")
    told = development.croody("backup", str(folder))
    (file,) = folder.iterdir()
    development.croody("robot", "add", "after-backup")

    development.croody("restore", str(file))

    robots = development.croody("robot", "list")
    assert re.search(r": \d+ robots, [1-9]\d* readings", told)
    assert "before-backup" in robots
    assert "after-backup" not in robots
    before = development.get("/api/telemetry/last?robot_id=robot-clases").json["id"]
    eventually("new readings after it", lambda: development.get("/api/telemetry/last?robot_id=robot-clases").json["id"] > before)


def test_sqlite_is_backed_up_by_the_clock_with_its_profile(development: System, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("scheduled")
    # Younger than a day, yet of before the time at which one is wanted.
    earlier = folder / "croody-20260101T000000Z.tar.gz"
    earlier.touch()
    os.utime(earlier, (time.time() - 3600,) * 2)
    asked = {"COMPOSE_PROFILES": "backup", "BACKUP_DIR": str(folder), "BACKUP_AT": f"{datetime.now(UTC):%H:%M}"}
    development.environ |= asked
    try:
        development.croody("up")
        (file,) = eventually("a backup", lambda: set(folder.glob("croody-*.tar.gz")) - {earlier}, 60)
        assert_hardened(development, "backup")
        assert re.search(rf"{file.name}: \d+ robots, [1-9]\d* readings", development.compose("logs", "backup"))
        assert "\nbackup " in development.croody("status")
    finally:
        development.compose("rm", "-sf", "backup")
        for name in asked:
            del development.environ[name]


def test_status_tells_what_an_operator_asks_first(development: System) -> None:
    told = development.croody("status")

    rows = [line.split("  ")[0] for line in told.splitlines()]
    for name in ("version", "croody", "robots", "readings", "waiting", "alarms", "dead letters", "certificate", "disk", "last backup"):
        assert name in rows
    assert "everything is well" in told
    assert "healthy" in told


def test_everything_stops_within_fifteen_seconds_with_a_stream_open(development: System) -> None:
    stream = http.client.HTTPSConnection("localhost", development.https, timeout=60, context=development.context())
    stream.request("GET", "/robots/monitor/stream")
    events = stream.getresponse()
    assert events.fp.readline()

    began = time.monotonic()
    development.compose("stop")
    took_s = time.monotonic() - began

    codes = {service: development.inspect(service)["State"]["ExitCode"] for service in SERVICES}
    assert not [service for service, code in codes.items() if code == 137], codes
    assert took_s < 15
    events.close()
    stream.close()
