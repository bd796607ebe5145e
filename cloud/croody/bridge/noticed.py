"""Carries what the broker noticed of who comes to it to the cloud, beside the readings and never in their way. Bounded."""

import threading
import time
from collections import deque
from typing import Final

import msgspec

from croody.bridge import api
from croody_contract import security

#: Reports that wait while the API is away: two minutes; beyond that the oldest goes.
_MOST: Final = security.MOST_REPORTS
_LOOK_S: Final = 0.25
#: After a failure it is not tried again for so long, in seconds.
_REST_S: Final = 2.0


class Noticed:
    """Reports on their way. `put` from one thread, `run` in another."""

    def __init__(self, to: api.Api, stop: threading.Event) -> None:
        self._api = to
        self._stop = stop
        self._waiting: deque[tuple[float, security.Report]] = deque(maxlen=_MOST)

    def put(self, payload: bytes) -> None:
        """One more report, as the broker published it; what is none is left out: only the broker's own process can write there."""
        try:
            self._waiting.append((time.monotonic(), security.decode_report(payload)))
        except (msgspec.MsgspecError, UnicodeError):
            return

    def run(self) -> None:
        """Hand over until it is stopped."""
        wait_s = _LOOK_S
        while not self._stop.wait(wait_s):
            wait_s = _LOOK_S if self._handed_over() else _REST_S

    def _handed_over(self) -> bool:
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not waiting:
            return True
        now_s = time.monotonic()
        body = msgspec.json.encode(
            [msgspec.structs.replace(report, ago_s=min(86_400.0, report.ago_s + now_s - came_s)) for came_s, report in waiting]
        )
        try:
            done = self._api.post(api.SECURITY, body).status < 500
        except api.Unreachable:
            # The courier says so.
            done = False
        if not done:
            for each in reversed(waiting):
                if len(self._waiting) < _MOST:
                    self._waiting.appendleft(each)
        return done
