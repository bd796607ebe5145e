"""What one robot may name, send and be: one table. No honest robot meets any of it; what happens beyond is in docs/reference/quotas.md.

Knows numbers and how their settings are called. `env` reads them; `telemetry/ingest/usage.py` and the jobs hold robots to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Quotas:
    """Each is the setting `CROODY_QUOTA_` and its name in capitals; whole numbers from 1."""

    #: Work a second, counted in records, in each process of the telemetry API; five seconds' worth may come at once.
    work: int = 5000
    #: Streams opened a day: by starting, by naming one as the one before, and by naming one in a tombstone.
    streams: int = 10_000
    #: MiB of records a day, unpacked.
    mib: int = 16_384
    #: Ranges in one row of the ledger.
    ranges: int = 150_000
    #: Dead letters that are kept; beyond, they are only counted.
    letters: int = 1000
    #: Alarms that are open at once. Within a day five times as many may be opened.
    alarms: int = 100
    #: Names of metrics that are rolled up, and rows that come of it a day.
    metrics: int = 512
    rollups: int = 1_000_000

    @classmethod
    def read(cls, number: Callable[[str, int], int]) -> Self:
        """From `number(NAME, default)`."""
        found: dict[str, Any] = {field.name: number(f"CROODY_QUOTA_{field.name.upper()}", int(str(field.default))) for field in fields(cls)}
        return cls(**found)
