"""`python -m own_sensors --out DIR [--data DIR] [--page FILE]`: every figure of docs/reference/sensors-measured.md, and the page.

A kind of robot is a file in DIR, which is not made again when it is there; so kinds can be measured side by side.
"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from own_sensors import page, sets, trial
from own_sensors.robots import KINDS

#: Factors and limits were chosen on 1 and 2.
SEEDS: Final = (101, 102)
#: Times that each fault is put into each session.
FAULTS: Final = 3


def main() -> None:
    """Measure what is missing, then write the page where it is asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=[*KINDS, "ur3", "skab"])
    parser.add_argument("--data", type=Path, help="folder with ur3-cobotops and skab")
    parser.add_argument("--page", type=Path)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    names = [chosen.only] if chosen.only else [*KINDS, *(["ur3", "skab"] if chosen.data else [])]
    for name in names:
        file = chosen.out / f"{name}.json"
        if not file.exists():
            file.write_text(json.dumps(_robot(name) if name in KINDS else _set(name, chosen.data)), encoding="utf-8")
    if chosen.page:
        chosen.page.write_text(page.render({file.stem: json.loads(file.read_text()) for file in sorted(chosen.out.glob("*.json"))}))


def _robot(kind: str) -> list[dict[str, Any]]:
    out = []
    for seed in SEEDS:
        report = trial.run(KINDS[kind](seed), FAULTS)
        told = asdict(report)
        told["found"] = [[fault, name, sorted(right), sorted(rules), delay] for fault, name, right, rules, delay in report.found]
        told["auc"] = {
            detector: {fault: auc(lengths["healthy"], broken) for fault, broken in lengths.items() if fault != "healthy"}
            for detector, lengths in told.pop("lengths").items()
        }
        out.append(told)
    return out


def _set(name: str, data: Path) -> dict[str, Any]:
    tables = [sets.ur3(data / "ur3-cobotops")] if name == "ur3" else sets.skab(data / "skab")
    first = tables[0]
    rows = len(first.values) // 2 if name == "ur3" else len(first.values)
    learned = trial.learn_all(first.names, [""] * rows, first.values[:rows], 1)
    later = [sets.Table(first.name, first.names, first.values[rows:], first.odd[rows:])] if name == "ur3" else tables[1:]
    ordinary: dict[str, list[float]] = {}
    odd: dict[str, list[float]] = {}
    said: dict[str, int] = {}
    seconds = 0
    each: dict[str, list[float]] = {}
    for table in later:
        begins = int(np.argmax(table.odd)) if table.odd.any() else len(table.odd)
        healthy = begins if name == "skab" else len(table.odd)
        seconds += healthy
        for at, rule, _ in trial.judged(learned.profile, table.names, [""] * len(table.values), table.values):
            if at < healthy and not table.odd[max(0, at - 60) : at + 1].any():
                said[rule] = said.get(rule, 0) + 1
        for detector, share in trial.shares(learned, [""] * len(table.values), table.values, 1).items():
            ends = np.arange(len(table.values) - len(share), len(table.values))
            near = np.asarray([table.odd[max(0, end - 15) : end + 1].any() for end in ends])
            far = ~np.asarray([table.odd[max(0, end - 60) : end + 60].any() for end in ends])
            ordinary.setdefault(detector, []).extend(share[far].tolist())
            odd.setdefault(detector, []).extend(share[near].tolist())
            said[detector] = said.get(detector, 0) + trial.suspects(share[far & (ends < healthy)])
            if near.any() and far.any():
                each.setdefault(detector, []).append(auc(share[far].tolist(), share[near].tolist()))
    return {
        "hours": seconds / 3600,
        "tables": len(later),
        "said": said,
        "auc": {detector: auc(ordinary[detector], odd[detector]) for detector in odd},
        "auc_each": {detector: float(np.mean(values)) for detector, values in each.items()},
        "wandering": [metric.name for metric in learned.profile.metrics if metric.wanders],
    }


def auc(ordinary: list[float], odd: list[float]) -> float:
    """Chance that an odd window is farther off than an ordinary one; ties count half."""
    both = np.concatenate([ordinary, odd])
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n = len(odd)
    return round(float((ranks[len(ordinary) :].sum() - n * (n + 1) / 2) / (n * len(ordinary))), 3)


if __name__ == "__main__":
    main()
