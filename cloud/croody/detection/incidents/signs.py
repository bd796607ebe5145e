"""Signs are written down, bounded whatever comes, and read back. Knows the table, never what signs mean."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Sum

from croody.detection.incidents.rules import WITHIN, Sign
from croody.detection.models import SecurityEvent, SignTally
from croody_contract.security import Kind, Noticed, Report

#: How long signs are kept: an incident keeps what was evidence.
KEPT: Final = timedelta(days=2)
#: Rows within `WITHIN` from which on a flood is on: then only the most frequent of a report are written.
FLOOD: Final = 1_000
_FEW: Final = 4
#: Rows that are read at once.
MOST: Final = 5_000
#: Windows of late signs that are looked at in one run, and how far apart they end.
_WINDOWS: Final = 60
_STEP: Final = WITHIN / 2
#: Who comes in is remembered only of addresses that were refused a moment before.
_WAS_REFUSED: Final = (Kind.WRONG_SECRET.value, Kind.WRONG_IDENTITY.value)


def write(source: str, reports: Sequence[Report], now: datetime) -> None:
    """Write down what some source noticed. `now`: when it was handed over."""
    recent = SecurityEvent.objects.filter(at__gt=now - WITHIN)
    flood = recent.count() >= FLOOD
    refused = set(recent.filter(kind__in=_WAS_REFUSED).values_list("address", flat=True).distinct()[:MOST])
    rows: list[SecurityEvent] = []
    noticed = left_out = 0
    for report in reports:
        refused |= {one.address for one in report.noticed if one.kind in _WAS_REFUSED}
        worth = [one for one in report.noticed if one.kind is not Kind.CONNECTED or one.address in refused]
        if flood or len(rows) >= FLOOD:
            left_out += sum(one.times for one in worth)
            worth = sorted(worth, key=lambda one: -one.times)[:_FEW]
            left_out -= sum(one.times for one in worth)
        noticed += report.left_out + sum(one.times for one in report.noticed)
        left_out += report.left_out
        at = now - timedelta(seconds=report.ago_s)
        rows += [_row(source, one, at) for one in worth]
    SecurityEvent.objects.bulk_create(rows, batch_size=500)
    if noticed:
        tally(source, noticed, left_out, now)


def tally(source: str, noticed: int, left_out: int, now: datetime) -> None:
    """Count what a source noticed, and how much of it was left out."""
    hour = {"hour": now.replace(minute=0, second=0, microsecond=0), "source": source}
    more = {"noticed": F("noticed") + noticed, "left_out": F("left_out") + left_out}
    if not SignTally.objects.filter(**hour).update(**more):
        try:
            with transaction.atomic():
                SignTally.objects.create(**hour, noticed=noticed, left_out=left_out)
        except IntegrityError:
            # Another process began the hour in between.
            SignTally.objects.filter(**hour).update(**more)


def _row(source: str, one: Noticed, at: datetime) -> SecurityEvent:
    return SecurityEvent(
        at=at,
        source=source,
        kind=one.kind.value,
        address=one.address,
        account=one.account,
        known=one.known,
        secret=one.secret,
        topic=one.topic,
        times=one.times,
    )


def read(now: datetime) -> list[Sign]:
    """Those of the last moments, newest first where there are too many; oldest first."""
    found = SecurityEvent.objects.filter(at__gt=now - WITHIN, at__lte=now).order_by("-at", "-pk")
    rows = found.values_list("at", "kind", "address", "account", "known", "secret", "topic", "times")[:MOST]
    return [Sign(*row) for row in reversed(rows)]


def late(after: int, now: datetime) -> tuple[list[datetime], int]:
    """Ends of windows with the signs behind `after` that are older than `read` looks; and behind which sign to look next. Some at a time.

    A window ends at each half minute, so what was done within half a minute lies in one of them as a whole.
    """
    ends: set[datetime] = set()
    for pk, at in SecurityEvent.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "at")[:MOST]:
        if at <= now - WITHIN:
            over = timedelta(seconds=at.timestamp() % _STEP.total_seconds())
            ends |= {at - over + _STEP, at - over + 2 * _STEP}
            if len(ends) > _WINDOWS:
                break
        after = pk
    return sorted(ends), after


def newest() -> int:
    """The number of the last sign that was written."""
    return SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def last_of(source: str) -> datetime | None:
    """When this source noticed something last."""
    at: datetime | None = SecurityEvent.objects.filter(source=source).aggregate(at=Max("at"))["at"]
    return at


def how_many(since: datetime) -> dict[str, int]:
    """Kind -> how often, since then."""
    found = SecurityEvent.objects.filter(at__gte=since).order_by().values_list("kind").annotate(Sum("times"))
    return dict(found)
