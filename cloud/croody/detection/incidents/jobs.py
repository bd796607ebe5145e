"""What runs by the clock for incidents: signs become evidence, also those that come late; what is quiet is over."""

from datetime import datetime
from typing import Final

from croody.alarms import kinds
from croody.detection.incidents import fusion, rules, signs
from croody.detection.incidents.evidence import of_suspect
from croody.detection.incidents.rules import GAP, Suspect
from croody.detection.models import Cursor, Incident

#: Offenders that are looked at in one run; the worst first.
MOST: Final = 200
_CURSOR: Final = "signs"


def find_incidents(now: datetime) -> None:
    """Look at the last minute, and at what came later than that. May be stopped anywhere: what is found again changes nothing."""
    # First: what comes after a pause is another incident, also where the worker was away in between.
    for incident in Incident.objects.filter(ended_at=None, last_at__lt=now - GAP)[:MOST]:
        Incident.objects.filter(pk=incident.pk).update(ended_at=incident.last_at)
    _take(rules.suspects(signs.read(now)), now)
    _late(now)


def _late(now: datetime) -> None:
    """Signs of which nobody looked at their minute: the worker was away, or the broker kept them while the API was."""
    before = Cursor.objects.filter(name=_CURSOR).values_list("last_id", flat=True).first()
    if before is None:
        # What was there before the first run was looked at by another version, or by nobody.
        Cursor.objects.get_or_create(name=_CURSOR, defaults={"last_id": signs.newest()})
        return
    ends, after = signs.late(before, now)
    for end in ends:
        _take(rules.suspects(signs.read(end)), now)
    if after != before:
        Cursor.objects.filter(name=_CURSOR).update(last_id=after)


def _take(found: list[Suspect], now: datetime) -> None:
    found.sort(key=lambda suspect: list(kinds.SEVERITIES).index(suspect.evidence[0].rule.severity))
    for suspect in found[:MOST]:
        fusion.take(of_suspect(suspect), now)
