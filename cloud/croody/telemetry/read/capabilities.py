"""What a robot's agent announced at its last start that it can do."""

from croody.telemetry.read.events import born
from croody.telemetry.read.newest import newest_of
from croody_contract.topics import PLAIN_STREAMS


def can(robot_id: str, kind: str) -> bool:
    """Say whether it can do commands of this kind. One that never said so cannot; nor one that speaks without a stream by now, as agents do
    over HTTP: nothing goes down that way."""
    start = born(robot_id)
    if start is None or kind not in (start.data.get("capabilities") or ()):
        return False
    newest = newest_of([robot_id]).get(robot_id)
    return newest is None or newest.stream not in PLAIN_STREAMS or newest.heard_at < start.received_at
