"""One window of a device to a second opinion: the limits of the cloud, which know the newest calibration. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from croody.detection.incidents.evidence import Piece
from croody_contract.flows.counters import WINDOWS, Counter
from croody_contract.flows.limits import BY_CODE, Maxima, judge, limit_of
from croody_contract.flows.meter import Look

_COUNTERS = {counter.value: counter for counter in Counter}


def beyond(windows: Mapping[str, Any], maxima: Maxima | None) -> list[str]:
    """Codes of the limits that these counters go beyond, the worst first. Counters that nobody here knows count for nothing."""
    counted: dict[int, dict[Counter, int]] = {}
    for seconds in WINDOWS:
        found = windows.get(str(seconds), {})
        counted[seconds] = {_COUNTERS[name]: int(value) for name, value in found.items() if name in _COUNTERS}
    return [one.rule.code for one in judge(Look(0, b"", counted, ()), maxima)]


def pieces(windows: Mapping[str, Any], kinds: Iterable[str], maxima: Maxima | None) -> tuple[Piece, ...]:
    """What an agent calls evidence, with its counters. Its limit is the cloud's, or what it stood at where the agent's own is lower."""
    found = []
    for rule in (BY_CODE[kind] for kind in kinds if kind in BY_CODE):
        value = windows.get(str(rule.seconds), {}).get(rule.counter.value, 0)
        limit, most = limit_of(rule, maxima)
        if value > 0:
            found.append(Piece(rule.code, int(value), min(limit, int(value)), rule.seconds, most))
    return tuple(found)
