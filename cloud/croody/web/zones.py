"""Time zones by their names, as people and addresses write them."""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC: Final = "UTC"


def zone(name: str) -> ZoneInfo | None:
    """`America/Bogota`; None: nobody knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
