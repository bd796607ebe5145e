"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.chaos.arena import Arena


def _always(arena: Arena) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """`play` starts simulators, breaks things and mends them; it calls `arena.over()` when all is mended.

    `may_be_dead`, `may_be_dropped`: witnessed readings may end so here, and must not anywhere else. `unfit` says why a
    fault cannot be played on this arena. `grace_s`: what is only late at the end (a re-request that is being answered) may
    take so long. `check` looks for what is special about this fault and returns sentences.
    """

    name: str
    play: Callable[[Arena], None]
    may_be_dead: bool = False
    may_be_dropped: bool = False
    recovers_within_s: float = 60.0
    settles_within_s: float = 120.0
    grace_s: float = 20.0
    unfit: Callable[[Arena], str | None] = _always
    check: Callable[[Arena], list[str]] = lambda arena: []
