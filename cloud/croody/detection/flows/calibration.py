"""What is ordinary at a site: the most that any device did while nothing was wrong. Made by a person, never relearned in silence.

Kept as a file with its date and the hash of what it was made of.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from croody.detection.flows.rules import RULES, Maxima, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text

#: With two minutes two false incidents, with four and more none.
LEAST_S: Final = 240
VERSION: Final = 1
_MAX_BYTES: Final = 1024 * 1024


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


def write(path: Path, maxima: Maxima, sources: Iterable[Path], now: datetime) -> dict[str, Any]:
    """Write it down, whole or not at all. Returns what was written."""
    made = {
        "version": VERSION,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "made_of": {source.name: _hash_of(source) for source in sources},
        "maxima": maxima,
    }
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(path)
    return made


def read(path: Path) -> Maxima:
    """What `write` wrote.

    Raises:
        Refused: it cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as file:
            raw = json.loads(file.read(_MAX_BYTES))
        if raw["version"] != VERSION:
            raise ValueError(f"version {raw['version']}, expected {VERSION}")
        maxima: Maxima = {
            str(counter): {str(seconds): int(most) for seconds, most in windows.items()} for counter, windows in raw["maxima"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path}: no calibration that can be read ({error}): make it again with croody ids calibrate") from error
    return maxima


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
