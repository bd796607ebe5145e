"""What a robot's agent announced at its last start that it can do."""

from croody.telemetry.read.events import Told, born
from croody.telemetry.read.newest import newest_of
from croody_contract.topics import PLAIN_STREAMS


def can(robot_id: str, kind: str) -> bool:
    """Say whether it can do commands of this kind now."""
    return kind in within_reach(robot_id, born(robot_id))


def announced(start: Told | None) -> frozenset[str]:
    """Kinds of commands in the record with which an agent began; none of one that never said so."""
    return frozenset(start.data.get("capabilities") or ()) if start is not None else frozenset()


def within_reach(robot_id: str, start: Told | None) -> frozenset[str]:
    """Of these, what reaches it now: nothing of one that speaks without a stream by now, as agents do over HTTP: there is no way down."""
    kinds = announced(start)
    if start is None or not kinds:
        return frozenset()
    newest = newest_of([robot_id]).get(robot_id)
    reached = newest is None or newest.stream not in PLAIN_STREAMS or newest.heard_at < start.received_at
    return kinds if reached else frozenset()
