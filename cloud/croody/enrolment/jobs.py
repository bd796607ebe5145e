"""What enrolment does by the clock."""

from datetime import datetime, timedelta
from typing import Final

from croody.enrolment import rotation

#: A row whose transaction ended while somebody looked is found by the next look.
_OVERLAP: Final = timedelta(minutes=1)
_looked_at: datetime | None = None


def end_rotations(now: datetime) -> None:
    """Go back to the old secret of robots that did not come in by a new one in time."""
    global _looked_at
    since = _looked_at - _OVERLAP if _looked_at is not None else now - rotation.LOOKS_BACK
    if rotation.end_late(now, since=since):
        _looked_at = now
