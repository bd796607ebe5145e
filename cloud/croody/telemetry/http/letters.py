"""Dead letters over HTTP: look at them, play them again."""

import base64
from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from ninja import Query, Router

from croody.accounts.caller import Caller, actor_of
from croody.fleet.access import Action, Needs, asking, may, names_of, robots
from croody.fleet.models import Robot
from croody.telemetry.http.schemas import Detail, LetterFull, LetterOut, ReplayedOut
from croody.telemetry.ingest import services
from croody.telemetry.models import DeadLetter
from croody.web.refusals import Denied

router = Router(tags=["dead letters"])
_ERRORS: dict[int, Any] = {401: Detail, 403: Detail, 404: Detail, 422: Detail, 503: Detail}
_MOST_ID = 2**63 - 1


@router.get("", auth=Needs(Action.INSPECT), response={200: list[LetterOut], **_ERRORS}, summary="What could not be stored, newest first")
def listing(
    request: HttpRequest,
    robot_id: Annotated[str | None, Query(max_length=64)] = None,
    reason: Annotated[str | None, Query(max_length=32, pattern=r"^[a-z_]*$")] = None,
    before: Annotated[int, Query(ge=1, le=_MOST_ID, description="Only letters with a smaller id: the next page")] = _MOST_ID,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[dict[str, Any]]:
    """Of the robots you work with."""
    found = _letters(asking(request)).filter(pk__lt=before)
    if robot_id is not None:
        found = found.filter(robot_id=robot_id.replace("\x00", ""))
    if reason:
        found = found.filter(reason=reason)
    return [_shown(letter) for letter in found.defer("body").order_by("-pk")[:limit]]


@router.get("/{int:number}", auth=Needs(Action.INSPECT), response={200: LetterFull, **_ERRORS}, summary="One letter with its bytes")
def show(request: HttpRequest, number: int) -> dict[str, Any]:
    """As text where they are UTF-8, always in base64."""
    letter = _one(asking(request), number)
    body = bytes(letter.body)
    try:
        text: str | None = body.decode()
    except UnicodeDecodeError:
        text = None
    return _shown(letter) | {"text": text, "base64": base64.b64encode(body).decode()}


@router.post(
    "/{int:number}/replay", auth=Needs(Action.ACT), response={200: ReplayedOut, 409: Detail, **_ERRORS}, summary="Play a letter again"
)
def replay(request: HttpRequest, number: int) -> dict[str, int]:
    """Judge it again, as when its robot is known now or a rule has changed; 409 when it cannot be played."""
    caller = asking(request)
    letter = _one(caller, number)
    robot = Robot.objects.filter(pk=letter.robot_id).first()
    if robot is not None and not caller.superuser and not may(caller, Action.ACT, robot):
        raise Denied(403, f"letter {number}: only {names_of(Action.ACT)} of {letter.robot_id} may play it again")
    try:
        done = services.replay(letter, now=datetime.now(UTC), actor=actor_of(request, caller))
    except services.NotReplayable as error:
        raise Denied(409, str(error)) from error
    return {"stored": done.stored, "dead": done.dead}


def _letters(caller: Caller) -> QuerySet[Any]:
    letters = DeadLetter.objects.annotate(size=Length("body"))
    if caller.kind == "demo":
        return letters
    mine = Q(robot_id__in=list(robots(caller, Action.INSPECT).values_list("robot_id", flat=True)))
    if caller.superuser:
        # Letters without a robot, or of one that never was, are nobody's but the administrator's.
        mine |= ~Q(robot_id__in=list(Robot.objects.values_list("robot_id", flat=True)))
    return letters.filter(mine)


def _one(caller: Caller, number: int) -> Any:
    letter = _letters(caller).filter(pk=number).first() if number <= _MOST_ID else None
    if letter is None:
        raise Denied(404, f"there is no dead letter {number} that you may see")
    return letter


def _shown(letter: Any) -> dict[str, Any]:
    return {
        "id": letter.pk,
        "robot_id": letter.robot_id,
        "stream": letter.stream,
        "first": letter.first,
        "last": letter.last,
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.topic,
        "received_at": letter.received_at,
        "count": letter.count,
        "replayed_at": letter.replayed_at,
        "size": letter.size,
    }
