"""What an agent does on its board by itself: rules are judged, what they ask for is done, and what happened is remembered for a while.

`saw` may be called from any thread; it and `take` cost no more than the comparison of some numbers.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from croody_contract.messages import Event, Reading, Record
from croody_contract.printable import printable
from croody_edge.local.acts.command import Command
from croody_edge.local.acts.webhook import Webhook
from croody_edge.local.acts.worker import Worker
from croody_edge.local.rules import config
from croody_edge.local.rules.keeper import Act, Rules
from croody_edge.settings import Settings
from croody_edge.texts import text

log = logging.getLogger("croody.rules")

#: Events that are remembered, and for so long, seconds.
MOST_EVENTS: Final = 200
EVENTS_S: Final = 86400.0


def life_of(settings: Settings, monotonic: Callable[[], float]) -> "Life":
    """With the rules of an agent's folder; what is wrong with them is logged."""
    file = settings.rules_file or settings.edge_dir / config.FILE
    written = config.read(file, hooks=settings.local_hooks)
    for problem in written.problems:
        log.error("%s", printable(text("rules.left", why=problem)))
    rules = Rules(written.rules, settings.edge_dir, monotonic())
    return Life(settings.robot_id, rules, file, written.problems, hooks=settings.local_hooks)


class Life:
    """Of one agent."""

    def __init__(self, robot_id: str, rules: Rules, file: Path, problems: Sequence[str] = (), *, hooks: bool = False) -> None:
        """Nothing begins before the first act.

        Args:
            robot_id: whose it is.
            rules: of this robot.
            file: where they are written.
            problems: why others of that file are left out.
            hooks: whether programs may be started.
        """
        self.rules, self.problems = rules, tuple(problems)
        self._hooks = hooks
        self._guard = Lock()
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._outcomes: dict[tuple[str, str], str] = {}
        self._webhook = Worker("webhook", Webhook(robot_id), lambda act, why: self._done("webhook", act, why))
        self._command = Worker("command", Command(robot_id, file), lambda act, why: self._done("command", act, why))
        #: Who else on the board hears of readings; must return at once.
        self.also: list[Callable[[Reading], None]] = []
        self._for_the_cloud: list[Event] = []
        self._first = True

    def saw(self, records: Sequence[Record], now: float, mono_s: float) -> None:
        """Records of this robot, before anybody else has them: a full disk keeps no rule from acting.

        Args:
            records: of any kind.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        with self._guard:
            for record in records:
                if isinstance(record, Reading):
                    for hears in self.also:
                        hears(record)
                    self._acted(self.rules.saw(record.data, now, mono_s))
                elif isinstance(record, Event):
                    self._events.append(record)

    def take(self, now: float, mono_s: float) -> list[Event]:
        """What the cloud is to be told since it was last asked; also what follows from time alone."""
        with self._guard:
            if self._first:
                self._first = False
                self._for_the_cloud += self.rules.forgotten(now)
            self._acted(self.rules.passed(now, mono_s))
            self._for_the_cloud += self.rules.late(now, mono_s)
            self._for_the_cloud += self.rules.again(now, mono_s)
            found, self._for_the_cloud = self._for_the_cloud, []
            return found

    def kept(self) -> None:
        """All that was taken is in the outbox."""
        with self._guard:
            if not self._for_the_cloud:
                self.rules.save()

    def events(self, now: float) -> list[Event]:
        """Of the last day since the start, newest first."""
        with self._guard:
            return [event for event in reversed(self._events) if event.ts is None or now - event.ts.timestamp() < EVENTS_S]

    def holds(self) -> dict[str, bool]:
        """Whether each rule does."""
        with self._guard:
            return {name: self.rules.memory[name].holds for name in self.rules.rules}

    def outcomes(self, name: str) -> dict[str, str]:
        """What became last of a rule's webhook and program, by these words: empty where it was done, otherwise why not."""
        with self._guard:
            return {sort: why for (sort, rule), why in list(self._outcomes.items()) if rule == name}

    def close(self) -> None:
        """Act no more."""
        self._webhook.close()
        self._command.close()

    def _acted(self, acts: Sequence[Act]) -> None:
        for act in acts:
            key = "rules.began" if act.turn == "begin" else "rules.ended"
            log.info("%s", printable(text(key, name=act.name, metric=act.rule.metric, value=act.value, limit=act.rule.limit)))
            if act.event is not None:
                self._for_the_cloud.append(act.event)
            if act.rule.webhook:
                self._webhook.give(act)
            if act.rule.command and self._hooks:
                self._command.give(act)

    def _done(self, sort: str, act: Act, why: str) -> None:
        # From `give` the guard is held already by the very thread; from a worker's own thread it is not. A dict takes either.
        self._outcomes[sort, act.name] = why
