"""`diagnostic_msgs/DiagnosticArray` -> events when a status turns bad, worse or well again. Pure; each status ends its own alarm."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Value
from croody_contract.values import carried, metrics
from croody_edge.sources.ros.paths import at, items, plain

TYPE: Final = "diagnostic_msgs/msg/DiagnosticArray"
#: Names of statuses that are remembered; a robot has some dozens.
MOST: Final = 512
#: Names and values that an event takes along.
_MOST_VALUES: Final = 20
_Severity = Literal["low", "medium", "high", "critical"]
_LEVELS: Final[tuple[tuple[str, _Severity], ...]] = (("ok", "low"), ("warn", "medium"), ("error", "high"), ("stale", "medium"))
_WORDS: Final = tuple(word for word, _severity in _LEVELS)
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")


class Diagnostics:
    """The statuses of one topic."""

    def __init__(self, wrong: Mapping[str, str] | None = None) -> None:
        """Args: `wrong` is what `wrong` was when the agent stopped."""
        self._levels: dict[str, int] = {}
        #: What was bad before the start, and was not seen since.
        self._unseen = {name: _WORDS.index(word) for name, word in (wrong or {}).items() if word in _WORDS}
        #: A status that is not well -> when it was told.
        self._told_s: dict[str, float] = {}

    @property
    def bad(self) -> int:
        """Statuses that are not well."""
        return sum(1 for level in self._levels.values() if level)

    @property
    def wrong(self) -> dict[str, str]:
        """What was told and has not ended: status -> how bad."""
        return {name: _WORDS[level] for name, level in (self._unseen | self._levels).items() if level}

    def take(self, message: Any, now: float, mono_s: float | None = None) -> list[Event]:
        """Events of what changed, and of what is wrong for long.

        Args:
            message: as decoded.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps; without it, `now` counts.
        """
        events, at_s = [], now if mono_s is None else mono_s
        for status in items(message, "status"):
            name, level = at(status, "name"), _level(at(status, "level"))
            if not isinstance(name, str) or level is None:
                continue
            unseen = self._unseen.pop(name, 0)
            before = self._levels.get(name, unseen)
            again = bool(level) and (bool(unseen) or abs(at_s - self._told_s.get(name, at_s)) >= SAID_AGAIN_S)
            if (level == before and not again) or (name not in self._levels and len(self._levels) >= MOST):
                continue
            self._levels[name] = level
            if level:
                self._told_s[name] = at_s
            else:
                self._told_s.pop(name, None)
            events.append(_event(name, level, status, now))
        return events


def value(message: Any, place: str) -> object:
    """What `"STATUS NAME/KEY"` has in it, as a number where it is one; None when it is not there."""
    name, _, key = place.rpartition("/")
    for status in items(message, "status"):
        if at(status, "name") == name:
            for pair in items(status, "values"):
                if at(pair, "key") == key:
                    return _number_or_text(at(pair, "value"))
    return None


def code_of(name: str) -> str:
    """The code of a status' events: `base: Left motor` -> `ros_base_left_motor`."""
    return f"ros_{_NO_WORD.sub('_', name.lower()).strip('_')}"[:64].rstrip("_") if _NO_WORD.sub("", name.lower()) else "ros_diagnostic"


def _event(name: str, level: int, status: Any, now: float) -> Event:
    moment = datetime.fromtimestamp(now, UTC)
    if not level:
        return Event(code=code_of(name), ts=moment, detail=metrics({"status": name}), over=True)
    word, severity = _LEVELS[level]
    detail: dict[str, Value] = metrics(
        {"status": name, "level": word, "message": at(status, "message"), "hardware": at(status, "hardware_id")}
    )
    for key, said in _pairs(status):
        detail.setdefault(key, said)
    return Event(code=code_of(name), ts=moment, severity=severity, detail=detail)


def _pairs(status: Any) -> Iterator[tuple[str, Value]]:
    for count, pair in enumerate(items(status, "values")):
        if count >= _MOST_VALUES:
            return
        yield from metrics({str(carried(at(pair, "key")) or "")[:64]: at(pair, "value")}).items()


def _level(raw: Any) -> int | None:
    """`byte` is one byte or a number, by who decoded it."""
    level = raw[0] if isinstance(raw, bytes) and raw else plain(raw)
    return level if isinstance(level, int) and 0 <= level < len(_LEVELS) else None


def _number_or_text(said: Any) -> object:
    try:
        return float(said)
    except (TypeError, ValueError):
        return said
