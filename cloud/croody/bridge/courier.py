"""Brings items to the telemetry API and never gives up on one that it did not answer. Knows statuses, not sockets.

200 is a commit. 4xx on the content parts the relay until the one item that it is about is a dead letter. Everything else
is an outage: the same relay again, with jittered backoff. Items that somebody waits for (they have a number) are settled
when they are committed, or when nothing better can become of them.
"""

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from croody.bridge import api, handler
from croody.bridge.handler import Item
from croody_contract import relay

log = logging.getLogger(__name__)
#: First and longest wait between two tries, in seconds. Short enough that an outage is over within seconds of its end.
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 3.0
#: Statuses that are about the body, so that another body may fare better.
ABOUT_THE_BODY: Final = frozenset({400, 413, 422})
#: So many answers of 500 in a row, and the relay is parted: perhaps it is one item that breaks the API.
PATIENCE: Final = 6
#: Tries without one success after which the parting is called off: then it is the API that is broken.
FRUITLESS: Final = 24


def _nobody(items: Sequence[Item]) -> None:
    """Nobody waits."""


def _nothing(robots: Sequence[str]) -> None:
    """Nobody wants to know."""


class Outage:
    """Whether the API is lost, known to all couriers: it is said once."""

    def __init__(self) -> None:
        self.lost = False


class Courier:
    """`post(path, body, request_id)` sends; `acked` gets what each commit accounted for; `stop` ends a wait.

    `encode` makes the body of a POST; `settled` gets the items whose end is certain, `over` the
    robots that the API holds back.
    """

    def __init__(
        self,
        post: Callable[[str, bytes, str], api.Reply],
        acked: Callable[[Sequence[relay.RobotAck]], None],
        stop: threading.Event,
        *,
        encode: Callable[[Sequence[Item]], bytes] = handler.encode,
        settled: Callable[[Sequence[Item]], None] = _nobody,
        over: Callable[[Sequence[str]], None] = _nothing,
        longest_wait_s: float = LONGEST_WAIT_S,
        outage: Outage | None = None,
    ) -> None:
        self._encode = encode
        self._settled = settled
        self._over = over
        self._post = post
        self._acked = acked
        self._stop = stop
        self._longest_wait_s = longest_wait_s
        self._outage = outage or Outage()
        #: Of the latest POST, for the lines about it.
        self._request_id = ""

    def deliver(self, items: Sequence[Item]) -> None:
        """Return when every item is accounted for, or when told to stop: what was not answered is not acknowledged."""
        failures = broken = 0
        while items and not self._stop.is_set():
            status, text = self._try(items)
            if status == 200:
                return
            if status in ABOUT_THE_BODY:
                self._part(items, status, text)
                return
            failures += 1
            broken = broken + 1 if status == 500 else 0
            if broken >= PATIENCE:
                broken = 0
                items = self._isolate(items)
                continue
            longest = min(self._longest_wait_s, FIRST_WAIT_S * 2.0 ** min(failures, 10))
            self._stop.wait(random.uniform(longest / 2, longest))

    def _try(self, items: Sequence[Item]) -> tuple[int, str]:
        """One POST: its status (0 for no answer) and the text of a refusal."""
        self._request_id = secrets.token_hex(16)
        began = time.monotonic()
        try:
            reply = self._post(api.RELAY, self._encode(items), self._request_id)
            if reply.status == 200:
                relayed = relay.decode_relayed(reply.body)
        except (api.Unreachable, msgspec.MsgspecError) as error:
            self._say_lost(f"no answer ({error})")
            return 0, ""
        if log.isEnabledFor(logging.DEBUG):
            took_ms = (time.monotonic() - began) * 1000
            log.debug("relayed %s %d %.0fms request_id=%s", handler.named(items), reply.status, took_ms, self._request_id)
        if reply.status == 200:
            self._say_back()
            self._acked(relayed.acks)
            self._over(relayed.over)
            self._settled(items)
        elif reply.status not in ABOUT_THE_BODY:
            self._say_lost(f"{reply.status} {_excerpt(reply.body)}")
        return reply.status, _excerpt(reply.body)

    def _part(self, items: Sequence[Item], status: int, text: str) -> None:
        parts = handler.halves(items)
        if parts is not None:
            for part in parts:
                self.deliver(part)
            return
        letter = handler.refused(items[0], status, text)
        if letter is None:
            log.error("the telemetry API refuses a dead letter with %d, it is left out: %s request_id=%s", status, text, self._request_id)
            self._settled(items)
        else:
            log.warning(
                "the telemetry API refuses an item with %d, it becomes a dead letter: %s request_id=%s", status, text, self._request_id
            )
            self.deliver([letter])

    def _isolate(self, items: Sequence[Item]) -> list[Item]:
        """Bring what can be brought past an item that breaks the API; answer what is to be tried again.

        A single item that breaks it while others pass is let go: without an acknowledgement where its robot keeps it and sends
        it again, so that nothing is lost and the gap alarm shows it; as a dead letter where somebody waits for its end.
        """
        passed = tried = 0
        broken: list[Item] = []
        stuck: list[Item] = []
        waiting = [list(items)]
        while waiting and not self._stop.is_set() and (passed or tried < FRUITLESS):
            part = waiting.pop()
            status, text = self._try(part)
            tried += 1
            if status == 200:
                passed += 1
            elif status in ABOUT_THE_BODY:
                self._part(part, status, text)
            elif status != 500:
                stuck.extend(part)
            elif (smaller := handler.halves(part)) is not None:
                waiting.extend(reversed(smaller))
            else:
                broken.extend(part)
        rest = stuck + [item for part in waiting for item in part]
        if not passed:
            return broken + rest
        let_go = [item for item in broken + rest if not handler.numbers([item])]
        if let_go:
            log.error("the telemetry API breaks on %d items and takes the others: they are left to their robots to send again", len(let_go))
        for item in broken:
            self._bury(item)
        return [item for item in rest if handler.numbers([item])]

    def _bury(self, item: Item) -> None:
        letter = handler.refused(item, 500, "it breaks on this item and takes others") if handler.numbers([item]) else None
        if letter is not None and self._try([letter])[0] != 200:
            log.error("the telemetry API breaks on an item and takes no dead letter of it: it stays unacknowledged: %s", letter.topic)

    def _say_lost(self, why: str) -> None:
        if not self._outage.lost:
            log.warning("the telemetry API is lost: %s; trying again request_id=%s", why, self._request_id)
        self._outage.lost = True

    def _say_back(self) -> None:
        if self._outage.lost:
            log.info("the telemetry API is back")
        self._outage.lost = False


def _excerpt(body: bytes) -> str:
    return body[:300].decode("utf-8", "replace")
