"""What is told to detection of who comes to the broker: counted, a report a second, bounded whatever comes. Knows no sockets.

While no bridge listens the reports of the last minutes are kept, so that an attack is told that also brought the bridge down.
"""

import hashlib
import hmac
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec

from croody_contract.printable import printable
from croody_contract.security import ACCOUNT_CHARS, MOST, TOPIC_CHARS, Kind, Noticed, Report

#: How long one report counts, in seconds.
MOMENT_S: Final = 1.0
#: Reports that wait for a bridge: beyond that the oldest goes, and is counted.
_MOST_WAITING: Final = 120
#: A report keeps the first so many characters of an address.
_ADDRESS_CHARS: Final = 64
_Key = tuple[Kind, str, str, bool, str, str]


@dataclass(slots=True)
class _Moment:
    ended_s: float
    noticed: list[Noticed]
    left_out: int


class Notices:
    """Counts what is noticed; hands over reports."""

    def __init__(self) -> None:
        # Anew at each start and never told: a code says whether two wrong secrets are one, and nothing about either.
        self._key = secrets.token_bytes(32)
        self._counts: dict[_Key, int] = {}
        self._left_out = 0
        self._ends_s = 0.0
        self._waiting: deque[_Moment] = deque()

    def take(
        self,
        now_s: float,
        kind: Kind,
        *,
        address: str = "",
        account: str = "",
        known: bool = False,
        secret: str | None = None,
        topic: str = "",
    ) -> None:
        """One more. `secret`: the wrong one that was given, of which only a code is kept. `now_s`: monotonic."""
        if not self._counts and not self._left_out:
            self._ends_s = now_s + MOMENT_S
        key = (kind, _fit(address, _ADDRESS_CHARS), _fit(account, ACCOUNT_CHARS), known, self._code(secret), _fit(topic, TOPIC_CHARS))
        if key in self._counts or len(self._counts) < MOST:
            self._counts[key] = self._counts.get(key, 0) + 1
        else:
            self._left_out += 1

    def close(self, now_s: float) -> bool:
        """End the moment when it is over. Says whether reports wait."""
        if (self._counts or self._left_out) and now_s >= self._ends_s:
            noticed = [Noticed(*key, times=times) for key, times in self._counts.items()]
            self._waiting.append(_Moment(now_s, noticed, self._left_out))
            self._counts, self._left_out = {}, 0
            if len(self._waiting) > _MOST_WAITING:
                gone = self._waiting.popleft()
                self._waiting[0].left_out += gone.left_out + sum(one.times for one in gone.noticed)
        return bool(self._waiting)

    def hand_over(self, now_s: float) -> list[bytes]:
        """The reports that wait, oldest first, each as the payload of a message; they wait no more."""
        reports = [Report(moment.noticed, round(max(0.0, now_s - moment.ended_s), 3), moment.left_out) for moment in self._waiting]
        self._waiting.clear()
        return [msgspec.json.encode(report) for report in reports]

    def _code(self, secret: str | None) -> str:
        return "" if secret is None else hmac.new(self._key, secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:8]


def _fit(text: str, chars: int) -> str:
    return printable(text[:chars])[:chars]
