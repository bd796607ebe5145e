"""What a rule would have done: its judgement over the past 30 days, from roll-ups, before anybody saves it.

Hours say where a condition can have held at all; only those hours are looked at minute by minute. Of a minute the least and the greatest
value count, as long as the rule asks for no duration; else its mean, so that a spike does not last a minute.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connections

from croody.notices import judge
from croody.notices.grammar import Truth, Values
from croody.notices.judge import Held, Turn
from croody.notices.spec import CHANGE, Spec
from croody.telemetry.read.sql import ask, listed, on_postgres

#: How far back, robots that are looked at, hours that are looked at minute by minute, moments that are named.
BACK: Final = timedelta(days=30)
ROBOTS: Final = 40
HOURS: Final = 3000
MOMENTS: Final = 50
_HOUR_S: Final = 3600
_EPOCH_SQL: Final = ("extract(epoch FROM at)::bigint", "CAST(strftime('%%s', at) AS integer)")
_ROLLED: Final = """
SELECT robot_id, metric, {epoch}, low, high, mean FROM telemetry_rollup
WHERE step_s = %s AND metric {metrics} AND robot_id {robots} AND at >= %s AND at < %s ORDER BY at LIMIT %s
"""
_HOLES: Final = """
SELECT before, after FROM (
    SELECT {epoch} AS before, lead({epoch}) OVER (ORDER BY at) AS after FROM telemetry_rollup
    WHERE step_s = 60 AND metric = %s AND robot_id = %s AND at >= %s AND at < %s
) AS pairs WHERE after - before > %s ORDER BY before LIMIT %s
"""
_MOST_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Moment:
    """When it would have raised an alarm, and when that would have ended; None: not yet."""

    robot_id: str
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`moments`: the newest ones, at most `MOMENTS` of `count`. `robots` of `of` were looked at; `whole`: all that there was to look at."""

    since: datetime
    moments: Sequence[Moment]
    count: int
    robots: int
    of: int
    whole: bool


def preview(asked: Spec, for_s: int, robots: Sequence[str], now: datetime) -> Preview:
    """The past of these robots under this rule; the first `ROBOTS` of them."""
    since = now - BACK
    some = list(robots[:ROBOTS])
    if asked.silence_s:
        found, whole = _silences(asked, for_s, some, since, now), True
    else:
        found, whole = _conditions(asked, for_s, some, since, now)
    found.sort(key=lambda moment: moment.begins, reverse=True)
    return Preview(since, found[:MOMENTS], len(found), len(some), len(robots), whole and len(some) == len(robots))


def _silences(asked: Spec, for_s: int, robots: Sequence[str], since: datetime, now: datetime) -> list[Moment]:
    least = asked.silence_s + for_s
    found = []
    for robot_id in robots:
        metric = asked.metrics[0] if asked.metrics else _any_metric(robot_id, since, now)
        if metric is None:
            continue
        parameters = [metric, robot_id, _moment(since), _moment(now), least + 60, HOURS]
        for before, after in ask(_HOLES.format(epoch=_epoch()), parameters):
            found.append(Moment(robot_id, _at(before + 60 + least), _at(after)))
    return found


def _conditions(asked: Spec, for_s: int, robots: Sequence[str], since: datetime, now: datetime) -> tuple[list[Moment], bool]:
    hours = _candidates(asked, robots, since, now)
    whole = sum(map(len, hours.values())) <= HOURS
    left, found = HOURS, []
    for robot_id, starts in hours.items():
        # The newest first, when there are too many.
        some = sorted(starts)[-left:] if left else []
        left -= len(some)
        for first, last in _spans(some):
            found += _judge(asked, for_s, robot_id, first, last)
    return found, whole


def _candidates(asked: Spec, robots: Sequence[str], since: datetime, now: datetime) -> dict[str, list[int]]:
    """Robot -> hours (unix seconds) in which the condition can have held, and the one after each, in which it ends."""
    by_hour: dict[str, dict[int, dict[str, tuple[float, float]]]] = defaultdict(lambda: defaultdict(dict))
    for robot_id, metric, at, low, high, _mean in _rolled(asked.metrics, robots, since, now, _HOUR_S):
        by_hour[robot_id][at][metric] = (low, high)
    found: dict[str, list[int]] = {}
    for robot_id, hours in by_hour.items():
        can = {at for at, values in hours.items() if asked.raises is not None and asked.raises.holds(values).true and values}
        found[robot_id] = sorted(can | {at + _HOUR_S for at in can})
    return found


def _judge(asked: Spec, for_s: int, robot_id: str, first: int, last: int) -> list[Moment]:
    """Minute by minute from `first` to `last`."""
    by_minute: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    means: dict[int, dict[str, float]] = defaultdict(dict)
    for _robot, metric, at, low, high, mean in _rolled(asked.metrics, [robot_id], _at(first), _at(last), 60):
        by_minute[at][metric] = (low, high)
        means[at][metric] = mean
    held, begins, found = Held(), None, []
    for at, raises, clears in _truths(asked, for_s, by_minute, means):
        held, turned = judge.turn(held, raises, clears, _at(at), for_s)
        if turned is Turn.RAISES:
            begins = _at(at)
        elif turned is Turn.ENDS and begins is not None:
            found.append(Moment(robot_id, begins, _at(at)))
            begins = None
    return [*found, Moment(robot_id, begins, None)] if begins is not None else found


def _truths(
    asked: Spec, for_s: int, ranges: Mapping[int, Mapping[str, tuple[float, float]]], means: Mapping[int, Mapping[str, float]]
) -> Iterator[tuple[int, Truth, Truth]]:
    if asked.raises is None or asked.clears is None:
        return
    for at in sorted(ranges):
        points: dict[str, Any] = {name: (mean, mean) for name, mean in means[at].items()}
        if asked.window_s:
            before = means.get(at - asked.window_s // 60 * 60, {}).get(asked.metrics[0])
            mean = means[at].get(asked.metrics[0])
            change = None if before is None or mean is None else (mean - before) / (asked.window_s // 60)
            points[CHANGE] = None if change is None else (change, change)
        values: Values = points
        raises = asked.raises.holds(values)
        if not asked.window_s and for_s < 60 and _known(asked, ranges[at]):
            raises = Truth(True, False) if asked.raises.holds(ranges[at]).true else raises
        yield at, raises, asked.clears.holds(values)


def _known(asked: Spec, values: Mapping[str, Any]) -> bool:
    """Whether a minute's least and greatest say something. Of an area they do not: they are no position."""
    return "x_m" not in asked.metrics and all(values.get(name) is not None for name in asked.metrics)


def _spans(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Hours that follow each other, as one."""
    begin = before = None
    for hour in hours:
        if begin is not None and before is not None and hour != before + _HOUR_S:
            yield begin, before + _HOUR_S
            begin = None
        begin = hour if begin is None else begin
        before = hour
    if begin is not None and before is not None:
        yield begin, before + _HOUR_S


def _rolled(metrics: Sequence[str], robots: Sequence[str], start: datetime, end: datetime, step: int) -> list[tuple[Any, ...]]:
    within = "= ANY(%s)" if on_postgres() else "IN (SELECT value FROM json_each(%s))"
    statement = _ROLLED.format(epoch=_epoch(), metrics=within, robots=within)
    return ask(statement, [step, listed(list(metrics)), listed(list(robots)), _moment(start), _moment(end), _MOST_ROWS])


def _any_metric(robot_id: str, since: datetime, now: datetime) -> str | None:
    """One that the robot sends, whichever."""
    statement = (
        "SELECT metric FROM telemetry_rollup WHERE robot_id = %s AND step_s = 3600 AND at >= %s AND at < %s ORDER BY at DESC LIMIT 1"
    )
    rows = ask(statement, [robot_id, _moment(since), _moment(now)])
    return str(rows[0][0]) if rows else None


def _epoch() -> str:
    return _EPOCH_SQL[0] if on_postgres() else _EPOCH_SQL[1]


def _moment(at: datetime) -> Any:
    return connections[settings.TELEMETRY_DB].ops.adapt_datetimefield_value(at.astimezone(UTC))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
