"""All rules of an agent: which turn they take with each reading, and which of that the cloud is told. Remembers across starts.

Bounded by the rules there are: a metric that flickers for weeks costs a rule a few events a day, and the next one says how many it was.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Value
from croody_edge import identity
from croody_edge.local.rules.config import MOST_RULES, code_of
from croody_edge.local.rules.judge import Judge, Turn
from croody_edge.local.rules.rule import Rule

log = logging.getLogger("croody.rules")

#: In the agent's folder.
FILE: Final = "rules.state.json"
_MOST_BYTES: Final = 64 * 1024
#: Beginnings of one rule that the cloud is told at once, and one more every so many seconds: events are never thinned in the outbox.
_TOLD_AT_ONCE: Final = 20.0
_TOLD_EVERY_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Act:
    """A rule began or ended. `value`: of the metric; of an absence, seconds since it was there. `event`: for the cloud, if it is told."""

    name: str
    rule: Rule
    turn: Turn
    value: Value
    at_s: float
    event: Event | None


class Memory(Struct, omit_defaults=True):
    """What is remembered of a rule. Times are unix seconds."""

    code: str = ""
    holds: bool = False
    #: Whether the cloud was told that it began.
    told: bool = False
    begun_s: float = 0.0
    ended_s: float = 0.0
    times: int = 0


class Rules:
    """Not safe for two threads at once."""

    def __init__(self, rules: Mapping[str, Rule], folder: Path | None, mono_s: float) -> None:
        """Args: `folder` is where it remembers; None for nowhere. Metrics may be absent from `mono_s` on."""
        self._folder = folder
        self.rules = rules
        self.memory: dict[str, Memory] = _read(folder / FILE) if folder is not None else {}
        self._judges = {name: Judge(rule, mono_s, holds=self.memory.get(name, Memory()).holds) for name, rule in rules.items()}
        self._of_metric: defaultdict[str, list[str]] = defaultdict(list)
        for name, rule in rules.items():
            self._of_metric[rule.metric].append(name)
            self.memory.setdefault(name, Memory()).code = code_of(name, rule)
        self._absences = [name for name, rule in rules.items() if rule.absent_s is not None]
        self._budgets = {name: _Budget(mono_s) for name in rules}
        #: Rules that hold though the cloud was not told that they began, with the value.
        self._untold: dict[str, Value] = {}
        #: Rules that hold -> the value that last found it so, and when the cloud was last told, by the clock that never jumps.
        self._found: dict[str, Value] = {}
        self._told_s: dict[str, float] = {}
        self._changed = False

    def forgotten(self, now: float) -> list[Event]:
        """Ends of what held when the agent stopped, and is no rule any more: its alarm would stay."""
        gone = {name: told for name, told in self.memory.items() if name not in self.rules}
        for name in gone:
            del self.memory[name]
        self._changed |= bool(gone)
        moment = datetime.fromtimestamp(now, UTC)
        return [Event(code=told.code, ts=moment, over=True) for told in gone.values() if told.told and told.code]

    def saw(self, values: Mapping[str, Value], now: float, mono_s: float) -> list[Act]:
        """What one reading is reason for.

        Args:
            values: metric -> value.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        acts: list[Act] = []
        for metric in self._of_metric.keys() & values.keys():
            for name in self._of_metric[metric]:
                turn = self._judges[name].saw(values[metric], mono_s)
                if turn is not None:
                    acts.append(self._act(name, turn, values[metric], now, mono_s))
                if self._judges[name].holds and not isinstance(values[metric], str):
                    self._found[name] = values[metric]
        return acts

    def passed(self, now: float, mono_s: float) -> list[Act]:
        """What the time is reason for that has passed."""
        acts: list[Act] = []
        for name in self._absences:
            judge = self._judges[name]
            if judge.passed(mono_s) is not None:
                acts.append(self._act(name, "begin", round(mono_s - judge.seen_s), now, mono_s))
        return acts

    def late(self, now: float, mono_s: float) -> list[Event]:
        """Beginnings that the cloud is told now, because they were too many before and what began still holds."""
        found: list[Event] = []
        for name in [name for name in self._untold if self._budgets[name].left(mono_s) >= 1]:
            untold = self._budgets[name].spend(mono_s) or 0
            self.memory[name].told, self._told_s[name] = True, mono_s
            found.append(_event(name, self.rules[name], "begin", self._untold.pop(name), now, max(0, untold - 1)))
        self._changed |= bool(found)
        return found

    def again(self, now: float, mono_s: float) -> list[Event]:
        """What the cloud was told and still holds, every `SAID_AGAIN_S`: its alarm ends for want of news. Of what held at the start, first
        when it is found so again.
        """
        found: list[Event] = []
        for name, judge in self._judges.items():
            told = judge.holds and judge.rule.event and self.memory[name].told
            if not told or mono_s - self._told_s.get(name, float("-inf")) < SAID_AGAIN_S:
                continue
            value = self._found.get(name)
            if judge.rule.absent_s is not None:
                gone_s = mono_s - judge.seen_s
                value = round(gone_s) if gone_s >= judge.rule.absent_s else None
            if value is not None:
                self._told_s[name] = mono_s
                found.append(_event(name, judge.rule, "begin", value, now, 0))
        return found

    def save(self) -> None:
        """Remember for the next start. To be called when all that the cloud is told is in the outbox: what is said to be told is."""
        if self._changed and self._folder is not None:
            # A disk that says no costs what is remembered at the next start, and no act now.
            with suppress(OSError):
                identity.replace(self._folder / FILE, msgspec.json.encode(self.memory))
        self._changed = False

    def _act(self, name: str, turn: Turn, value: Value, now: float, mono_s: float) -> Act:
        rule, memory = self.rules[name], self.memory[name]
        self._changed = True
        if turn == "begin":
            left_untold = self._budgets[name].spend(mono_s) if rule.event else None
            memory.holds, memory.begun_s, memory.times = True, now, memory.times + 1
            told = memory.told = left_untold is not None
            if rule.event and not told:
                self._untold[name] = value
            self._told_s[name] = mono_s
        else:
            left_untold = None
            self._untold.pop(name, None)
            self._found.pop(name, None)
            told, memory.holds, memory.ended_s, memory.told = memory.told, False, now, False
        event = _event(name, rule, turn, value, now, left_untold or 0) if told else None
        return Act(name, rule, turn, value, now, event)


class _Budget:
    """How often the cloud is told of one rule."""

    def __init__(self, mono_s: float) -> None:
        self._left, self._at_s, self._untold = _TOLD_AT_ONCE, mono_s, 0

    def spend(self, mono_s: float) -> int | None:
        """How many were not told before this one, which is; None when it is not either."""
        if self.left(mono_s) < 1:
            self._untold += 1
            return None
        self._left -= 1
        untold, self._untold = self._untold, 0
        return untold

    def left(self, mono_s: float) -> float:
        """How many may be told now."""
        self._left = min(_TOLD_AT_ONCE, self._left + max(0.0, mono_s - self._at_s) / _TOLD_EVERY_S)
        self._at_s = mono_s
        return self._left


def _event(name: str, rule: Rule, turn: Turn, value: Value, now: float, untold: int) -> Event:
    detail: dict[str, Value] = {rule.metric: value} if rule.absent_s is None else {"metric": rule.metric, "absent_s": value}
    detail |= {"limit": rule.limit, "rule": name}
    if untold:
        detail["not_told"] = untold
    return Event(code=code_of(name, rule), ts=datetime.fromtimestamp(now, UTC), severity=rule.severity, detail=detail, over=turn == "over")


def _read(path: Path) -> dict[str, Memory]:
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(_MOST_BYTES), type=dict[str, Memory])
        return dict(list(found.items())[:MOST_RULES])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        log.warning("%s: %s", path, error)
        return {}
