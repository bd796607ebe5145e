"""The page of figures, from what was measured."""

from collections import Counter
from typing import Any, Final

import numpy as np

from croody_contract.profiles import RULES
from own_sensors.breakage import FAULTS

_DETECTORS: Final = ("a shape a mode", "one shape", "autoencoder")
_HEAD: Final = """# What screening of a robot's own sensors finds, measured

How it works is in [detection](detection.md#what-a-robot-learns-of-itself). This page is written by

```
PYTHONPATH=contract:edge_agent:edge_agent/training .venv/bin/python -m own_sensors \\
  --out DIR --data DATA --page docs/reference/sensors-measured.md
```

from sessions that factors and limits were not chosen on, of ten hours at one row a second: an arm (20 metrics), a drone (12), a tug (9) and
the simulator's rover with everything it sends (11), as if the shipped model did not know it. A session is learned on its first hours, as an
agent does it, and judged on the rest, healthy and with faults put in (15 minutes each, into a metric drawn by chance among those that
change). They are simulations of ours, coarser than any robot. `DATA` has recordings of machines that ran: UR3 CobotOps and SKAB.
"""
_FOUND: Final = (
    "## What is found",
    "",
    "| fault | times | named by a rule | by its own rule | windows suspect | either | seconds until named, median | rules |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)
_FAULTS_ARE: Final = (
    "",
    "*missing*: no value. *stuck*: one value. *out of range*: two to three ranges away, within a minute. *jump*: half a range to one, and",
    "stays. *spike*: one row in 60, two to four ranges away. *drift*: four deviations in 7.5 minutes. *uncoupled*: the values that",
    "it had at another hour. *gain*: half as much again.",
    "",
)
_HEALTHY: Final = (
    "## What is said of healthy robots",
    "",
    "| robot | hours learned | hours judged | began, by rule | suspect windows | a robot-hour |",
    "| --- | --- | --- | --- | --- | --- |",
)
_RAN: Final = (
    "## Machines that ran",
    "",
    "| recording | AUC: distance / autoencoder | mean of tables | hours | began there, by rule | suspects: distance / autoencoder |",
    "| --- | --- | --- | --- | --- | --- |",
)
_RAN_ARE: Final = (
    "",
    "UR3: odd are protective stops and lost grips, in windows that hold one; none of them is a fault of a sensor. SKAB: valves and pumps;",
    "its tables were recorded on other days, at other settings, than the healthy one, and most of it is called odd: a profile holds for",
    "the machine and the settings that it was learned on. So each robot learns its own, and again after it was changed.",
)


def render(parts: dict[str, Any]) -> str:
    """Of the files that `python -m own_sensors` left."""
    sessions = [session for name, part in parts.items() if name not in ("ur3", "skab") for session in part]
    return "\n".join([_HEAD, *_found(sessions), *_false(sessions), *_detectors(sessions), *_sets(parts)]).rstrip() + "\n"


def _found(sessions: list[dict[str, Any]]) -> list[str]:
    lines = list(_FOUND)
    for fault in FAULTS:
        found = [one for session in sessions for one in session["found"] if one[0] == fault]
        named = [bool(right) for _, _, right, _, _ in found]
        own = [fault in right for _, _, right, _, _ in found]
        windows = [_DETECTORS[0] in rules for _, _, _, rules, _ in found]
        either = [a or b for a, b in zip(named, windows, strict=True)]
        delays = [delay for *_, delay in found if delay == delay]
        rules = Counter(rule for _, _, right, _, _ in found for rule in right)
        shares = [_share(named), _share(own) if fault in RULES else "", _share(windows), _share(either)]
        told = ", ".join(f"`{rule}` {count}" for rule, count in rules.most_common())
        delay = f"{np.median(delays):.0f}" if delays else ""
        lines.append(f"| {fault.replace('_', ' ')} | {len(found)} | {' | '.join(shares)} | {delay} | {told} |")
    return [*lines, *_FAULTS_ARE]


def _share(values: list[bool]) -> str:
    return f"{np.mean(values):.2f}"


def _false(sessions: list[dict[str, Any]]) -> list[str]:
    lines = list(_HEALTHY)
    total = hours = 0.0
    for kind in dict.fromkeys(session["kind"] for session in sessions):
        mine = [session for session in sessions if session["kind"] == kind]
        said = Counter[str]()
        for session in mine:
            said.update(session["said"])
        rules = {rule: said[rule] for rule in RULES if said[rule]}
        count, judged = sum(rules.values()) + said[_DETECTORS[0]], sum(session["healthy_h"] for session in mine)
        total, hours = total + count, hours + judged
        told = ", ".join(f"`{rule}` {number}" for rule, number in rules.items()) or "none"
        learned = ", ".join(f"{session['learned_h']:g}" for session in mine)
        lines.append(f"| {kind} | {learned} | {judged:g} | {told} | {said[_DETECTORS[0]]} | {count / judged:.2f} |")
    lines.append(f"| all | | {hours:g} | | | {total / hours:.2f} |")
    return [*lines, "", "A count is a metric that began to be wrong by a rule; several metrics of one rule are one alarm.", ""]


def _detectors(sessions: list[dict[str, Any]]) -> list[str]:
    names = ["Mahalanobis, a shape a mode (ships)", "Mahalanobis, one shape", "autoencoder 32-9-32"]
    faults = [fault for fault in FAULTS if any(fault in session["auc"].get(_DETECTORS[0], {}) for session in sessions)]
    lines = [
        "## Together: a distance, or an autoencoder",
        "",
        f"| detector | {' | '.join(faults).replace('_', ' ')} | suspects of healthy robots |",
        "| --- |" + " --- |" * (len(faults) + 1),
    ]
    for detector, name in zip(_DETECTORS, names, strict=True):
        mean = [np.mean([session["auc"][detector][fault] for session in sessions if fault in session["auc"][detector]]) for fault in faults]
        said = sum(session["said"].get(detector, 0) for session in sessions)
        lines.append(f"| {name} | {' | '.join(f'{one:.3f}' for one in mean)} | {said} in {sum(s['healthy_h'] for s in sessions):g} h |")
    return [
        *lines,
        "",
        "AUC of windows, healthy against broken, mean of the sessions. Both learn the same windows; limits are made alike: 1.2 times what",
        "one in a thousand of held-out windows had.",
        "",
    ]


def _sets(parts: dict[str, Any]) -> list[str]:
    found = {name: parts[name] for name in ("ur3", "skab") if name in parts}
    if not found:
        return []
    words = {"ur3": "UR3, second hour; learned on the first", "skab": "SKAB, 34 tables; learned on the healthy one"}
    lines = list(_RAN)
    for name, one in found.items():
        pair = [" / ".join(f"{one[key].get(d, float('nan')):.3f}" for d in ("one shape", "autoencoder")) for key in ("auc", "auc_each")]
        rules = ", ".join(f"`{rule}` {one['said'][rule]}" for rule in RULES if one["said"].get(rule)) or "none"
        suspects = " / ".join(str(one["said"].get(d, 0)) for d in ("one shape", "autoencoder"))
        lines.append(f"| {words[name]} | {' | '.join(pair)} | {one['hours']:.1f} | {rules} | {suspects} |")
    return [*lines, *_RAN_ARE]
