"""How often one caller may ask `/api/v1/`: a bucket each in this process's memory. The gateway's own limit is by address, and higher."""

import threading
import time
from collections import OrderedDict
from typing import Final

from django.http import HttpRequest

from croody.accounts.caller import Caller
from croody.accounts.throttle import address_of
from croody.api.errors import Wrong

#: Requests a second in the long run, and at once.
RATE: Final = 20.0
BURST: Final = 100.0
#: Callers that are remembered; whoever asked least lately is forgotten first, and begins with a full bucket.
_MOST: Final = 10_000


class Buckets:
    """A bucket of `burst` requests a key, filled at `rate` a second. Times are monotonic seconds."""

    def __init__(self, rate: float = RATE, burst: float = BURST, most: int = _MOST) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, now_s: float) -> bool:
        """Take one out. False when there is none."""
        with self._lock:
            left, at_s = self._left.pop(key, (self._burst, now_s))
            left = min(self._burst, left + (now_s - at_s) * self._rate)
            self._left[key] = (left - 1 if left >= 1 else left, now_s)
            if len(self._left) > self._most:
                self._left.popitem(last=False)
            return left >= 1

    def clear(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._left.clear()


buckets: Final = Buckets()


def count(caller: Caller, request: HttpRequest) -> None:
    """Count one request of this caller.

    Raises:
        Wrong: 429, they asked too often.
    """
    if not buckets.take(key_of(caller, request), time.monotonic()):
        rule = f"at most {RATE:.0f} requests a second from one caller, {BURST:.0f} at once"
        raise Wrong("requests", "too many", rule, "wait a second, or ask for more at a time", status=429)


def key_of(caller: Caller, request: HttpRequest) -> str:
    """Who counts as one."""
    who = caller.token_id or caller.user_id or caller.robot_id or caller.service
    return f"{caller.kind}:{who}" if who else f"{caller.kind}@{address_of(request)}"
