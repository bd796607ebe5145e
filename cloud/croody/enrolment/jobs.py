"""What enrolment does by the clock."""

from datetime import datetime

from croody.enrolment import rotation


def end_rotations(now: datetime) -> None:
    """Go back to the old secret of robots that did not come in by a new one in time."""
    rotation.end_late(now)
