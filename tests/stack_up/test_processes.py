"""Processes of a stack: how they end, how they come back, and how leftovers of a dead supervisor are found."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import A_BUSY_SECOND_S
from tools.stack import MARK, ROOT, Options, Process, Spec, Stack, leftovers, port_locks, source_path
from tools.stack.health import listening
from tools.supervisor import BACKOFF_S, Supervisor, next_start

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)",
]
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
#: Ends with status 3 at once.
FAILS = [sys.executable, "-c", "raise SystemExit(3)"]
#: A child that outlives its killed parent, as a web server's worker does.
PARENT = [sys.executable, "-c", "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)", *SLEEPER]


def gone(pid: int, within_s: float = 3.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def wait_for(count: int, state: Path) -> list[int]:
    deadline = time.monotonic() + 5
    while len(found := leftovers.find(state)) != count and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_process_has_a_pid_file_and_a_log_while_it_runs(tmp_path: Path) -> None:
    process = Process(Spec("echo", [sys.executable, "-c", "print('hello', flush=True); import time; time.sleep(60)"]), tmp_path)
    process.start()
    try:
        assert process.pid_file.read_text() == f"{process.pid}\n"
        deadline = time.monotonic() + 5
        while "hello" not in process.log_tail() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "hello" in process.log_tail()
    finally:
        process.stop()
    assert not process.pid_file.exists()
    assert process.returncode == -signal.SIGTERM


def test_what_does_not_listen_to_sigterm_is_killed_in_time(tmp_path: Path) -> None:
    process = Process(Spec("stubborn", STUBBORN), tmp_path)
    process.start()
    while "on" not in process.log_tail():
        time.sleep(0.02)
    began = time.monotonic()
    process.stop(timeout_s=0.5)
    assert time.monotonic() - began < A_BUSY_SECOND_S
    assert process.returncode == -signal.SIGKILL


def test_children_end_with_a_process_that_was_killed(tmp_path: Path) -> None:
    process = Process(Spec("parent", PARENT), tmp_path)
    process.start()
    pids = wait_for(2, tmp_path)
    assert len(pids) == 2
    process.kill_alone()
    process.start()
    old = [pid for pid in pids if pid != process.pid]
    try:
        assert all(gone(pid) for pid in old)
    finally:
        process.stop()


def test_a_long_log_begins_anew_without_losing_its_writer(tmp_path: Path) -> None:
    talker = "import time\nwhile True:\n    print('word ' * 20, flush=True)\n    time.sleep(0.001)"
    process = Process(Spec("talker", [sys.executable, "-c", talker]), tmp_path)
    process.start()
    try:
        while not process.log_file.exists() or process.log_file.stat().st_size < 20_000:
            time.sleep(0.02)
        process.trim_log(10_000)
        assert process.log_file.stat().st_size < 20_000
        assert process.log_file.with_name("talker.log.1").stat().st_size >= 20_000
        small = process.log_file.stat().st_size
        deadline = time.monotonic() + 5
        while process.log_file.stat().st_size <= small and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.log_file.stat().st_size > small
        assert b"\x00" not in process.log_file.read_bytes()
    finally:
        process.stop()


def test_leftovers_of_a_killed_supervisor_are_found_and_nobody_else_is(tmp_path: Path) -> None:
    state, other = tmp_path / "one", tmp_path / "two"
    state.mkdir()
    other.mkdir()
    ours = subprocess.Popen(PARENT, env={**os.environ, MARK: str(state)}, start_new_session=True)
    theirs = subprocess.Popen(SLEEPER, env={**os.environ, MARK: str(other)})
    try:
        assert len(wait_for(2, state)) == 2
        # A pid file that a recycled pid has made a lie must not cost a stranger its life.
        (state / "web.pid").write_text(f"{theirs.pid}\n")
        assert leftovers.end(state) == 2
        ours.wait(5)
        assert theirs.poll() is None
        assert not (state / "web.pid").exists()
        assert leftovers.find(state) == []
    finally:
        theirs.kill()
        theirs.wait()


def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tools.stack import Process, Spec;"
        f"p = Process(Spec('sleeper', {SLEEPER!r}), Path(sys.argv[1])); p.start(); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    [pid] = wait_for(1, tmp_path)
    supervisor.kill()
    supervisor.wait()
    assert gone(pid)


def test_an_answer_of_somebody_else_on_its_port_is_no_readiness(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        process = Process(Spec("web", SLEEPER, ready=listening(port), port=port), tmp_path)
        process.start()
        assert not process.wait_ready(time.monotonic() + 0.5)
        process.stop()


def test_what_listens_through_a_child_is_ready(tmp_path: Path, free_port: int) -> None:
    server = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(free_port)]
    process = Process(Spec("web", [*PARENT[:3], *server], ready=listening(free_port), port=free_port), tmp_path)
    process.start()
    try:
        assert process.wait_ready(time.monotonic() + 10), process.log_tail()
    finally:
        process.stop()


def test_a_port_that_was_given_is_nobody_elses_until_its_process_ends() -> None:
    code = "import sys; from tools.stack.port_locks import take_any; print(take_any(), flush=True); sys.stdin.read()"
    environ = {**os.environ, "PYTHONPATH": source_path() + os.pathsep + str(ROOT)}
    other = subprocess.Popen([sys.executable, "-c", code], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    port = int(other.stdout.readline())
    assert not port_locks.take(port)
    other.communicate()
    assert port_locks.take(port)


def test_dice_that_a_test_has_seeded_give_no_port_twice() -> None:
    given = []
    for _ in range(3):
        random.seed(0)
        given.append(port_locks.take_any())
    assert len(set(given)) == 3


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK), reason="only root may choose the next process number")
def test_whoever_has_the_number_of_a_process_that_ended_is_left_in_peace(tmp_path: Path) -> None:
    process = Process(Spec("short", FAILS), tmp_path)
    process.start()
    number = process.pid
    assert number is not None
    process.wait(5)
    for _ in range(100):
        LAST_PID.write_text(str(number - 1))
        heir = subprocess.Popen(SLEEPER, start_new_session=True)
        if heir.pid == number:
            break
        heir.kill()
        heir.wait()
    else:
        pytest.skip("the number was not to be had")
    process.kill()
    process.stop()
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            heir.wait(0.3)
    finally:
        heir.kill()
        heir.wait()


def test_a_stack_says_who_is_gone_and_what_it_said_last(tmp_path: Path) -> None:
    stack = Stack(Options(tmp_path))
    dying = stack.add(Spec("dying", [sys.executable, "-c", "print('the reason', flush=True); raise SystemExit(3)"]))
    stack.add(Spec("never-started", SLEEPER))
    assert stack.losses() == ""
    dying.start()
    dying.wait(5)
    assert stack.losses().startswith("dying ended with 3")
    assert "the reason" in stack.losses()
    assert "never-started" not in stack.losses()


class Notes:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, es: str, en: str) -> None:
        self.lines.append(en)


def test_what_dies_comes_back_after_a_second(tmp_path: Path) -> None:
    process, notes = Process(Spec("sleeper", SLEEPER), tmp_path), Notes()
    process.start()
    supervisor = Supervisor([process], notes, now=0.0)
    first = process.pid
    process.kill_alone()
    supervisor.look(100.0)
    supervisor.look(100.9)
    assert not process.alive
    supervisor.look(101.0)
    try:
        assert process.alive
        assert process.pid != first
        assert process.pid_file.read_text() == f"{process.pid}\n"
        assert [line.split()[:2] for line in notes.lines] == [["sleeper", "ended"], ["sleeper", "is"]]
    finally:
        process.stop()


def test_what_dies_again_and_again_is_started_ever_more_slowly_and_never_given_up(tmp_path: Path) -> None:
    process, notes = Process(Spec("failing", FAILS), tmp_path), Notes()
    supervisor = Supervisor([process], notes, now=0.0)
    waits, now = [], 0.0
    for _ in range(7):
        process.start()
        process.wait(5)
        supervisor.look(now)
        waits.append(next_start(len(waits) + 1, now) - now)
        now += waits[-1]
        supervisor.look(now)
    process.stop()
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert waits[: len(BACKOFF_S)] == list(BACKOFF_S)
    assert sum("does not stay up" in line for line in notes.lines) == 1


def test_a_program_that_is_not_there_is_reported_and_tried_again(tmp_path: Path) -> None:
    process, notes = Process(Spec("missing", [str(tmp_path / "nothing")]), tmp_path), Notes()
    supervisor = Supervisor([process], notes, now=0.0)
    supervisor.look(0.0)
    supervisor.look(1.0)
    assert "does not start" in notes.lines[-1]
    supervisor.look(3.0)
    assert len(notes.lines) == 3


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path):  # type: ignore[no-untyped-def]
    yield
    leftovers.end(tmp_path, patience_s=0)


def test_what_the_terminal_exports_never_clashes_with_a_secret_file_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROBOT_SECRET", "of-the-tutorial")
    monkeypatch.setenv("ROBOT_ID_FILE", "/of/the/tutorial")
    monkeypatch.setenv("ROBOT_KEPT", "yes")
    tell = "import os; print(sorted(name for name in os.environ if name.startswith('ROBOT_')))"
    process = Process(Spec("robot", [sys.executable, "-c", tell], env={"ROBOT_ID": "host", "ROBOT_SECRET_FILE": "/s"}), tmp_path)
    process.start()
    assert process.wait(10)
    assert process.log_tail() == "['ROBOT_ID', 'ROBOT_KEPT', 'ROBOT_SECRET_FILE']"
