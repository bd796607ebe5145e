"""What a robot's agent announced at its last start that it can do."""

from croody.telemetry.read.events import born


def can(robot_id: str, kind: str) -> bool:
    """Say whether it can do commands of this kind. One that never said so cannot."""
    start = born(robot_id)
    return start is not None and kind in (start.data.get("capabilities") or ())
