"""Carries what the broker noticed of who comes to it to the cloud, beside the readings and never in their way. Bounded."""

import threading
import time
from collections import deque
from typing import Final

import msgspec

from croody.bridge import api
from croody_contract import security

#: Reports that wait while the API is away: two minutes; beyond that the oldest goes, and is counted in the next one.
_MOST: Final = security.MOST_REPORTS
#: The reports themselves cannot be read, and never will be. Any other refusal is of the moment: a key that is being changed.
_NONSENSE: Final = (400, 413, 422)
_MOST_LEFT_OUT: Final = 2**31 - 1
_LOOK_S: Final = 0.25
#: After a failure it is not tried again for so long, in seconds.
_REST_S: Final = 2.0


class Noticed:
    """Reports on their way. `put` from one thread, `run` in another."""

    def __init__(self, to: api.Api, stop: threading.Event) -> None:
        self._api = to
        self._stop = stop
        self._lock = threading.Lock()
        self._waiting: deque[tuple[float, security.Report]] = deque()
        self._left_out = 0

    def put(self, payload: bytes) -> None:
        """One more report, as the broker published it; what is none is left out: only the broker's own process can write there."""
        try:
            came = (time.monotonic(), security.decode_report(payload))
        except (msgspec.MsgspecError, UnicodeError):
            return
        with self._lock:
            self._waiting.append(came)
            self._count_oldest()

    def run(self) -> None:
        """Hand over until it is stopped."""
        wait_s = _LOOK_S
        while not self._stop.wait(wait_s):
            wait_s = _LOOK_S if self._handed_over() else _REST_S

    def _handed_over(self) -> bool:
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            if not waiting:
                return True
            came_s, newest = waiting[-1]
            left_out, self._left_out = min(self._left_out + newest.left_out, _MOST_LEFT_OUT), 0
            waiting[-1] = (came_s, msgspec.structs.replace(newest, left_out=left_out))
        now_s = time.monotonic()
        body = msgspec.json.encode(
            [msgspec.structs.replace(report, ago_s=min(86_400.0, report.ago_s + now_s - came_s)) for came_s, report in waiting]
        )
        try:
            status = self._api.post(api.SECURITY, body).status
        except api.Unreachable:
            # The courier says so.
            status = 0
        if 200 <= status < 300:
            return True
        with self._lock:
            if status in _NONSENSE:
                self._left_out += sum(_signs(report) for _came_s, report in waiting)
                return True
            self._waiting.extendleft(reversed(waiting))
            self._count_oldest()
        return False

    def _count_oldest(self) -> None:
        while len(self._waiting) > _MOST:
            self._left_out += _signs(self._waiting.popleft()[1])


def _signs(report: security.Report) -> int:
    """How many there are in it."""
    return report.left_out + sum(one.times for one in report.noticed)
