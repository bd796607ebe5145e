"""What is ordinary at a site: the most that any device did while nothing was wrong. Made by a person, never relearned in silence.

Kept as a text with its date and the hashes of what it was made of.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from croody_contract.flows.limits import RULES, Maxima, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text

#: With two minutes two false incidents, with four and more none.
LEAST_S: Final = 240
VERSION: Final = 1
#: No calibration is larger, bytes.
MAX_BYTES: Final = 1024 * 1024


class Refused(ValueError):
    """No calibration can be made, or read: says why, and what to do."""


def measure(looks: Iterable[Look]) -> dict[str, dict[str, int]]:
    """The most of each counter of the rules over its window.

    Raises:
        Refused: too short, or something in it is no ordinary traffic.
    """
    maxima: dict[str, dict[str, int]] = {}
    first_ns = last_ns = 0
    strays: dict[str, str] = {}
    for look in looks:
        first_ns, last_ns = first_ns or look.at_ns, look.at_ns
        for evidence in judge(look, None):
            if evidence.rule.severity != "medium":
                strays.setdefault(text(look.device), f"{evidence.rule.code} {evidence.value}")
        for rule in RULES:
            value = look.windows.get(rule.seconds, {}).get(rule.counter, 0)
            mine = maxima.setdefault(rule.counter.value, {})
            mine[str(rule.seconds)] = max(value, mine.get(str(rule.seconds), 0))
    seconds = (last_ns - first_ns) / 1e9
    if seconds < LEAST_S:
        raise Refused(f"{seconds:.0f} s of traffic: needs {LEAST_S} s or more; record longer, or give several files")
    if strays:
        shown = "; ".join(f"{device}: {what}" for device, what in list(strays.items())[:5])
        raise Refused(f"not all of it is ordinary ({shown}): record again while nothing is wrong, or leave these devices out")
    return maxima


def render(maxima: Maxima, made_of: Mapping[str, bytes], made_at: datetime) -> str:
    """The text of a calibration. `made_of`: name of each capture -> its SHA-256."""
    made = {
        "version": VERSION,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "made_of": {name: f"sha256:{digest.hex()}" for name, digest in made_of.items()},
        "maxima": maxima,
    }
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def parse(text: str | bytes, name: str) -> Maxima:
    """What `render` wrote. `name`: what the text is called, for the message.

    Raises:
        Refused: it cannot be read, or is damaged.
    """
    try:
        raw = json.loads(text)
        if raw["version"] != VERSION:
            raise ValueError(f"version {raw['version']}, expected {VERSION}")
        return {str(counter): {str(seconds): int(most) for seconds, most in windows.items()} for counter, windows in raw["maxima"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{name}: no calibration that can be read ({error}): make it again with croody ids calibrate") from error
