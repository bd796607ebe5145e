"""Sets aside what a job cannot do, with its reason: one bad row costs itself, and the job goes on to the next."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from croody.telemetry.models import SetAside

log = logging.getLogger(__name__)
#: Of one job and robot, so many are kept and told of in the log: no robot hides what another's row was left out for.
MOST: Final = 100
_REASON: Final = 500


def set_aside(job: str, robot_id: str, what: str, why: object, now: datetime) -> None:
    """Say in the log, and keep for a person to look at, at most `MOST` times a robot, that `job` left `what` of a robot out."""
    reason = " ".join(str(why).split())
    if len(reason) > _REASON:
        # A database names the value first, however long it is, and what is wrong with it last.
        reason = f"{reason[: _REASON // 2 - 2]} … {reason[-_REASON // 2 + 2 :]}"
    key: dict[str, Any] = {"job": job, "robot_id": robot_id[:64], "what": what[:200]}
    known = SetAside.objects.filter(**key).exists()
    if not known and SetAside.objects.filter(job=job, robot_id=key["robot_id"]).count() >= MOST:
        return
    if not known:
        log.warning("%s: left out %s of robot %s: %s", job, what, robot_id, reason)
    SetAside.objects.update_or_create(**key, defaults={"reason": reason, "at": now})


def aside_of(job: str, whats: Sequence[str]) -> set[str]:
    """Which of these `job` has set aside already."""
    return set(SetAside.objects.filter(job=job, what__in=whats).values_list("what", flat=True))
