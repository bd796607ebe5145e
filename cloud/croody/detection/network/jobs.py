"""What runs by the clock for networks: each record `evidence` is judged again, once, and what is suspected is an incident.

Reads committed records behind a cursor.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from croody.alarms.quota import QUOTA
from croody.alarms.services import raise_alarm
from croody.detection.incidents import fusion, rules
from croody.detection.incidents.evidence import Finding, Piece
from croody.detection.incidents.rules import MOST_NAMES, Who
from croody.detection.models import DeviceWindow, Incident
from croody.detection.network.judge import beyond, pieces
from croody.detection.network.ordinary import Ordinary
from croody.detection.site_models.opinions import Opinion, Opinions
from croody.fleet.models import Robot
from croody.telemetry.models import Cursor, Record
from croody.telemetry.read.follow import Follower, of_kind_since
from croody.telemetry.read.sql import sliced
from croody_contract.flows.limits import Maxima

_NAME: Final = "judge_networks"
_PAGE: Final = 5_000
_TOGETHER: Final = 100
#: A run ends after so many pages; the next one goes on.
_MOST_PAGES: Final = 10
#: Incidents that one robot's network can make or change in one turn.
_MOST_TOLD: Final = 20
#: Incidents that one robot's network can make in a day, as far as this process knows; beyond, it is over its quota.
MOST_A_DAY: Final = 500
#: Robot -> the day, and how many it made.
_made: Final[dict[str, tuple[date, int]]] = {}
#: An incident of the same address so close says that the window was one, too.
_NEAR: Final = timedelta(minutes=2)


def judge_networks(now: datetime) -> None:
    """Judge what came. May be stopped anywhere: a window that was judged is not judged again."""
    row = Cursor.objects.filter(pk=_NAME).first()
    follower = Follower.from_json(row.value if row is not None else {})
    for _ in range(_MOST_PAGES):
        evidence, after, more = of_kind_since(follower, "evidence", now=now, limit=_PAGE)
        for some in sliced(evidence, _TOGETHER):
            _judge(list(Record.objects.filter(pk__in=some).order_by("pk")), now)
        if after != follower:
            follower = after
            Cursor.objects.update_or_create(pk=_NAME, defaults={"value": follower.to_json()})
        if not more:
            break


def _judge(records: list[Record], now: datetime) -> None:
    teams: dict[str, int | None] = dict(
        Robot.objects.filter(pk__in={record.robot_id for record in records}).values_list("pk", "organisation_id")
    )
    ordinary, opinions = Ordinary(), Opinions(teams.values())
    said = {
        record.pk: opinions.of(teams.get(record.robot_id), record.data.get("windows", {}), ordinary.of(record.robot_id))
        for record in records
    }
    made = [_window(record, ordinary.of(record.robot_id), said[record.pk], now) for record in records]
    with transaction.atomic():
        DeviceWindow.objects.bulk_create(made, ignore_conflicts=True)
    _tell(records, said, ordinary, teams, now)


def _tell(records: list[Record], said: dict[int, Opinion | None], ordinary: Ordinary, teams: dict[str, int | None], now: datetime) -> None:
    """What an agent suspects, or a promoted model."""
    told: Counter[str] = Counter()
    alone = fusion.only_team()
    for record in records:
        opinion = said[record.pk]
        found: tuple[Piece, ...] = () if opinion is None or opinion.piece is None else (opinion.piece,)
        if record.data.get("suspect"):
            found = (*pieces(record.data.get("windows", {}), record.data.get("kinds", []), ordinary.of(record.robot_id)), *found)
        elif not found:
            continue
        told[record.robot_id] += 1
        if not found or told[record.robot_id] > _MOST_TOLD or _has_made_too_many(record.robot_id, now):
            continue
        # Addresses of one team's networks mean nothing in another's.
        place = "" if alone is not None else f"team:{teams.get(record.robot_id) or 0}"
        beside, at = record.data.get("beside", []), min(record.at, now)
        new = fusion.take(
            Finding(
                who=Who("address", str(record.data["device"])[:64]),
                pieces=found,
                first_at=at,
                last_at=at,
                robots=(record.robot_id,),
                beside=tuple(str(one)[:64] for one in beside[:MOST_NAMES]),
                place=place,
            ),
            now,
        )
        if new:
            day, count = _made.get(record.robot_id, (now.date(), 0))
            _made[record.robot_id] = (now.date(), count + 1 if day == now.date() else 1)


def _has_made_too_many(robot_id: str, now: datetime) -> bool:
    """What it says from now on today is judged and kept, and makes no incident; somebody is told why."""
    day, count = _made.get(robot_id, (now.date(), 0))
    if day != now.date() or count < MOST_A_DAY:
        return False
    raise_alarm(robot_id, QUOTA, "", QUOTA.severity, {"incidents": count}, now)
    return True


def _window(record: Record, maxima: Maxima | None, opinion: Opinion | None, now: datetime) -> DeviceWindow:
    data: dict[str, Any] = record.data
    device = str(data["device"])
    kinds = beyond(data.get("windows", {}), maxima)
    near = Incident.objects.filter(offender=device, first_at__lte=record.at + _NEAR, last_at__gte=record.at - _NEAR)
    return DeviceWindow(
        robot_id=record.robot_id,
        stream=record.stream,
        seq=record.seq,
        at=record.at,
        judged_at=now,
        screen=str(data["screen"]),
        device=device,
        suspect=bool(data["suspect"]),
        sampled=bool(data.get("sampled", False)),
        kinds=kinds,
        # Only what the broker or the APIs say is another opinion than the agent's own.
        confirmed=bool(kinds) or any(rules.BY_CODE.keys() & evidence.keys() for evidence in near.values_list("evidence", flat=True)[:10]),
        cleared=int(data.get("cleared", 0)),
        suspected=int(data.get("suspected", 0)),
        model=None if opinion is None else opinion.model,
        score=None if opinion is None else opinion.score,
    )
