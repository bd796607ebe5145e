"""Labelled windows that a team has already: what was cleared and never contradicted, and what people said of incidents."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from croody.accounts.models import Organisation
from croody.detection.models import DeviceWindow, Incident
from croody.detection.network.ordinary import Ordinary
from croody.detection.site_models.rows import Labelled, vector
from croody.fleet.models import Robot
from croody.telemetry.models import Record
from croody.telemetry.read.sql import sliced

#: The time around an incident whose windows are its own.
AROUND: Final = timedelta(seconds=60)
#: Cleared windows and judged incidents, the newest; and windows of one incident.
MOST_WINDOWS: Final = 20_000
MOST_INCIDENTS: Final = 500
_MOST_OF_ONE: Final = 200
_TOGETHER: Final = 500
_SAID: Final = Incident.Said


def read(team: Organisation, since: datetime) -> list[Labelled]:
    """Of a team's robots since then. Attacks are those of incidents that a person called true."""
    robots = list(Robot.objects.filter(organisation=team, deleted_at=None).values_list("pk", flat=True))
    ordinary = Ordinary()
    windows: list[Labelled] = []
    taken: set[int] = set()
    judged = Incident.objects.filter(concerns__organisation=team, last_at__gte=since).exclude(verdict="")
    for incident in judged.order_by("-pk")[:MOST_INCIDENTS]:
        mine = [robot for robot in incident.robots if robot in set(robots)]
        found = DeviceWindow.objects.filter(
            robot_id__in=mine, device=incident.offender, at__gte=incident.first_at - AROUND, at__lte=incident.last_at + AROUND
        )
        rows = [row for row in found.order_by("-at", "-pk")[:_MOST_OF_ONE] if row.pk not in taken]
        taken |= {row.pk for row in rows}
        attack = incident.verdict == _SAID.TRUE
        # Of an attack, what was cleared around it may be neither.
        rows = [row for row in rows if not attack or row.suspect or row.confirmed]
        family = incident.worst if attack else ""
        windows += _labelled(rows, ordinary, attack=attack, family=family, source="verdicts", group=f"incident {incident.pk}")
    cleared = DeviceWindow.objects.filter(robot_id__in=robots, at__gte=since, sampled=True, confirmed=False).order_by("-at", "-pk")
    rows = [row for row in cleared[:MOST_WINDOWS] if row.pk not in taken]
    windows += _labelled(rows, ordinary, attack=False, family="", source="windows", group="")
    return windows


def _labelled(rows: Sequence[DeviceWindow], ordinary: Ordinary, *, attack: bool, family: str, source: str, group: str) -> list[Labelled]:
    """`group` empty: a day of a robot."""
    made = []
    for some in sliced(rows, _TOGETHER):
        counted = _counters(some)
        for row in some:
            windows = counted.get((row.robot_id, row.stream, row.seq))
            if windows is not None:
                made.append(
                    Labelled(
                        vector=vector(windows, ordinary.of(row.robot_id)),
                        attack=attack,
                        group=group or f"{row.robot_id} {row.at:%Y-%m-%d}",
                        family=family,
                        source=source,
                        rules=row.suspect or bool(row.kinds),
                    )
                )
    return made


def _counters(rows: Sequence[DeviceWindow]) -> dict[tuple[str, str, int], dict[str, dict[str, int]]]:
    """Counters of the windows whose records are still there."""
    robots, streams, seqs = ({getattr(row, name) for row in rows} for name in ("robot_id", "stream", "seq"))
    found = Record.objects.filter(kind="evidence", robot_id__in=robots, stream__in=streams, seq__in=seqs)
    return {(one.robot_id, one.stream, one.seq): one.data.get("windows", {}) for one in found.iterator()}
