"""What rules have to do by the clock: judge robots. Each run is bounded; what is left over comes first in the next."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from croody.alarms import storms
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.fleet.models import Robot
from croody.notices import judge, spec
from croody.notices.grammar import UNKNOWN, Range, Truth
from croody.notices.judge import Held, Turn
from croody.notices.kinds import RULE
from croody.notices.models import Rule, RuleState
from croody.notices.spec import CHANGE, BadRule, Spec
from croody.telemetry.read.newest import Newest, newest_of
from croody.telemetry.read.sql import sliced
from croody.web import decimals
from croody.web.turns import give_way

#: A run ends after so long, in seconds; organisations that had no turn come first in the next one.
RUN_S: Final = 3.0
#: A reading that is older says nothing of how a robot is now.
STALE: Final = timedelta(minutes=5)
#: That a rule was looked at is written down so often.
_MARK: Final = timedelta(minutes=1)
_turns: dict[int, float] = {}
_decoder: Final = msgspec.json.Decoder(dict[str, Any])
SURE: Final = Truth(True, False)
NOT: Final = Truth(False, True)


@dataclass(frozen=True, slots=True)
class Look:
    """What a robot said last."""

    at: datetime
    heard_at: datetime
    values: Mapping[str, Range]


@dataclass(slots=True)
class _Changed:
    """A state as it is to be from now on."""

    held: Held
    anchor_at: datetime | None
    anchor: float | None

    @property
    def is_empty(self) -> bool:
        return self.held.is_quiet and self.anchor_at is None


def judge_rules(now: datetime) -> None:
    """Hold each organisation's robots to its rules, those first that waited longest."""
    begun = time.monotonic()
    teams = list(Rule.objects.filter(enabled=True).order_by("organisation_id").values_list("organisation_id", flat=True).distinct())
    for gone in set(_turns) - set(teams):
        del _turns[gone]
    for team in sorted(teams, key=lambda team: _turns.get(team, 0.0)):
        if time.monotonic() - begun > RUN_S:
            return
        _turns[team] = time.monotonic()
        judge_team(team, now)


def judge_team(team: int, now: datetime) -> None:
    """Hold one organisation's robots to its rules."""
    rules = list(Rule.objects.filter(organisation_id=team, enabled=True).order_by("pk"))
    robots = dict(Robot.objects.filter(organisation_id=team, deleted_at=None).values_list("robot_id", "site_id"))
    states: dict[int, dict[str, RuleState]] = defaultdict(dict)
    for state in RuleState.objects.filter(rule__in=rules):
        states[state.rule_id][state.robot_id] = state
    looks: dict[str, Look] = {}
    for some in sliced(robots):
        looks |= {robot_id: _look(newest) for robot_id, newest in newest_of(some).items()}
    for rule in rules:
        scope = [robot_id for robot_id, site in robots.items() if _is_about(rule, robot_id, site)]
        _forget(rule, states[rule.pk], set(scope), now)
        _judge(rule, scope, looks, states[rule.pk], now)
    _end_those_that_went(rules, now)


def _end_those_that_went(rules: Sequence[Rule], now: datetime) -> None:
    """Whoever deleted a rule or put it out while it was judged finds nothing of it raised afterwards."""
    stand = set(Rule.objects.filter(pk__in=[rule.pk for rule in rules], enabled=True).values_list("pk", flat=True))
    for rule in rules:
        if rule.pk not in stand:
            let_go(rule, now)


def scope_of(rule: Rule) -> QuerySet[Robot]:
    """The robots that a rule is about, by name."""
    found = Robot.objects.filter(organisation_id=rule.organisation_id, deleted_at=None).order_by("robot_id")
    if rule.robot_id:
        return found.filter(pk=rule.robot_id)
    return found.filter(site_id=rule.site_id) if rule.site_id is not None else found


def let_go(rule: Rule, now: datetime) -> None:
    """Forget what it remembers and end its alarms: it is no longer, or no longer the same."""
    RuleState.objects.filter(rule=rule).delete()
    storms.close(Alarm.objects.filter(kind=RULE.code, key=str(rule.pk), resolved_at=None), now)


def conditions(asked: Spec, look: Look, change: float | None, now: datetime) -> tuple[Truth, Truth]:
    """Whether a rule raises, and whether it is over, for a robot that said this last."""
    if asked.silence_s:
        silent = now - look.heard_at > timedelta(seconds=asked.silence_s)
        missing = bool(asked.metrics) and look.values.get(asked.metrics[0]) is None
        return (SURE, NOT) if silent or missing else (NOT, SURE)
    if asked.raises is None or asked.clears is None or now - look.heard_at > STALE:
        return UNKNOWN, UNKNOWN
    values = {**look.values, CHANGE: None if change is None else (change, change)}
    return asked.raises.holds(values), asked.clears.holds(values)


def _judge(rule: Rule, scope: Sequence[str], looks: Mapping[str, Look], states: Mapping[str, RuleState], now: datetime) -> None:
    try:
        asked = spec.read(rule.kind, rule.params)
    except BadRule:
        # Written by another version: its page says so, and it is judged again once it is saved.
        return
    known = 0
    for robot_id in scope:
        look = looks.get(robot_id)
        if look is None:
            continue
        state = states.get(robot_id)
        held = Held(state.since, state.firing) if state is not None else Held()
        change, anchor_at, anchor = _change(asked, look, state)
        raises, clears = conditions(asked, look, change, now)
        known += raises != UNKNOWN
        after, turned = judge.turn(held, raises, clears, now, _for_s(rule, asked, look, now))
        begun = time.monotonic()
        if turned is Turn.RAISES:
            raise_alarm(robot_id, RULE, str(rule.pk), rule.severity, detail_of(rule, asked, look, change), now)
        elif turned is Turn.ENDS:
            resolve_alarm(robot_id, RULE.code, str(rule.pk), now)
        if _write(rule, robot_id, state, _Changed(after, anchor_at, anchor)):
            give_way("default", time.monotonic() - begun)
    if rule.judged_at is None or rule.judged_at <= now - _MARK or rule.judged != known:
        Rule.objects.filter(pk=rule.pk).update(judged_at=now, judged=known)


def detail_of(rule: Rule, asked: Spec, look: Look, change: float | None) -> dict[str, Any]:
    """What the alarm's sentence is made of."""
    values = {name: known[0] for name in asked.metrics if (known := look.values.get(name)) is not None}
    found: dict[str, Any] = {"rule": rule.name, "number": rule.pk, "metrics": list(asked.metrics), "values": values}
    if asked.silence_s:
        return found | {"values": {}, "silence_s": asked.silence_s}
    if change is not None:
        found["change"] = change
    elif rule.kind == Rule.Kind.THRESHOLD:
        found["limit"] = decimals.stored(rule.params["limit"])
    return found


def _for_s(rule: Rule, asked: Spec, look: Look, now: datetime) -> float:
    """A metric that is missing in what still comes is missing for as long as silence would have to last."""
    if not asked.silence_s:
        return rule.for_s
    return rule.for_s if now - look.heard_at > timedelta(seconds=asked.silence_s) else rule.for_s + asked.silence_s


def _change(asked: Spec, look: Look, state: RuleState | None) -> tuple[float | None, datetime | None, float | None]:
    """The change a minute since the anchor, once it is far enough back, and where to measure from next."""
    if not asked.window_s:
        return None, None, None
    known = look.values.get(asked.metrics[0])
    before_at, before = (state.anchor_at, state.anchor) if state is not None else (None, None)
    if known is None:
        return None, before_at, before
    if before_at is None or before is None or look.at < before_at:
        return None, look.at, known[0]
    passed = (look.at - before_at).total_seconds()
    if passed < asked.window_s:
        return None, before_at, before
    # After a hole the change says nothing of a window.
    return ((known[0] - before) / passed * 60 if passed < 3 * asked.window_s else None), look.at, known[0]


def _write(rule: Rule, robot_id: str, state: RuleState | None, changed: _Changed) -> bool:
    held, anchor_at, anchor = changed.held, changed.anchor_at, changed.anchor
    if state is None:
        if changed.is_empty:
            return False
        RuleState.objects.create(rule=rule, robot_id=robot_id, since=held.since, firing=held.firing, anchor_at=anchor_at, anchor=anchor)
        return True
    if changed.is_empty:
        RuleState.objects.filter(pk=state.pk).delete()
        return True
    if (state.since, state.firing, state.anchor_at, state.anchor) == (held.since, held.firing, anchor_at, anchor):
        return False
    RuleState.objects.filter(pk=state.pk).update(since=held.since, firing=held.firing, anchor_at=anchor_at, anchor=anchor)
    return True


def _forget(rule: Rule, states: dict[str, RuleState], scope: set[str], now: datetime) -> None:
    """Robots that are gone or elsewhere."""
    for robot_id in [one for one in states if one not in scope]:
        RuleState.objects.filter(pk=states.pop(robot_id).pk).delete()
        resolve_alarm(robot_id, RULE.code, str(rule.pk), now)


def _is_about(rule: Rule, robot_id: str, site: int | None) -> bool:
    if rule.robot_id:
        return rule.robot_id == robot_id
    return rule.site_id is None or rule.site_id == site


def _look(newest: Newest) -> Look:
    data = _decoder.decode(newest.row).get("data")
    values: dict[str, Range] = {}
    for name, value in (data if isinstance(data, dict) else {}).items():
        if isinstance(value, int | float) and abs(value) < 1e150:
            values[name] = (float(value), float(value))
    return Look(newest.at, newest.heard_at, values)
