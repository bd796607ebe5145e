"""What is ordinary at a site: the most that any device did while nothing was wrong. Made by a person, never relearned in silence.

Kept as a text with its date and the hashes of what it was made of.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from croody_contract.flows.counters import Counter
from croody_contract.flows.limits import RULES, Maxima, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text
from croody_contract.printable import printable

#: With two minutes two false incidents, with four and more none.
LEAST_S: Final = 240
VERSION: Final = 1
#: No calibration is larger, bytes.
MAX_BYTES: Final = 1024 * 1024
#: Devices whose maxima are told apart; and so many there have to be for one to be left out.
_MOST_DEVICES: Final = 1_024
_FEW: Final = 2
#: What is kept of the captures' names.
_NAME_CHARS: Final = 200
_MOST_FILES: Final = 100
_LARGEST: Final = 2**53


class Refused(ValueError):
    """No calibration can be made, or read: says why, and what to do."""


class Measured(NamedTuple):
    """The most of each counter, without the device that was `left_out`: its address and why, or nobody's."""

    maxima: dict[str, dict[str, int]]
    left_out: tuple[str, str] | None


def measure(looks: Iterable[Look]) -> Measured:
    """The most of each counter of the rules over its window.

    One device that does what is not ordinary is left out, and is held to what the others do; with two, the time was not ordinary.

    Raises:
        Refused: too short, or several devices in it are not ordinary.
    """
    everybody: OrderedDict[bytes, dict[str, dict[str, int]]] = OrderedDict()
    # Of devices that were too many to be told apart.
    rest: dict[str, dict[str, int]] = {}
    first_ns = last_ns = 0
    strays: dict[bytes, str] = {}
    for look in looks:
        first_ns, last_ns = first_ns or look.at_ns, look.at_ns
        for evidence in judge(look, None):
            if evidence.rule.severity != "medium":
                strays.setdefault(look.device, f"{evidence.rule.code} {evidence.value}")
        if look.device not in everybody and len(everybody) < _MOST_DEVICES:
            everybody[look.device] = {}
        _raise(everybody.get(look.device, rest), look)
    seconds = (last_ns - first_ns) / 1e9
    if seconds < LEAST_S:
        raise Refused(f"{seconds:.0f} s of traffic: needs {LEAST_S} s or more; record longer, or give several files")
    alone = next(iter(strays)) if len(strays) == 1 and len(everybody) > _FEW and next(iter(strays)) in everybody else None
    if strays and alone is None:
        shown = "; ".join(f"{text(device)}: {what}" for device, what in list(strays.items())[:5])
        raise Refused(f"not all of it is ordinary ({shown}): record again while nothing is wrong, or leave these devices out")
    maxima: dict[str, dict[str, int]] = {rule.counter.value: {} for rule in RULES}
    for rule in RULES:
        maxima[rule.counter.value][str(rule.seconds)] = 0
    for its in (rest, *(its for device, its in everybody.items() if device != alone)):
        maxima = merged(maxima, its)
    return Measured(maxima, None if alone is None else (text(alone), strays[alone]))


def _raise(most: dict[str, dict[str, int]], look: Look) -> None:
    for rule in RULES:
        value = look.windows.get(rule.seconds, {}).get(rule.counter, 0)
        if value:
            mine = most.setdefault(rule.counter.value, {})
            mine[str(rule.seconds)] = max(value, mine.get(str(rule.seconds), 0))


def merged(one: Maxima, other: Maxima) -> dict[str, dict[str, int]]:
    """The higher of each."""
    both: dict[str, dict[str, int]] = {}
    for counter in (*one, *(counter for counter in other if counter not in one)):
        mine, theirs = one.get(counter, {}), other.get(counter, {})
        both[counter] = {seconds: max(mine.get(seconds, 0), theirs.get(seconds, 0)) for seconds in {**mine, **theirs}}
    return both


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


def joined(before: Calibration | None, maxima: Maxima, made_of: Mapping[str, bytes], made_at: datetime) -> str:
    """The text of a calibration of what was known and what was measured now: the higher of each counter, and all that both are made of."""
    if before is None:
        return render(maxima, made_of, made_at)
    made = json.loads(render(merged(before.maxima, maxima), made_of, made_at))
    made["made_of"] = dict(list({**before.made_of, **made["made_of"]}.items())[-_MOST_FILES:])
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


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
        made_of = {
            printable(str(file))[:_NAME_CHARS]: printable(str(digest))[:_NAME_CHARS]
            for file, digest in list(raw["made_of"].items())[:_MOST_FILES]
        }
        made_at = datetime.fromisoformat(raw["made_at"])
        if made_at.tzinfo is None:
            raise ValueError(f"made_at {raw['made_at']!r} has no offset")
        return Calibration(maxima, made_of, made_at.astimezone(UTC))
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{name}: no calibration that can be read ({error}): make it again with croody ids calibrate") from error


def _amount(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{value!r} is no number of 0 to {_LARGEST}")
    return value
