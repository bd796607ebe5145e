"""What is known of Croody itself, as frozen structs: of the database, of a certificate, of a disk. `./croody status` has the same ones."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

#: Below so many days, renewal of a certificate has failed for weeks.
FEWEST_DAYS: Final = 14
#: Of a disk that is fuller than this nobody should wait for more.
FULLEST_DISK: Final = 0.9


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Ages in seconds; None: there is none. `problem` is what the database answered instead."""

    problem: str = ""
    #: What it answered to a write that it did not take.
    unwritable: str = ""
    robots: dict[str, int] = field(default_factory=dict)
    newest_age_s: float | None = None
    #: Since when the bridge hears nothing of the broker; None while it hears.
    deaf_s: float | None = None
    #: Streams with something missing now.
    gaps: int = 0
    #: Records that robots still hold, as they last said.
    at_robots: int = 0
    #: Commands that a robot has not answered yet.
    to_robots: int = 0
    #: Kept and not replayed.
    dead_letters: int = 0
    #: Open ones by severity.
    alarms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who signed it and when it ends; `problem` instead where it cannot be read."""

    issuer: str = ""
    ends_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the file system with the data. `free` is what is left for us: some systems keep a part for root."""

    free: int
    used: int
