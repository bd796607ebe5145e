"""Asks for what the page shows: incidents, open anomalies, verdicts, what screening misses, what people said, models. Words nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Max, Q

from croody.accounts.caller import Caller
from croody.alarms import queries as alarms
from croody.alarms.models import Alarm
from croody.console.detection.selection import ALL, PAGE, RESULTS, Selection
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.incidents.network_words import NETWORK
from croody.detection.kinds import ANOMALY
from croody.detection.models import Verdict
from croody.detection.nslkdd.model import SHIPPED
from croody.detection.sensor_words import SENSORS
from croody.detection.windows import queries
from croody.detection.windows.queries import Missed, Tally
from croody.fleet import access
from croody.fleet.access import Action

OVER: Final = timedelta(hours=24)
LABELLED_OVER: Final = timedelta(days=30)
#: Open anomalies and edge models that the page has room for.
MOST_OPEN: Final = 50
MOST_MODELS: Final = 20
#: What is an anomaly of a robot's own sensors: windows that pile up, or what its agent noticed about one of them.
_ANOMALIES: Final = (ANOMALY.code, *(kind.code for kind in SENSORS))


@dataclass(frozen=True, slots=True)
class EdgeModel:
    """A model on board of some robots: how many of them, and how many windows the cloud judged of it in `OVER`."""

    name: str
    robots: int
    windows: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CloudModel:
    """The card of the model for network connections; `why` says what is wrong with it. `metrics` is as training wrote it."""

    name: str = ""
    version: str = ""
    trained_on: str = ""
    metrics: Mapping[str, Any] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything of the page. `more`: there is another page of verdicts."""

    incidents: tuple[Alarm, ...]
    anomalies: tuple[Alarm, ...]
    tally: Tally
    missed: Missed
    people: Missed
    verdicts: tuple[Verdict, ...]
    more: bool
    may_label: frozenset[str]
    models: tuple[EdgeModel, ...]
    cloud: CloudModel


def read(caller: Caller, asked: Selection, now: datetime) -> Found:
    """What this person may see of it."""
    robots = access.robots(caller, Action.ASSESS)
    mine = robots.values("pk")
    rows = Verdict.objects.filter(robot_id__in=mine)
    recent = rows.filter(at__gte=now - OVER)
    if asked.robot:
        rows = rows.filter(robot_id=asked.robot)
    if not asked.result:
        rows = rows.filter(Q(suspect=True) | Q(confirmed=True))
    elif asked.result != ALL:
        suspect, confirmed = RESULTS[asked.result]
        rows = rows.filter(suspect=suspect, confirmed=confirmed)
    start = (asked.page - 1) * PAGE
    page = list(rows.order_by("-at", "-id")[start : start + PAGE + 1])
    shown = {verdict.robot_id for verdict in page}
    models = recent.values("edge_model").annotate(robots=Count("robot_id", distinct=True), windows=Count("pk"), at=Max("at"))
    return Found(
        incidents=tuple(alarms.still_open(alarms.visible_to(caller)).filter(kind__in=(INTRUSION.code, NETWORK.code))[:MOST_OPEN]),
        anomalies=tuple(
            Alarm.objects.filter(kind__in=_ANOMALIES, resolved_at=None, robot_id__in=mine).order_by("opened_at", "pk")[:MOST_OPEN]
        ),
        tally=queries.tally(robots, now - OVER),
        missed=queries.missed(robots, None, now - queries.MISSED_OVER),
        people=queries.judged_by_people(robots, now - LABELLED_OVER),
        verdicts=tuple(page[:PAGE]),
        more=len(page) > PAGE,
        may_label=frozenset(access.robots(caller, Action.ACT).filter(pk__in=shown).values_list("pk", flat=True)),
        models=tuple(
            EdgeModel(row["edge_model"], row["robots"], row["windows"], row["at"]) for row in models.order_by("-windows")[:MOST_MODELS]
        ),
        cloud=cloud_model(),
    )


def cloud_model() -> CloudModel:
    """The card that lies beside the model. The model itself is loaded by the role that asks it."""
    folder = Path(settings.ENV.model_path) if settings.ENV.model_path else SHIPPED
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        metrics = card["metrics"]["shipped"]
        return CloudModel(str(card["name"]), str(card["version"]), str(card["data"]["train"]), metrics)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return CloudModel(why=f"{folder / 'card.json'}: {error}")
