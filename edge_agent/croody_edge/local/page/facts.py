"""Everything that the page says, gathered: a moment of the agent, its rules and its events. Pure; also what `/status.json` is."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from croody_contract.messages import Event, MetricInfo, Value
from croody_edge.local.life import Life
from croody_edge.local.page.outlook import Outlook
from croody_edge.local.rules.config import code_of
from croody_edge.local.state import SourceState, State
from croody_edge.local.units import unit_of


class Waiting(Struct, frozen=True):
    """What lies in the outbox. Rates are records a second; None: nobody can say yet."""

    records: int
    oldest_age_s: float | None
    new_per_s: float | None
    sent_per_s: float | None
    empty_in_s: float | None


class Measured(Struct, frozen=True):
    """The newest value of a metric. `label`: Spanish, English; empty where nobody described it."""

    name: str
    value: Value
    unit: str
    label: tuple[str, str]
    age_s: float
    decimals: int | None = None


class Told(Struct, frozen=True):
    """An event of the last day. Age in seconds."""

    code: str
    severity: str
    age_s: float
    over: bool
    detail: dict[str, Value]


class RuleState(Struct, frozen=True):
    """A rule, and what became of it last. Ages in seconds; None: never. `outcomes`: empty words where it was done."""

    name: str
    code: str
    metric: str
    sort: str
    limit: float
    holds: bool
    begun_age_s: float | None
    ended_age_s: float | None
    times: int
    outcomes: dict[str, str]


class Checked(Struct, frozen=True):
    """A line of the doctor's."""

    check: str
    state: str
    said: str


class Facts(Struct, frozen=True):
    """A moment of the board. Ages and durations are seconds."""

    robot_id: str
    agent: str
    up_s: float
    connected: bool
    trouble: str
    away_s: float | None
    proven_age_s: float | None
    waiting: Waiting
    #: The backlog of an outage goes up so fast, records a second.
    drain_per_s: float
    sources: list[SourceState]
    values: list[Measured]
    events: list[Told]
    rules: list[RuleState]
    rule_problems: list[str]
    doctor: list[Checked]
    doctor_age_s: float | None


def gather(
    state: State,
    life: Life,
    infos: Mapping[str, MetricInfo],
    outlook: Outlook,
    away_since_s: float | None,
    doctor: tuple[Sequence[Checked], float] | None,
    drain_per_s: float,
) -> Facts:
    """Put together what the page says.

    Args:
        state: of the agent, now.
        life: its rules and events.
        infos: of its metrics, by name.
        outlook: of its outbox.
        away_since_s: unix seconds since when nothing gets through, if nothing does.
        doctor: what it last said, and how long ago, seconds; None before it said anything.
        drain_per_s: how fast the backlog of an outage may go up, records a second.
    """
    now = state.now_s
    return Facts(
        robot_id=state.robot_id,
        agent=state.agent,
        up_s=max(0.0, now - state.started_s),
        connected=not state.trouble,
        trouble=state.trouble,
        away_s=_age(away_since_s, now) if state.trouble else None,
        proven_age_s=_age(state.proven_s, now),
        waiting=Waiting(
            state.pending, _age(state.oldest_s, now) if state.pending else None, outlook.new_per_s, outlook.sent_per_s, outlook.empty_in_s
        ),
        drain_per_s=drain_per_s,
        sources=state.sources,
        values=[_measured(name, state.values[name], infos.get(name), now - state.values_s.get(name, now)) for name in sorted(state.values)],
        events=[_told(event, now) for event in life.events(now)],
        rules=_rules(life, now),
        rule_problems=list(life.problems),
        doctor=list(doctor[0]) if doctor is not None else [],
        doctor_age_s=doctor[1] if doctor is not None else None,
    )


def _age(at_s: float | None, now: float) -> float | None:
    return max(0.0, now - at_s) if at_s else None


def _measured(name: str, value: Value, info: MetricInfo | None, age_s: float) -> Measured:
    if info is None:
        return Measured(name, value, unit_of(name), ("", ""), max(0.0, age_s))
    return Measured(name, value, info.unit or unit_of(name), (info.es, info.en), max(0.0, age_s), info.decimals)


def _told(event: Event, now: float) -> Told:
    age_s = now - event.ts.timestamp() if event.ts is not None else 0.0
    return Told(event.code, event.severity, max(0.0, age_s), event.over, event.detail)


def _rules(life: Life, now: float) -> list[RuleState]:
    found = []
    for name, rule in life.rules.rules.items():
        memory = life.rules.memory[name]
        sort = "above" if rule.above is not None else "below" if rule.below is not None else "absent"
        found.append(
            RuleState(
                name,
                code_of(name, rule),
                rule.metric,
                sort,
                rule.limit,
                memory.holds,
                _age(memory.begun_s, now),
                _age(memory.ended_s, now),
                memory.times,
                life.outcomes(name),
            )
        )
    return found
