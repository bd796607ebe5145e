"""What goes up of a network that is watched: evidence of what is suspected, with its flows, and a random sample of what was cleared.

The unit is a device over ten seconds. Pure: takes looks, gives records; packets stay on the board.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from croody_contract.flows.counters import WINDOWS
from croody_contract.flows.incidents import Incident
from croody_contract.flows.limits import RULES, Maxima, judge, limit_of
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text
from croody_contract.flows.records import Flow
from croody_contract.messages import Conversation, Evidence

#: Flows of one piece of evidence, and of a minute whoever is suspected.
MOST_FLOWS: Final = 20
FLOWS_A_MINUTE: Final = 200
_MINUTE_NS: Final = 60 * 1_000_000_000
_SECOND_NS: Final = 1_000_000_000


def screen_of(maxima: Maxima | None) -> str:
    """What these limits are called: the same limits have the same name everywhere."""
    limits = [(rule.code, *limit_of(rule, maxima)) for rule in RULES]
    return f"limits-{hashlib.sha256(json.dumps(limits).encode()).hexdigest()[:12]}"


class Screened:
    """Counts every window of every device; says which records go up.

    Args:
        maxima: what is ordinary, None for the floors alone.
        sample: share of the cleared windows that goes up.
        dice: what chooses them.
    """

    def __init__(self, maxima: Maxima | None, sample: float, dice: random.Random) -> None:
        self._maxima, self._sample, self._dice = maxima, sample, dice
        self._screen = screen_of(maxima)
        self._cleared = self._suspected = 0
        self._minute_ns = self._flows = 0

    def look(self, look: Look) -> Evidence | None:
        """Count a window where one ends; gives it when it was cleared, and chosen."""
        if look.at_ns // _SECOND_NS % WINDOWS[0]:
            return None
        if judge(look, self._maxima):
            self._suspected += 1
            return None
        self._cleared += 1
        return self._evidence(look, (), sampled=True) if self._dice.random() < self._sample else None

    def suspect(self, look: Look, incident: Incident) -> Evidence:
        """What a device that goes beyond a limit did."""
        return self._evidence(look, incident.codes, sampled=False)

    def flows(self, found: list[Flow], now_ns: int) -> Iterator[Conversation]:
        """So many of its flows as may go up in this minute."""
        if now_ns - self._minute_ns > _MINUTE_NS:
            self._minute_ns, self._flows = now_ns, 0
        for flow in found[: max(0, FLOWS_A_MINUTE - self._flows)]:
            self._flows += 1
            yield conversation(flow)

    def _evidence(self, look: Look, kinds: tuple[str, ...] | list[str], *, sampled: bool) -> Evidence:
        made = Evidence(
            device=text(look.device),
            screen=self._screen,
            suspect=not sampled,
            sampled=sampled,
            windows={str(seconds): {c.value: n for c, n in look.windows[seconds].items()} for seconds in WINDOWS},  # type: ignore[misc]
            ts=datetime.fromtimestamp(look.at_ns / 1e9, UTC),
            kinds=list(kinds),
            beside=[text(other) for other in look.beside[-20:]],
            cleared=self._cleared,
            suspected=self._suspected,
        )
        self._cleared = self._suspected = 0
        return made


def conversation(flow: Flow) -> Conversation:
    """A flow as it goes up."""
    told = flow.as_json()
    return Conversation(
        ts=datetime.fromtimestamp(flow.first_ns / 1e9, UTC),
        seconds=(flow.last_ns - flow.first_ns) / 1e9,
        flow_class=flow.kind,
        **{name: told[name] for name in Conversation.__struct_fields__ if name not in ("ts", "seconds", "flow_class")},
    )
