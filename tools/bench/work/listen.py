"""Many listeners of a stream of readings: how many events each gets, and how late. Prints `ready` when all are connected and hear.

Every listener counts its events. A few of them, spread over all, also read when each reading was due (its `ts`): to read them all would
make this program the bottleneck.

Argument: `port`, `path`, `listeners`, `watched` (how many read times); `event` (its name, `reading`) and `cookie`, for who is signed in.
A reading's time is its `ts`, that of a page's update the moment `now` at which the server looked. Ends when standard input is closed and
nothing has come for a second.
"""

import json
import selectors
import socket
import sys
import time
from datetime import datetime

from tools.bench.stats import percentile

_TS = b'"ts":"'
_NOW = b'"now":'


class Chunks:
    """Takes HTTP's chunks apart: where one ends, an event may go on in the next."""

    def __init__(self) -> None:
        self._head, self._left = b"", 0
        self._answered = False

    def body(self, data: bytes) -> bytes:
        """What of `data` is the answer's body."""
        found = []
        while data:
            if self._left > 2:
                found.append(data[: self._left - 2])
            if self._left:
                data, self._left = data[self._left :], max(0, self._left - len(data))
                continue
            end = b"\r\n" if self._answered else b"\r\n\r\n"
            head, found_end, rest = (self._head + data).partition(end)
            if not found_end:
                self._head = head
                break
            self._head, data = b"", rest
            if self._answered:
                # With the line break behind it.
                self._left = int(head, 16) + 2
            self._answered = True
        return b"".join(found)


class Listener:
    """One connection. `watched`: keeps what it reads until an event is whole, and notes its age."""

    def __init__(self, port: int, path: str, *, watched: bool, event: str = "reading", cookie: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        known = f"Cookie: {cookie}\r\n" if cookie else ""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{known}\r\n".encode())
        self._name = f"event: {event}".encode()
        self.watched, self.open, self.heard = watched, True, False
        self.count = 0
        self.ages: list[float] = []
        self._rest, self._chunks = b"", Chunks()

    def read(self) -> bool:
        """Take what came; False when the server has ended it."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            self.open = False
            return False
        self.heard = True
        data = self._rest + self._chunks.body(data)
        if not self.watched:
            # A name that is cut in two between two reads is counted when it is whole.
            self.count += data.count(self._name)
            tail = data[-len(self._name) + 1 :]
            self._rest = tail if any(self._name.startswith(tail[at:]) for at in range(len(tail))) else b""
            return True
        now = time.time()
        *whole, self._rest = data.split(b"\n\n")
        for event in whole:
            if self._name in event:
                self.count += 1
                self.ages.append(now - moment(event))
        return True


def moment(event: bytes) -> float:
    """When what an event tells was so, in seconds since 1970.

    Raises:
        ValueError: it does not say.
    """
    if _TS in event:
        return datetime.fromisoformat(event[event.index(_TS) + len(_TS) :].partition(b'"')[0].decode()).timestamp()
    return float(event[event.index(_NOW) + len(_NOW) :].partition(b",")[0].rstrip(b"}"))


def main() -> None:
    """Connect, listen, print what arrived."""
    wanted = json.loads(sys.stdin.readline())
    every = max(1, wanted["listeners"] // wanted["watched"])
    how = {"event": wanted.get("event", "reading"), "cookie": wanted.get("cookie", "")}
    listeners = [Listener(wanted["port"], wanted["path"], watched=number % every == 0, **how) for number in range(wanted["listeners"])]
    with selectors.DefaultSelector() as selector:
        for one in listeners:
            selector.register(one.socket, selectors.EVENT_READ, one)
        while not all(one.heard or not one.open for one in listeners):
            _take(selector, 1)
        print("ready", flush=True)
        began, used = time.monotonic(), time.process_time()
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        told, last = False, time.monotonic()
        while not told or time.monotonic() - last < 1:
            came, ended = _take(selector, 0.2)
            last = time.monotonic() if came else last
            if ended:
                told = True
                selector.unregister(sys.stdin)
    took = time.monotonic() - began
    busy = (time.process_time() - used) / took
    ages = [age for one in listeners for age in one.ages]
    answer = {
        "arrived": sum(one.count for one in listeners),
        "cut_off": sum(not one.open for one in listeners),
        "busy": busy,
        "seconds": took,
    }
    print(json.dumps({**answer, **({"p50_s": percentile(ages, 0.5), "p99_s": percentile(ages, 0.99)} if ages else {})}))


def _take(selector: selectors.BaseSelector, timeout_s: float) -> tuple[bool, bool]:
    """Whether an event came, and whether standard input is closed."""
    came = ended = False
    for key, _ in selector.select(timeout_s):
        one = key.data
        if one is None:
            ended = True
            continue
        before = one.count
        if not one.read():
            selector.unregister(one.socket)
            one.socket.close()
        came = came or one.count > before
    return came, ended


if __name__ == "__main__":
    main()
