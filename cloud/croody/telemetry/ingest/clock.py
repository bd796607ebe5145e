"""Which time a record counts at. Pure; knows no database and reads no clock."""

from datetime import UTC, datetime, timedelta

from croody_contract.limits import CLOCK_AHEAD_S
from croody_contract.messages import Refused

_AHEAD = timedelta(seconds=CLOCK_AHEAD_S)


def effective(ts: datetime | None, received_at: datetime, retention: timedelta) -> tuple[datetime, bool]:
    """`at` and `clock_wrong`: the robot's `ts` while it is believable, else the receipt time, flagged.

    So a robot at 1970 or 2029 neither fails its batch nor makes a partition of its own.
    """
    if ts is None:
        return received_at, False
    if -_AHEAD <= received_at - ts <= retention:
        return ts, False
    return received_at, True


def believable(received_at: datetime, retention: timedelta) -> tuple[datetime, datetime]:
    """The earliest and the latest `ts` that counts."""
    return received_at - retention, received_at + _AHEAD


def in_utc(ts: datetime, field: str = "ts") -> datetime:
    """The same moment in UTC.

    Raises:
        Refused: it lies outside the years 1 to 9999 there, which no database column holds.
    """
    if ts.tzinfo is UTC:
        return ts
    try:
        return ts.astimezone(UTC)
    except OverflowError:
        raise Refused("out_of_range", f"{field}: {ts.isoformat()} lies outside the years 1 to 9999 in UTC: send a time between") from None
