"""What people say that a window was: the one write to it. A verdict that somebody looked into says how good the detector is here."""

from datetime import datetime
from typing import Final

from django.db import transaction

from croody.accounts.caller import Caller
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.detection.models import Verdict
from croody.fleet.access import Action, may, names_of
from croody.fleet.models import Robot
from croody.web.refusals import Denied

_MOST_ID: Final = 2**63 - 1


def label(caller: Caller, number: int, said: str, *, actor: Actor, now: datetime) -> Verdict:
    """Say what the window of a verdict was, or with an empty text take that back. The last word counts.

    Args:
        said: one of `Verdict.Label`, or empty.

    Raises:
        ValueError: a word that is none.
        Denied: 404, they may not know of it, or there is none; 403, they may only look at it.
    """
    if said and said not in Verdict.Label.values:
        raise ValueError(f"label {said[:20]!r}: use one of {', '.join(Verdict.Label.values)}, or nothing to take it back")
    with transaction.atomic():
        verdict = Verdict.objects.select_for_update().filter(pk=number).first() if number <= _MOST_ID else None
        robot = Robot.objects.filter(pk=verdict.robot_id).first() if verdict is not None else None
        if verdict is None or robot is None or not may(caller, Action.ASSESS, robot):
            raise Denied(404, f"there is no verdict {number} that you may see")
        if not may(caller, Action.ACT, robot):
            raise Denied(403, f"verdict {number}: only {names_of(Action.ACT)} of {robot.pk}'s organisation may say what it was")
        if verdict.label != said:
            before = {"label": verdict.label}
            verdict.label, verdict.label_by, verdict.label_at = said, actor.name[:150] if said else "", now if said else None
            verdict.save(update_fields=["label", "label_by", "label_at"])
            thing = f"{verdict.robot_id} {verdict.stream} {verdict.seq}"
            told = {"before": before, "after": {"label": said}}
            record(actor, "label", "verdict", thing, organisation_id=robot.organisation_id, now=now, **told)
    return verdict
