"""How Croody was: each part asked once a minute, counted a day. A day that nobody counted is a hole, and is shown as one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F

from croody.liveness import parts
from croody.site.models import PartDay

DAYS: Final = 90
#: The pages themselves are not among them: who asks is not the one who answers.
PARTS: Final = ("database", "broker", "bridge", "telemetry", "ids", "worker")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one part. `checks` 0: nobody asked."""

    day: date
    checks: int = 0
    well: int = 0

    @property
    def level(self) -> str:
        """`none`, `well`, `short` (under one in a hundred failed) or `down`."""
        if not self.checks:
            return "none"
        if self.well >= self.checks:
            return "well"
        return "short" if (self.checks - self.well) * 100 < self.checks else "down"


def note_parts(now: datetime) -> None:
    """Ask every part, and count what it answered."""
    for answer in parts.answers():
        if answer.part in PARTS:
            row, _made = PartDay.objects.get_or_create(part=answer.part, day=now.date())
            PartDay.objects.filter(pk=row.pk).update(checks=F("checks") + 1, well=F("well") + int(answer.well))


def days_of(now: datetime) -> dict[str, list[Day]]:
    """Part -> its days, the oldest first, today last."""
    first = now.date() - timedelta(days=DAYS - 1)
    counted = {(row.part, row.day): Day(row.day, row.checks, row.well) for row in PartDay.objects.filter(day__gte=first)}
    every = [first + timedelta(days=index) for index in range(DAYS)]
    return {part: [counted.get((part, day), Day(day)) for day in every] for part in PARTS}
