"""The status page on the board: what it says, in whose language, and that no visitor can cost the agent anything."""

import http.client
import json
import os
import re
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from croody_contract.messages import Event, MetricInfo, Reading
from croody_edge.local.life import life_of
from croody_edge.local.page.checkup import Checkup
from croody_edge.local.page.language import language_of
from croody_edge.local.page.of_agent import StatusPage
from croody_edge.local.page.outlook import Watched
from croody_edge.local.units import unit_of
from croody_edge.settings import Settings, from_environment
from croody_edge.variables import BadSetting
from tests.edge_agent.doubles import settings
from tests.patience import PATIENCE_S

TOKEN = "a-word-of-sixteen-or-more"


class Nasty:
    """A `PullSource` whose words are somebody's attempt."""

    interval_s = 0.05
    metrics = (MetricInfo("temp_c", "°C", "Temperatura", "Temperature", decimals=1),)

    def read(self, now: float) -> Reading:
        return Reading(data={"temp_c": 81.25, "<img src=x>": "<script>alert(1)</script>", "battery_pct": 55})

    def close(self) -> None:
        """Nothing to give back."""


class NoDoctor(Checkup):
    """Says nothing: the doctor has tests of its own."""

    def findings(self, language: str) -> None:
        return None


@pytest.fixture
def page(tmp_path: Path, drive: Callable[..., Any]) -> Iterator[Callable[..., StatusPage]]:
    made: list[StatusPage] = []

    def start(token: str = "", robot: Settings | None = None, checkup: Checkup | None = None) -> StatusPage:
        robot = robot or settings(tmp_path / "edge")
        robot.edge_dir.mkdir(mode=0o700, exist_ok=True)
        (robot.edge_dir / "rules.toml").write_text(
            '[rule.hot]\nmetric = "temp_c"\nabove = 60\nseverity = "high"\n[rule.bad]\nmetric = "a"\nabove = "<b>"\n'
        )
        life = life_of(robot, time.monotonic)
        agent = drive(robot, Nasty(), None, life=life).agent
        one = StatusPage(("127.0.0.1", 0), token, agent.state, life, agent.infos, checkup or NoDoctor({}), 1000.0)
        made.append(one)
        one.start()
        return one

    yield start
    for one in made:
        one.close()


def get(page: StatusPage, path: str = "/", **headers: str) -> tuple[int, dict[str, str], str]:
    there = http.client.HTTPConnection("127.0.0.1", page.server.port, timeout=PATIENCE_S)
    there.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = there.getresponse()
    body = answer.read().decode()
    there.close()
    return answer.status, dict(answer.headers), body


def seen(page: StatusPage, so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    ends = time.monotonic() + PATIENCE_S
    while not so(facts := json.loads(get(page, "/status.json")[2])):
        assert time.monotonic() < ends, facts
        time.sleep(0.05)
    return facts


def test_it_says_how_the_board_is_in_the_visitors_language(page: Callable[..., StatusPage]) -> None:
    there = page()
    facts = seen(there, lambda facts: facts["events"] and facts["waiting"]["records"] > 3)
    assert (facts["robot_id"], facts["connected"], facts["waiting"]["oldest_age_s"] >= 0) == ("rover-alice", False, True)
    assert [(rule["name"], rule["holds"], rule["times"]) for rule in facts["rules"]] == [("hot", True, 1)]
    assert [(event["code"], event["severity"]) for event in facts["events"]] == [("hot", "high")]
    _, _, spanish = get(there, Accept_Language="es-CO,es;q=0.9,en;q=0.5")
    _, _, english = get(there, Accept_Language="en-GB")
    assert '<html lang="es">' in spanish
    assert "rover-alice no llega a la nube desde hace" in spanish
    assert "Temperatura" in spanish
    assert '<html lang="en">' in english
    assert "rover-alice has not reached the cloud for" in english
    assert "81.2\u00a0°C" in english
    assert "55\u00a0%" in english
    shared = re.findall(r">[^<]*\b(?:the|of|Rules|Newest)\b[^<]*<", re.sub(r'<p class="(?:sub|problem)">.*?</p>', "", spanish))
    assert not shared


def test_nothing_that_came_from_outside_is_markup(page: Callable[..., StatusPage]) -> None:
    there = page()
    seen(there, lambda facts: facts["values"])
    status, headers, body = get(there)
    assert status == 200
    assert "<script" not in body
    assert "<img" not in body
    assert "<b>&#x27;" not in body
    assert "&lt;script&gt;alert(1)" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert not re.search(r"(?:href|src)=\"(?:https?:)?//", body), "nothing of another site"
    assert (headers["Refresh"], "Refresh" in get(there, "/?still=1")[1]) == ("15", False)
    assert get(there, "/page.css")[1]["Content-Type"].startswith("text/css")
    assert [get(there, path)[0] for path in ("/../etc/passwd", "/admin", "//x/")] == [404, 404, 404]


def test_a_page_of_another_site_cannot_read_it_by_a_name_of_its_own(page: Callable[..., StatusPage]) -> None:
    there = page()
    hosts = [
        "evil.example.org",
        "localhost.evil.org",
        "",
        f"localhost:{there.server.port}",
        "[::1]:80",
        "192.168.1.5",
        socket.gethostname(),
    ]
    assert [get(there, Host=host)[0] for host in hosts] == [421, 421, 421, 200, 200, 200, 200]


def test_beyond_the_board_it_wants_its_word(page: Callable[..., StatusPage]) -> None:
    there = page(TOKEN)
    basic = "Basic " + b64encode(f"ana:{TOKEN}".encode()).decode()
    assert get(there, Authorization=basic)[0] == get(there, "/status.json", Authorization=f"Bearer {TOKEN}")[0] == 200
    for wrong in ("", "Basic", "Basic ???", "Basic " + b64encode(b"ana:no").decode(), f"Bearer {TOKEN}x", TOKEN, "Basic \xff"):
        status, headers, body = get(there, **({"Authorization": wrong} if wrong else {}))
        assert (status, headers["WWW-Authenticate"], "rover" in body) == (401, 'Basic realm="croody-edge"', False)


@pytest.mark.parametrize("value", ["0.0.0.0:8089", "192.168.1.5:8089", "[::]:8089"])
def test_a_page_for_the_network_without_a_word_is_refused(value: str) -> None:
    environ = {"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_STATUS_PAGE": value}
    with pytest.raises(BadSetting, match="needs CROODY_STATUS_TOKEN"):
        from_environment(environ)
    assert from_environment(environ | {"CROODY_STATUS_TOKEN": TOKEN}).status_page is not None


@pytest.mark.parametrize("value", ["x", "0", "70000", "localhost:80", "1.2.3:80", ":80", "[::1", "8089 ", "-1", "127.0.0.1:+80"])
def test_a_page_that_is_nowhere_is_named(value: str) -> None:
    with pytest.raises(BadSetting, match="CROODY_STATUS_PAGE is"):
        from_environment({"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_STATUS_PAGE": value})


def test_a_port_is_on_loopback_and_a_short_word_is_none() -> None:
    environ = {"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_STATUS_PAGE": "8089"}
    assert from_environment(environ).status_page == ("127.0.0.1", 8089)
    with pytest.raises(BadSetting) as error:
        from_environment(environ | {"CROODY_STATUS_TOKEN": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_visitors_who_stay_are_few_and_are_shut_out_and_the_page_is_there_again(page: Callable[..., StatusPage]) -> None:
    there = page()
    idle = [socket.create_connection(("127.0.0.1", there.server.port), timeout=PATIENCE_S) for _ in range(30)]
    try:
        for one in idle:
            assert one.recv(100) in (b"",), "closed at once, or after some seconds"
        assert seen(there, lambda facts: True)["robot_id"] == "rover-alice"
    finally:
        for one in idle:
            one.close()


def test_nonsense_is_answered_or_closed_and_costs_nothing(page: Callable[..., StatusPage]) -> None:
    there = page()
    for said in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.0\r\n\r\n",
        b"GET /" + b"a" * 70_000,
        os.urandom(500),
    ):
        with socket.create_connection(("127.0.0.1", there.server.port), timeout=PATIENCE_S) as one:
            one.sendall(said + b"\r\n\r\n")
            try:
                while one.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    assert get(there)[0] == 200


def test_a_port_that_is_taken_costs_the_page_alone(page: Callable[..., StatusPage], caplog: pytest.LogCaptureFixture) -> None:
    there = page()
    taken = StatusPage(("127.0.0.1", there.server.port), "", there._state, there._life, {}, NoDoctor({}), 1.0)
    taken.start()
    assert "give another port in CROODY_STATUS_PAGE" in caplog.text
    taken.close()


def test_the_doctor_is_asked_once_and_its_words_stand_on_the_page(
    page: Callable[..., StatusPage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    there = page(checkup=Checkup(environ | {"CROODY_EDGE_DIR": str(tmp_path / "none")}))
    facts = seen(there, lambda facts: facts["doctor"])
    assert any(one["state"] == "wrong" and "ROBOT_ID" in one["said"] for one in facts["doctor"])
    assert "Ajustes" in get(there)[2] or "ajustes" in get(there)[2]


def test_events_of_more_than_a_day_are_gone_and_few_are_kept(tmp_path: Path) -> None:
    life = life_of(replace(settings(tmp_path)), time.monotonic)
    now = 1_790_000_000.0
    life.saw([Event(code=f"code_{n}") for n in range(1000)], now, 0.0)
    assert len(life.events(now)) == 200


def test_it_says_when_what_waits_will_be_there() -> None:
    watched = Watched()
    for second in range(61):
        watched.saw(away=second < 20, last_seq=100 + second, pending=1000 - 9 * second, now=second, mono_s=second)
    outlook = watched.outlook(last_seq=160, pending=460, mono_s=60)
    assert (outlook.new_per_s, outlook.sent_per_s) == (1.0, 10.0)
    assert outlook.empty_in_s == pytest.approx(460 / 9)
    watched.saw(away=True, last_seq=161, pending=461, now=61, mono_s=61)
    assert (watched.away_since_s, watched.outlook(last_seq=161, pending=461, mono_s=61).empty_in_s) == (61, None)
    assert watched.outlook(last_seq=161, pending=0, mono_s=61).empty_in_s == 0.0
    watched.saw(away=False, last_seq=1, pending=461, now=62, mono_s=62)
    assert watched.outlook(last_seq=1, pending=461, mono_s=62).new_per_s is None


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "es"),
        ("en", "en"),
        ("fr", "es"),
        ("en;q=0.2, es;q=0.1", "en"),
        ("es, en", "es"),
        ("est, en-US", "en"),
        ("en;q=x", "es"),
        ("*", "es"),
    ],
)
def test_a_visitor_gets_the_language_that_was_asked_for(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
    assert (language_of(accepted, "en"), language_of(accepted, "xx")) == ("en", language)


def test_a_name_says_its_unit() -> None:
    names = ("battery_pct", "motor_temp_c", "disk_read_bytes_per_s", "TEMP", "c", "status", "frames_per_s", "net_sent_bps")
    assert [unit_of(name) for name in names] == ["%", "°C", "B/s", "°C", "", "", "/s", "bit/s"]
