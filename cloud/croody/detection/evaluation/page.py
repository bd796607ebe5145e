"""The page of measured figures, as Markdown. Pure: the same results give the same text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from croody.detection.evaluation import figures
from croody.detection.evaluation.figures import Row
from croody.detection.evaluation.score import Named
from croody.detection.evaluation.sessions import Result

Results = Mapping[str, Sequence[Result]]
_WORDS: Final = {
    "held_out": "Held out: other sites and other kinds of attacks",
    "unseen_sites": "Kinds that limits were chosen on, at sites that they were not",
    "training": "Training: limits were chosen here, so this flatters",
}
_NAMES: Final = ("held_out", "unseen_sites", "training")


def render(results: Results, gates: Mapping[str, Any], when: str, reading: str = "first") -> str:
    """All of it. `results`: name of the set, with `/headers` behind it for headers only, -> its sessions. `reading`: of the protocol."""
    within_s = float(gates["within_s"])
    title, read, file = _READINGS[reading]
    parts = [_HEAD.format(title=title, when=when, read=read, option="" if reading == "first" else f" --reading {reading}", file=file)]
    parts.append(_gates(results, gates))
    parts += [_set(_WORDS[name], results[name], within_s) for name in _NAMES if results.get(name)]
    if results.get("everyday"):
        parts.append(_everyday(results["everyday"]))
    return "\n\n".join(parts) + "\n"


_READINGS: Final = {
    "first": (
        "Detection: what the rules find, measured",
        "which was fixed before the sessions held out were read.",
        "detection-measured.md",
    ),
    "second": (
        "Detection: a second reading, at other sites",
        "in a second reading: after the [first](detection-measured.md), rules were added, and their author knew its figures and\n"
        "the kinds of attacks. The sites are new, and were made after the rules stood; the kinds are not.",
        "detection-measured-again.md",
    ),
    "third": (
        "Detection: a third reading, of ordinary days",
        "in a third reading: after the [second](detection-measured-again.md), what made its false incident was mended. Nothing was\n"
        "chosen on these sites, and they were made after the counters stood.",
        "detection-measured-days.md",
    ),
    "present": (
        "Detection: the held-out attacks once more",
        "with the counters as they are now. These are the sessions of the [first reading](detection-measured.md): their figures were\n"
        "known when rules were added, so this flatters, and says only whether what was mended since lost attacks.",
        "detection-measured-present.md",
    ),
}
_HEAD: Final = """# {title}

<!-- Written by croody ids evaluate: do not edit. -->

{when}. Each capture was judged with thirteen minutes of its own site's ordinary traffic, by the [protocol](detection-protocol.md),
{read} An attack counts as found when evidence names the machine that did it within
ten seconds of its first packet. Intervals are Wilson's, 95 %.

```sh
croody ids evaluate{option} --captures captures --page docs/reference/{file}
```

It makes the captures that are missing, some gigabytes, and takes an hour or so on two cores."""


def _gates(results: Results, gates: Mapping[str, Any]) -> str:
    lines = ["## Against the gates", "", "| gate | wanted | measured | met |", "| --- | --- | --- | --- |"]
    within_s = float(gates["within_s"])
    held = _all(results.get("held_out", ()))
    if held:
        lines.append(_share_line("held-out kinds and sites, found in time", held, float(gates["held_out_intervals"]), within_s))
        robots = [one for one in held if one.interval.robot]
        lines.append(_share_line("of these, from robots' own addresses", robots, float(gates["held_out_intervals"]), within_s))
        waits = figures.waits(held)
        for name, part, wanted in (("median", 0.5, gates["median_s"]), ("p90", 0.9, gates["p90_s"])):
            value = figures.percentile(waits, part)
            if value is not None:
                met = _met(value <= wanted, value - wanted, " s")
                lines.append(f"| first packet to evidence, {name} of those found | ≤ {wanted} s | {value:.1f} s | {met} |")
    headers = _all(results.get("held_out/headers", ()))
    if headers:
        lines.append(_share_line("held out, headers only (as if all were TLS)", headers, float(gates["headers_only"]), within_s))
    if results.get("everyday"):
        found, hours, rate = figures.false_an_hour(results["everyday"])
        wanted = float(gates["false_incidents_an_hour"])
        met = _met(rate <= wanted, rate - wanted, "")
        most = figures.rates(found, hours)[1]
        if rate <= wanted < most:
            met = f"measured, not shown: up to {most:.2f} fits"
        lines.append(f"| false incidents an hour, {hours:.0f} h of ordinary days | ≤ {wanted} | {rate:.2f} ({found}) | {met} |")
    lines.append("| sessions by somebody who has not seen the rules | ≥ 0.70 | not measured: nobody has made them | no |")
    lines.append(f"| broker events alone | ≥ {gates['broker_only']} | not measured: sessions on a wire have no broker of ours | no |")
    return "\n".join(lines)


def _share_line(name: str, its: Sequence[Named], wanted: float, within_s: float) -> str:
    one = figures.row(name, its, within_s).in_time
    value = one.found / one.of if one.of else 0.0
    return f"| {name} | ≥ {wanted:.2f} | {one} | {_met(value >= wanted, wanted - value, '')} |"


def _met(yes: bool, by: float, unit: str) -> str:
    return "yes" if yes else f"**missed by {by:.2f}{unit}**"


def _all(results: Sequence[Result]) -> list[Named]:
    return [one for result in results for one in result.named]


def _set(title: str, results: Sequence[Result], within_s: float) -> str:
    its = _all(results)
    total = figures.row("all", its, within_s)
    found, hours, rate = figures.false_an_hour(results)
    late = total.ever - total.in_time.found
    said = f"{len(results)} sessions, {hours:.1f} h: {total.in_time} in time, {late} more later"
    lines = [f"## {title}", "", f"{said}; {found} false incidents ({rate:.2f} an hour)."]
    lines += ["", "| family | in time | ever | median s |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.name} | {row.in_time} | {row.ever} | {_seconds(row)} |" for row in figures.by("family", its, within_s)]
    lines += ["", "| kind | in time | ever | median s | first evidence |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{row.name}` | {row.in_time.found} of {row.in_time.of} | {row.ever} | {_seconds(row)} | {', '.join(row.codes) or '-'} |"
        for row in figures.by("kind", its, within_s)
    ]
    return "\n".join(lines)


def _seconds(row: Row) -> str:
    return "-" if row.after_s is None else f"{row.after_s:.1f}"


def _everyday(results: Sequence[Result]) -> str:
    found, hours, rate = figures.false_an_hour(results)
    codes = Counter(code for result in results for incident in result.for_nothing for code in incident.codes)
    lines = ["## Ordinary days", "", f"{len(results)} sites, {hours:.1f} h in all: {found} false incidents, {rate:.2f} an hour."]
    low, high = figures.rates(found, hours)
    lines[-1] += f" Rates of {low:.2f} to {high:.2f} an hour fit that (Poisson's interval, 95 %)."
    if codes:
        lines += [
            "",
            "| evidence | false incidents with it |",
            "| --- | --- |",
            *(f"| `{code}` | {times} |" for code, times in codes.most_common()),
        ]
    return "\n".join(lines)
