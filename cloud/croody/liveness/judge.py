"""Is this robot there? One pure function over what was heard of it; every page and job asks it, none judges by itself.

Silence counts only while somebody listened: `listening_since` is since when the bridge hears the broker without a break.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal


class State(StrEnum):
    """Of these one is shown: the first that holds, in this order."""

    QUARANTINED = "quarantined"
    MAINTENANCE = "maintenance"
    FAULTED = "faulted"
    OFF = "off"
    """It said goodbye: nobody has to look after it."""
    OFFLINE = "offline"
    STALE = "stale"
    UNKNOWN = "unknown"
    MOVING = "moving"
    ONLINE = "online"


#: Faulted and quarantined read as maintenance: strangers learn nothing to exploit.
_PUBLIC: Final = {State.FAULTED: State.MAINTENANCE, State.QUARANTINED: State.MAINTENANCE}


def public(state: State) -> State:
    """The state as everybody may know it."""
    return _PUBLIC.get(state, state)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`stale_intervals` x the robot's own interval, but at least `stale_s`, since the last reading; silence for `offline_s`."""

    stale_s: float
    stale_intervals: float
    offline_s: float
    offline_intervals: float


#: An agent's heartbeat comes every 30 s whatever its interval is. A plain client says nothing between its readings.
THRESHOLDS: Final[dict[Literal["agent", "plain"], Thresholds]] = {
    "agent": Thresholds(stale_s=15.0, stale_intervals=3.0, offline_s=90.0, offline_intervals=0.0),
    "plain": Thresholds(stale_s=60.0, stale_intervals=3.0, offline_s=300.0, offline_intervals=5.0),
}
#: A last will that comes after its robot is back must not flicker: silence for so long makes the word hold, in seconds.
OFFLINE_WORD_S: Final = 5.0
#: What a robot had still on its way may be stored after its goodbye; when more comes for longer, it is there after all, in seconds.
GOODBYE_S: Final = 30.0
#: Nobody heard the broker for so long: the cloud is deaf, and says nothing new about robots, in seconds.
DEAF_AFTER_S: Final = 7.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a robot. All times are when the cloud received something, never a robot's clock."""

    heard_at: datetime | None = None
    """Last record of any kind."""
    reading_at: datetime | None = None
    """Last reading that was not backlog; None: take `heard_at`."""
    status: str | None = None
    """The last reading's word for what the robot does (`moving`, `idle`, ...)."""
    interval_s: float | None = None
    presence: Literal["online", "offline", "off"] | None = None
    """Its own last word, or its last will's: `off` is a goodbye."""
    presence_at: datetime | None = None
    listening_since: datetime | None = None
    """None: nobody keeps book of listening, every silence counts."""
    faulted: bool = False
    maintenance_until: datetime | None = None
    quarantined_until: datetime | None = None


def state(now: datetime, signs: Signs) -> State:
    """The first state that holds."""
    if signs.quarantined_until is not None and now < signs.quarantined_until:
        return State.QUARANTINED
    if signs.maintenance_until is not None and now < signs.maintenance_until:
        return State.MAINTENANCE
    if signs.faulted:
        return State.FAULTED
    limits = THRESHOLDS["plain" if signs.presence is None else "agent"]
    interval_s = signs.interval_s or 0.0
    last = _latest(signs.heard_at, signs.presence_at)
    if last is None:
        return State.UNKNOWN
    if signs.presence == "off" and _age_s(last, signs.presence_at) <= GOODBYE_S:
        return State.OFF
    silent_s = _age_s(now, _latest(last, signs.listening_since))
    if silent_s > max(limits.offline_s, limits.offline_intervals * interval_s):
        return State.OFFLINE
    if signs.presence == "offline" and last == signs.presence_at and silent_s > OFFLINE_WORD_S:
        return State.OFFLINE
    reading_at = signs.reading_at or signs.heard_at
    if reading_at is None:
        return State.UNKNOWN
    if _age_s(now, _latest(reading_at, signs.listening_since)) > max(limits.stale_s, limits.stale_intervals * interval_s):
        return State.STALE
    return State.MOVING if signs.status == "moving" else State.ONLINE


def deaf(now: datetime, listened_at: datetime | None) -> bool:
    """Say whether the cloud itself hears nothing: `listened_at` is when a bridge last heard the broker, None: no bridge ever."""
    return listened_at is not None and _age_s(now, listened_at) > DEAF_AFTER_S


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _age_s(now: datetime, since: datetime | None) -> float:
    return (now - since) / timedelta(seconds=1) if since is not None else 0.0
