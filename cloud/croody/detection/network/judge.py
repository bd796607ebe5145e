"""One window of a device to a second opinion: the limits of the cloud, which know the newest calibration. Pure."""

from collections.abc import Mapping
from typing import Any

from croody_contract.flows.counters import WINDOWS, Counter
from croody_contract.flows.limits import Maxima, judge
from croody_contract.flows.meter import Look

_COUNTERS = {counter.value: counter for counter in Counter}


def beyond(windows: Mapping[str, Any], maxima: Maxima | None) -> list[str]:
    """Codes of the limits that these counters go beyond, the worst first. Counters that nobody here knows count for nothing."""
    counted: dict[int, dict[Counter, int]] = {}
    for seconds in WINDOWS:
        found = windows.get(str(seconds), {})
        counted[seconds] = {_COUNTERS[name]: int(value) for name, value in found.items() if name in _COUNTERS}
    return [one.rule.code for one in judge(Look(0, b"", counted, ()), maxima)]
