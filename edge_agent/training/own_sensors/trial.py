"""One session: learned on its first hours, judged on the rest, once healthy and once for every fault. Knows the screen's pure parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from croody_contract.profiles import ANY_MODE, WINDOW_ROWS, Profile
from croody_edge.screen.decide import START, Policy, decide
from croody_edge.screen.learned import inputs as reading
from croody_edge.screen.learned import learn
from croody_edge.screen.learned.judges import Judges
from croody_edge.screen.learned.rows import Row
from own_sensors import autoencoder
from own_sensors.breakage import BROKEN_ROWS, FAULTS, WARM_ROWS, Array
from own_sensors.robots import Session

LEARN_ROWS: Final = 7200
MORE_ROWS: Final = 1800
MOST_ROWS: Final = 21_600


@dataclass
class Report:
    """Of one session. `said`: rule -> times that it began on healthy rows; `found`: (fault, metric, rules that name it, all, delay)."""

    kind: str
    learned_h: float
    healthy_h: float
    wandering: list[str]
    said: dict[str, int] = field(default_factory=dict)
    found: list[tuple[str, str, frozenset[str], frozenset[str], float]] = field(default_factory=list)
    #: detector -> lengths of healthy windows, and fault -> lengths of broken ones, as shares of its limit.
    lengths: dict[str, dict[str, list[float]]] = field(default_factory=dict)


class Learned(NamedTuple):
    """What both candidates learned, on the same windows."""

    profile: Profile
    columns: list[int]
    network: autoencoder.Autoencoder
    network_limit: float


def seen(names: Sequence[str], modes: Sequence[str], values: Array) -> learn.Seen:
    """Rows of one a second."""
    return learn.Seen(names, np.arange(len(values), dtype=float), modes, values, np.zeros(len(values), dtype=bool))


def learn_all(names: Sequence[str], modes: Sequence[str], values: Array, seed: int) -> Learned:
    """The profile, and the autoencoder with a limit made in the same way."""
    rows = seen(names, modes, values)
    profile = learn.learn(rows, datetime(2026, 12, 1, tzinfo=UTC))
    columns = [list(names).index(name) for name in profile.joint]
    read, _ = learn.windows_of(learn.forward(values[:, columns]), rows, scale_of(profile))
    cut = int(0.8 * len(read))
    held = autoencoder.fit(read[:cut], seed)
    limit = learn.FACTOR * float(np.quantile(held.length(read[cut + WINDOW_ROWS :]), learn.QUANTILE))
    return Learned(profile, columns, held, limit)


def scale_of(profile: Profile) -> Array:
    """Spread over everything of each joint metric."""
    by_name = {metric.name: metric for metric in profile.metrics}
    return np.asarray([by_name[name].levels[ANY_MODE].spread for name in profile.joint])


def shares(learned: Learned, modes: Sequence[str], values: Array, step: int) -> dict[str, Array]:
    """Length of every `step`-th window as a share of the limit, by detector."""
    filled = learn.forward(values[:, learned.columns])
    ends = np.arange(WINDOW_ROWS - 1, len(filled), step)
    ends = ends[np.isfinite(filled[ends - WINDOW_ROWS + 1]).all(axis=1)]
    if len(ends) == 0:
        return {}
    read = reading.inputs(filled[ends[:, None] + np.arange(1 - WINDOW_ROWS, 1)], scale_of(learned.profile))
    out = {"one shape": _length(learned, read, [ANY_MODE] * len(read))}
    of = [modes[end] if len(set(modes[end - WINDOW_ROWS + 1 : end + 1])) == 1 else ANY_MODE for end in ends]
    out["a shape a mode"] = _length(learned, read, of)
    out["autoencoder"] = learned.network.length(read) / learned.network_limit
    return out


def _length(learned: Learned, read: Array, of: Sequence[str]) -> Array:
    together = learned.profile.together
    out = np.empty(len(read))
    known = np.asarray([mode if mode in together else ANY_MODE for mode in of])
    for mode in np.unique(known):
        one = together[str(mode)]
        size = len(one.mean)
        whiten = np.frombuffer(one.whiten, "<f4").reshape(size, size)
        rows = known == mode
        out[rows] = learn.length(read[rows], np.asarray(one.mean), whiten) / one.limit
    return out


def suspects(share: Array) -> int:
    """How often a robot is suspected, as the agent decides: three in a row, then not for half a minute."""
    state, count = START, 0
    for at, one in enumerate(share.tolist()):
        state, verdict = decide(state, Policy(sample_rate=0.0), min(1.0, 0.5 * one), float(at), 1.0)
        count += verdict.suspect
    return count


def judged(profile: Profile, names: Sequence[str], modes: Sequence[str], values: Array) -> list[tuple[int, str, str]]:
    """(row, rule, metric) of everything that began to be wrong."""
    judges, before, out = Judges(profile), set[tuple[str, str]](), []
    for at, (mode, line) in enumerate(zip(modes, values.tolist(), strict=True)):
        new = {name: value for name, value in zip(names, line, strict=True) if value == value}
        now = {(finding.rule, finding.metric) for finding in judges.take(Row(float(at), mode, new, False))}
        out += [(at, *one) for one in now - before]
        before = now
    return out


def run(session: Session, faults: int) -> Report:
    """Learn as the agent does, then judge."""
    rows = LEARN_ROWS
    while rows < MOST_ROWS and not learn.settled(seen(session.names, session.modes[:rows], session.values[:rows])):
        rows += MORE_ROWS
    learned = learn_all(session.names, session.modes[:rows], session.values[:rows], session.seed)
    profile = learned.profile
    modes, values = session.modes[rows:], session.values[rows:]
    report = Report(session.kind, rows / 3600, len(values) / 3600, [metric.name for metric in profile.metrics if metric.wanders])
    for _, rule, _ in judged(profile, session.names, modes, values):
        report.said[rule] = report.said.get(rule, 0) + 1
    for detector, share in shares(learned, modes, values, 1).items():
        report.said[detector] = suspects(share)
        report.lengths.setdefault(detector, {})["healthy"] = share[::7].tolist()
    rng = np.random.default_rng(session.seed)
    for fault, breaks in FAULTS.items():
        for _ in range(faults):
            metric = int(rng.choice([session.names.index(one.name) for one in profile.metrics if one.changes >= 20]))
            at = int(rng.integers(WARM_ROWS, len(values) - BROKEN_ROWS))
            other = (at + len(values) // 2) % (len(values) - BROKEN_ROWS)
            broken = values[at - WARM_ROWS : at + BROKEN_ROWS].copy()
            known = session.values[:rows, metric]
            low, high = np.quantile(known, [0.005, 0.995])
            broken[WARM_ROWS:, metric] = breaks(
                broken[WARM_ROWS:, metric], float(high - low), float(known.std()), values[other : other + BROKEN_ROWS, metric], rng
            )
            of_it = modes[at - WARM_ROWS : at + BROKEN_ROWS]
            _judge_broken(report, learned, session, fault, metric, of_it, broken)
    return report


def _judge_broken(report: Report, learned: Learned, session: Session, fault: str, metric: int, modes: list[str], broken: Array) -> None:
    said = [(at, rule, name) for at, rule, name in judged(learned.profile, session.names, modes, broken) if at >= WARM_ROWS]
    name = session.names[metric]
    right = frozenset(rule for _, rule, one in said if one == name)
    rules = {rule for _, rule, _ in said}
    first = min((at for at, _, one in said if one == name), default=-1)
    for detector, share in shares(learned, modes[WARM_ROWS:], broken[WARM_ROWS:], 1).items():
        if suspects(share):
            rules.add(detector)
        if metric in learned.columns:
            report.lengths.setdefault(detector, {}).setdefault(fault, []).extend(share[::30].tolist())
    report.found.append((fault, name, right, frozenset(rules), float(first - WARM_ROWS) if first >= 0 else float("nan")))
