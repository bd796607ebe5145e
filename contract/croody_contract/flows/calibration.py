"""What is ordinary at a site: the most that any device did while nothing was wrong. Made by a person, never relearned in silence.

Kept as a text with its date and the hashes of what it was made of.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from croody_contract.flows.counters import Counter
from croody_contract.flows.limits import RULES, Maxima, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text

#: With two minutes two false incidents, with four and more none.
LEAST_S: Final = 240
VERSION: Final = 1
#: No calibration is larger, bytes.
MAX_BYTES: Final = 1024 * 1024
#: What is kept of the captures' names.
_NAME_CHARS: Final = 200
_MOST_FILES: Final = 100
_LARGEST: Final = 2**53


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


class Calibration(NamedTuple):
    """What `render` wrote. `made_of`: name of each capture -> `sha256:` and its hash."""

    maxima: Maxima
    made_of: dict[str, str]
    made_at: datetime


def parse(text: str | bytes, name: str) -> Maxima:
    """The maxima of what `render` wrote. `name`: what the text is called, for the message.

    Raises:
        Refused: it cannot be read, or is damaged.
    """
    return read(text, name).maxima


def read(text: str | bytes, name: str) -> Calibration:
    """What `render` wrote: counters of this version alone, each a number that is none below zero.

    Raises:
        Refused: it cannot be read, or is damaged.
    """
    try:
        raw = json.loads(text)
        if raw["version"] != VERSION:
            raise ValueError(f"version {raw['version']}, expected {VERSION}")
        maxima = {
            str(Counter(counter)): {str(int(seconds)): _amount(most) for seconds, most in windows.items()}
            for counter, windows in raw["maxima"].items()
        }
        made_of = {str(file)[:_NAME_CHARS]: str(digest)[:_NAME_CHARS] for file, digest in list(raw["made_of"].items())[:_MOST_FILES]}
        made_at = datetime.fromisoformat(raw["made_at"])
        if made_at.tzinfo is None:
            raise ValueError(f"made_at {raw['made_at']!r} has no offset")
        return Calibration(maxima, made_of, made_at)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{name}: no calibration that can be read ({error}): make it again with croody ids calibrate") from error


def _amount(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{value!r} is no number of 0 to {_LARGEST}")
    return value
