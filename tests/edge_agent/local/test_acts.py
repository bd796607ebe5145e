"""What a rule does on its board: a webhook and a program, each of them real; and that nothing of it keeps readings waiting."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from croody_contract.messages import Reading
from croody_edge.agent import Agent
from croody_edge.local.acts.command import Command
from croody_edge.local.acts.webhook import Webhook
from croody_edge.local.acts.worker import MOST_WAITING, Undone, Worker
from croody_edge.local.life import life_of
from croody_edge.local.rules.config import read
from croody_edge.local.rules.keeper import Act
from croody_edge.local.rules.rule import Rule
from tests.edge_agent.doubles import settings
from tests.patience import PATIENCE_S


def until(so: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def act(**rule: Any) -> Act:
    return Act("hot", Rule(metric="temp_c", above=60, **rule), "begin", 61.5, 1_790_000_000.0, None)


class Listener:
    """A server on loopback that answers as it is told, the last answer again and again."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.came = list(statuses), []  # type: list[int], list[tuple[str, dict[str, str], Any]]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.came.append((self.path, dict(self.headers), body))
                self.send_response(outer.statuses.pop(0) if len(outer.statuses) > 1 else outer.statuses[0])
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/alert?to=ana"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def start(*statuses: int) -> Listener:
        made.append(Listener(*statuses))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_a_webhook_is_told_what_began_with_its_token(listener: Callable[..., Listener]) -> None:
    there = listener(204)
    Webhook("rover-1")(act(webhook=there.address, token="s3cret"), Flag())
    ((path, headers, body),) = there.came
    assert (path, headers["Authorization"]) == ("/alert?to=ana", "Bearer s3cret")
    assert body == {
        "robot_id": "rover-1", "rule": "hot", "code": "hot", "state": "begin", "severity": "medium", "metric": "temp_c", "value": 61.5,
        "limit": 60.0, "at": "2026-09-21T14:13:20+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(("statuses", "tries"), [((503, 429, 200), 3), ((500,), 3), ((404,), 1), ((302,), 1)])
def test_a_webhook_that_may_answer_later_is_tried_three_times(
    listener: Callable[..., Listener], statuses: tuple[int, ...], tries: int
) -> None:
    there = listener(*statuses)
    if 200 in statuses:
        Webhook("rover-1", (0, 0))(act(webhook=there.address), Flag())
    else:
        with pytest.raises(Undone, match=f"answered {statuses[0]}"):
            Webhook("rover-1", (0, 0))(act(webhook=there.address), Flag())
    assert len(there.came) == tries


def test_a_webhook_where_nobody_listens_is_given_up(free_port: int) -> None:
    with pytest.raises(Undone, match="refused"):
        Webhook("rover-1", (0, 0))(act(webhook=f"http://127.0.0.1:{free_port}/"), Flag())


def test_a_queue_that_is_full_lets_go_and_keeps_nobody_waiting() -> None:
    going, said = Flag(), []  # type: Flag, list[str]

    def does(_act: Act, closed: Flag) -> None:
        going.set()
        closed.wait()

    worker = Worker("slow", does, lambda _act, why: said.append(why))
    worker.give(act())
    assert going.wait(PATIENCE_S)
    for _ in range(MOST_WAITING + 5):
        worker.give(act())
    assert worker.dropped == 5
    assert said == [f"{MOST_WAITING} wait already: this one is let go of"] * 5
    worker.close()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text("")
    file.chmod(0o644)
    return file


def script(folder: Path, body: str) -> str:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_program_is_told_everything_but_the_secrets_and_no_shell_reads_its_arguments(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT_SECRET", "not for programs")
    out = tmp_path / "out"
    program = script(tmp_path, f'printf "%s\\n" "$@" > {out}.new; env >> {out}.new; mv {out}.new {out}')
    Command("rover-1", written)(act(command=[program, "$(id)", "; reboot", "a b"]), Flag())
    lines = out.read_text().splitlines()
    assert lines[:3] == ["$(id)", "; reboot", "a b"]
    assert {"CROODY_ROBOT_ID=rover-1", "CROODY_RULE=hot", "CROODY_STATE=begin", "CROODY_METRIC=temp_c", "CROODY_VALUE=61.5"} <= set(lines)
    assert "not for programs" not in out.read_text()


def test_a_program_that_hangs_is_ended_with_all_that_it_started(written: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = script(tmp_path, f"sleep 300 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")
    with pytest.raises(Undone, match="took longer than 1"):
        Command("rover-1", written)(act(command=[program], timeout_s=1.0), Flag())
    child = int(pid.read_text())
    until(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_program_that_fails_or_is_asked_for_too_often_says_so(written: Path, tmp_path: Path) -> None:
    command = Command("rover-1", written, monotonic=lambda: 5.0)
    with pytest.raises(Undone, match="ended with status 3"):
        command(act(command=[script(tmp_path, "exit 3")]), Flag())
    for _ in range(9):
        command(act(command=["/bin/true"]), Flag())
    with pytest.raises(Undone, match="more than 10 times a minute"):
        command(act(command=["/bin/true"]), Flag())


def test_nobody_elses_file_starts_a_program(written: Path, tmp_path: Path) -> None:
    program = script(tmp_path, "exit 0")
    os.chmod(program, 0o777)
    with pytest.raises(Undone, match="anybody may write"):
        Command("rover-1", written)(act(command=[program]), Flag())
    os.chmod(program, 0o755)
    written.chmod(0o666)
    with pytest.raises(Undone, match="anybody may write"):
        Command("rover-1", written)(act(command=[program]), Flag())


def test_programs_are_off_unless_the_board_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[rule.hot]\nmetric = "a"\nabove = 1\ncommand = ["/bin/true"]\n')
    off, on = read(file, hooks=False), read(file, hooks=True)
    assert (list(off.rules), list(on.rules), on.problems) == (["hot"], ["hot"], [])
    assert "CROODY_LOCAL_HOOKS=1" in off.problems[0]


class Oven:
    """A `PullSource` in the agent's own thread."""

    interval_s = 0.02

    def __init__(self) -> None:
        self.temp_c, self.reads = 20.0, 0

    def read(self, now: float) -> Reading:
        self.reads += 1
        return Reading(data={"temp_c": self.temp_c})

    def close(self) -> None:
        """Nothing to give back."""


def test_an_agent_without_a_cloud_acts_and_keeps_its_events_and_a_silent_webhook_costs_no_reading(
    tmp_path: Path, listener: Callable[..., Listener], free_port: int, drive: Callable[..., Any]
) -> None:
    there = listener(200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        robot = replace(settings(tmp_path / "edge"), local_hooks=True)
        robot.edge_dir.mkdir(mode=0o700)
        touched = tmp_path / "touched"
        program = script(tmp_path, f"touch {touched}")
        (robot.edge_dir / "rules.toml").write_text(
            f'[rule.hot]\nmetric = "temp_c"\nabove = 60\nwebhook = "{there.address}"\ncommand = ["{program}"]\n'
            f'[rule.silent]\nmetric = "temp_c"\nabove = 60\nwebhook = "http://127.0.0.1:{silent.getsockname()[1]}/"\n'
        )
        oven = Oven()
        driven = drive(robot, oven, None, life=life_of(robot, time.monotonic))
        oven.temp_c = 80.0
        until(lambda: there.came and touched.exists())
        before = oven.reads
        until(lambda: oven.reads > before + 20)
        oven.temp_c = 20.0
        until(lambda: sum(b'"kind":"event"' in body for _, _, body in driven.published) >= 4)
    events = [json.loads(body) for _, _, body in driven.published if b'"kind":"event"' in body]
    assert [(event["code"], event.get("over", False)) for event in events] == [
        ("hot", False), ("silent", False), ("hot", True), ("silent", True),
    ]  # fmt: skip
    agent: Agent = driven.agent
    assert agent.pending() >= 4
