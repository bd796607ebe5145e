"""Throws a dead letter away. Its bytes go, its place in the ledger stays: what was dead is never missing."""

from datetime import datetime

from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet.models import Robot
from croody.telemetry.models import DeadLetter


def discard(letter: DeadLetter, *, now: datetime, actor: Actor) -> bool:
    """Delete it, and write down what it was. False when somebody else did so first."""
    told = {name: getattr(letter, name) for name in ("stream", "first", "last", "reason", "detail", "count")}
    number, robot_id = letter.pk, letter.robot_id
    if not DeadLetter.objects.filter(pk=number).delete()[0]:
        return False
    # Telemetry may have a database of its own, so the entry comes after the commit.
    organisation_id = Robot.objects.filter(pk=robot_id).values_list("organisation_id", flat=True).first()
    before = {"robot": robot_id, **told}
    record(actor, "discard", "dead_letter", str(number), organisation_id=organisation_id, before=before, now=now)
    return True
