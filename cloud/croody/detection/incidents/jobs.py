"""What runs by the clock for incidents: signs of the last minute become evidence; what is quiet is over."""

from datetime import datetime
from typing import Final

from croody.alarms import kinds
from croody.detection.incidents import fusion, rules, signs
from croody.detection.incidents.evidence import of_suspect
from croody.detection.incidents.rules import GAP
from croody.detection.models import Incident

#: Offenders that are looked at in one run; the worst first.
MOST: Final = 200


def find_incidents(now: datetime) -> None:
    """Look at the last minute. May be stopped anywhere: what is found again changes nothing."""
    # First: what comes after a pause is another incident, also where the worker was away in between.
    for incident in Incident.objects.filter(ended_at=None, last_at__lt=now - GAP)[:MOST]:
        Incident.objects.filter(pk=incident.pk).update(ended_at=incident.last_at)
    found = rules.suspects(signs.read(now))
    found.sort(key=lambda suspect: list(kinds.SEVERITIES).index(suspect.evidence[0].rule.severity))
    for suspect in found[:MOST]:
        fusion.take(of_suspect(suspect), now)
