"""A client of the robot's own TCP protocol, as programs of the earlier Croody speak it: one line asks, one line answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager


class Robot:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._lines = connection.makefile("rw", newline="\n")

    def close(self) -> None:
        """Leave."""
        self._lines.close()

    def say(self, line: str) -> None:
        """Send one line."""
        self._lines.write(line + "\n")
        self._lines.flush()

    def line(self) -> str:
        """The next line, without its end; empty once the robot has closed the connection."""
        line = self._lines.readline()
        assert not line or line.endswith("\n"), f"half a line: {line!r}"
        return line.removesuffix("\n")

    def ask(self, line: str) -> str:
        """The answer to a line; a `DATA` line before it came by itself, unless `DATA` is what was asked for."""
        self.say(line)
        while (said := self.line()).startswith("DATA ") and not line.startswith("GET_DATA"):
            pass
        return said

    def refusal(self, line: str) -> str:
        """The answer to a line that asks for data and gets none; `DATA` lines before it came by themselves."""
        self.say(line)
        while (said := self.line()).startswith("DATA "):
            pass
        return said


@contextmanager
def robot(port: int, timeout_s: float = 10) -> Iterator[Robot]:
    """Connected to a robot of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection, closing(Robot(connection)) as client:
        yield client


@contextmanager
def listening(port: int) -> Iterator[list[tuple[float, str]]]:
    """Somebody connects and says nothing; in the background: when that was, and the first two lines, by the monotonic clock."""
    heard: list[tuple[float, str]] = []

    def listen() -> None:
        with robot(port, timeout_s=40) as silent:
            for _ in range(2):
                line = silent.line()
                heard.append((time.monotonic(), line))

    heard.append((time.monotonic(), ""))
    thread = threading.Thread(target=listen)
    thread.start()
    yield heard
    thread.join()


def pairs(line: str) -> tuple[int, dict[str, str]]:
    """`DATA <unix-seconds> K=V;K=V` as the seconds and the pairs."""
    word, seconds, rest = line.split(" ", 2)
    assert word == "DATA"
    return int(seconds), dict(pair.split("=", 1) for pair in rest.split(";"))
