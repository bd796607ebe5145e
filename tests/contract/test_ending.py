"""A process that is told to end does, whatever it was doing at that moment and however often it is told."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from croody_contract.ending import on_end
from tools.stack import ROOT

#: Ends, unless a handler waits for what its own thread holds.
PROGRAM = """
import sys
from threading import Event
from croody_contract.ending import on_end
end = Event()
on_end(end.set)
print("on", flush=True)
while not end.wait(0.001):
    pass
"""


@pytest.fixture
def end() -> Iterator[Event]:
    found = Event()
    put_back = on_end(found.set)
    yield found
    put_back()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_told_while_its_thread_holds_the_very_lock_of_what_is_to_be_set(end: Event, number: int):
    with end._cond:  # type: ignore[attr-defined]
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        time.sleep(0.05)
    assert end.wait(10)


def test_handlers_from_before_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    on_end(lambda: None)()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_supervisor_may_send_it_as_often_as_it_likes():
    for _ in range(5):
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "contract")}
        )
        assert program.stdout is not None
        assert program.stdout.readline() == b"on\n"
        for _ in range(50):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
        assert program.wait(20) in (0, -signal.SIGTERM)
        program.stdout.close()


#: Where a handler ignores, or does what may be done in one: a call that asyncio has made for it.
SAFE = {"contract/croody_contract/ending.py", "cloud/croody/serve/asgi.py", "broker/croody_broker/mosquitto_cli.py"}


def test_nobody_else_has_a_handler():
    found = {
        str(path.relative_to(ROOT))
        for part in ("contract", "edge_agent", "broker", "cloud", "client")
        for path in (ROOT / part).rglob("*.py")
        if re.search(r"\bsignal\.signal\(", Path(path).read_text(encoding="utf-8"))
    }
    assert found == SAFE
