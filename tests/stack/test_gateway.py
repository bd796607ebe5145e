"""The way in: what sslyze and gixy say of it, what it refuses, and how one request is found again in the logs behind it."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.stack.analysers import complaints_of_gixy, complaints_of_sslyze
from tests.stack.system import OWN, Answer, System, eventually

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


@pytest.fixture(scope="module")
def system(images: None) -> Iterator[System]:
    """The development system without robots, which need none of this."""
    with System(f"{OWN}-gateway", ["docker-compose.yml"]) as system:
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
    assert '"uri":"/admin/login/","protocol":"HTTP/1.1","status":429' in system.compose("logs", "gateway")
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
