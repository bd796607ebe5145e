"""How the worker's jobs ran last, told by the worker that leads. Knows no job: a name, a period and what became of it."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from croody.liveness.models import JobRun

_FIELDS: Final = ("period_s", "started_at", "ended_at", "took_s", "failures", "error", "noted_at")


@dataclass(frozen=True, slots=True)
class Run:
    """As `JobRun`, which says what each means."""

    name: str
    period_s: float
    started_at: datetime | None = None
    ended_at: datetime | None = None
    took_s: float | None = None
    failures: int = 0
    error: str = ""


def note(runs: Collection[Run], now: datetime) -> None:
    """Write all of them in one statement; what is no job any more goes."""
    rows = [JobRun(**asdict(run), noted_at=now) for run in runs]
    JobRun.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=_FIELDS)
    JobRun.objects.exclude(name__in=[run.name for run in runs]).delete()
