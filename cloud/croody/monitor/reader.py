"""Asks the database for what the monitor shows. Knows tables; judges and words nothing itself."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from croody.fleet.models import Robot, Site
from croody.liveness import judge
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.monitor.digest import TRAIL_S, Entry, Latest, LedgerRow, Trail, as_metres, delivery, entry
from croody.monitor.words import public
from croody.telemetry.models import Record, Stream, StreamTotal
from croody_contract.topics import PLAIN_STREAMS


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at `now`. `deaf_since`: the cloud itself hears no robot since then, and says nothing new about them."""

    now: datetime
    deaf_since: datetime | None
    entries: tuple[Entry, ...]


def read(robot_ids: Collection[str], now: datetime) -> Picture:
    """The robots as they are: seven queries, however many robots."""
    deaf_since = _deaf_since(now)
    # While the cloud is deaf every robot seems silent: they are judged as of when it last heard.
    signs = signs_of(robot_ids)
    judged_at = deaf_since or now
    robots = Robot.objects.filter(robot_id__in=robot_ids).values_list("robot_id", "kind", "site__slug")
    streams = _streams(robot_ids)
    folded = {row.robot_id: row for row in StreamTotal.objects.filter(robot_id__in=robot_ids)}
    entries = []
    for robot_id, kind, site in sorted(robots, key=lambda robot: natural(robot[0])):
        rows = streams[robot_id]
        ledger = [LedgerRow(row["stream"], row["have"], row["dead"], row["dropped"], row["known_last"]) for row in rows]
        total = folded.get(robot_id)
        if total is not None:
            ledger.append(_folded(total))
        state = public(judge.state(judged_at, signs[robot_id]))
        entries.append(entry(robot_id, site or "", kind, state, _latest(rows), delivery(ledger), signs[robot_id].interval_s))
    return Picture(now, deaf_since, tuple(entries))


def trails(entries: Collection[Entry], now: datetime) -> dict[str, Trail]:
    """Where these robots were during the last `TRAIL_S`."""
    hole_s = {entry.robot_id: entry.hole_s for entry in entries}
    found: dict[str, Trail] = defaultdict(Trail)
    since = now - timedelta(seconds=TRAIL_S)
    rows = Record.objects.filter(robot_id__in=list(hole_s), kind="reading", at__gte=since, at__lte=now + timedelta(seconds=5))
    for robot_id, at, x_m, y_m in rows.order_by("at").values_list("robot_id", "at", "data__x_m", "data__y_m"):
        x, y = as_metres(x_m), as_metres(y_m)
        if x is not None and y is not None:
            found[robot_id].add(at.timestamp(), x, y, hole_s[robot_id])
    return found


def sites(robot_ids: Collection[str]) -> list[Site]:
    """Sites where these robots work, by name."""
    return list(Site.objects.filter(robots__robot_id__in=robot_ids).distinct().order_by("name", "slug"))


def natural(text: str) -> tuple[Any, ...]:
    """Sort key by which robot-2 comes before robot-10."""
    parts: list[tuple[int, int, str]] = []
    digits = word = ""
    for char in text + "\0":
        if char.isascii() and char.isdigit():
            if word:
                parts.append((1, 0, word))
                word = ""
            digits += char
        else:
            if digits:
                parts.append((0, int(digits), digits))
                digits = ""
            word += char.lower()
    parts.append((1, 0, word))
    return tuple(parts)


def _deaf_since(now: datetime) -> datetime | None:
    heard = listening()
    return heard[1] if heard is not None and judge.deaf(now, heard[1]) else None


def _streams(robot_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    columns = ("robot_id", "stream", "have", "dead", "dropped", "known_last", "last_received_at", "latest_at", "latest")
    for row in Stream.objects.filter(robot_id__in=robot_ids, folded_at=None).order_by("place", "pk").values(*columns):
        found[row["robot_id"]].append(row)
    return found


def _latest(rows: list[dict[str, Any]]) -> Latest | None:
    """By place among the agent's streams; readings without a stream compete by their time, as in `telemetry.queries`."""
    known = [row for row in rows if row["latest"] is not None]
    agents = [row for row in known if row["stream"] not in PLAIN_STREAMS]
    candidates = agents[-1:] + [row for row in known if row["stream"] in PLAIN_STREAMS]
    if not candidates:
        return None
    row = max(candidates, key=lambda row: row["latest_at"])
    return Latest(row["latest"], min(row["latest_at"], row["last_received_at"]))


def _folded(total: StreamTotal) -> LedgerRow:
    """Finished streams count as one that is whole but for what was dropped."""
    held, gone = total.stored + total.dead, total.dropped
    have = ((1, held),) if held else ()
    dropped = ((held + 1, held + gone),) if gone else ()
    return LedgerRow("folded", have, (), dropped, held + gone)
