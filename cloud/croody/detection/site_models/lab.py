"""Labelled windows from captures: sessions of the laboratory, and captures without anything wrong. Knows files, no database."""

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from croody.detection.evaluation import sessions
from croody.detection.evaluation.score import Interval, Told
from croody.detection.site_models.rows import Labelled, vector
from croody_contract.flows import calibration
from croody_contract.flows.counters import WINDOWS
from croody_contract.flows.limits import Maxima, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text

#: Ordinary windows of one capture, chosen at random; attacks are all taken.
MOST: Final = 5_000
#: Captures of one folder.
MOST_FILES: Final = 200
_SECOND_NS: Final = 1_000_000_000
#: As `croody-sim attack` names what it makes: scenario, seed (the site), take; take 0 is ordinary and calibrates.
_NAME: Final = re.compile(r"(?P<scenario>.+)-(?P<seed>\d+)-(?P<take>\d+)")


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the laboratory and what the rules said of it."""

    name: str
    hours: float
    intervals: tuple[Interval, ...]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read. `made_of`: name of each capture -> its SHA-256."""

    windows: list[Labelled]
    sessions: list[Session]
    made_of: dict[str, str]


def read(folder: Path, seed: int) -> Read:
    """All sessions of a folder with their labels. A site without a calibration that holds is judged by the floors, as it would be.

    Raises:
        sessions.NoSession: there are none, more than `MOST_FILES`, or one cannot be read.
        NoCapture, OSError: the same.
    """
    files = sorted(folder.glob("*.pcap"))
    if not 0 < len(files) <= MOST_FILES:
        raise sessions.NoSession(
            f"{folder}: {len(files)} captures, 1 to {MOST_FILES} needed: make some with croody-sim attack --scenario training"
        )
    site_of = {path: match["seed"] if (match := _NAME.fullmatch(path.stem)) else path.stem for path in files}
    calm = {site_of[path]: path for path in files if (match := _NAME.fullmatch(path.stem)) and match["take"] == "0"}
    maxima = {site: _ordinary(path) for site, path in calm.items()}
    told = Read([], [], {path.name: sha256(path) for path in files})
    for path in files:
        if path not in calm.values():
            session = sessions.load(path)
            windows, said = _session(session, maxima.get(site_of[path]), f"lab {site_of[path]}", random.Random(f"{seed} {path.name}"))
            told.windows.extend(windows)
            told.sessions.append(Session(path.stem, session.hours, session.intervals, tuple(said)))
    return told


def benign(files: Sequence[Path], maxima: Maxima | None, seed: int) -> Read:
    """Captures of the site in which nothing was wrong; each is left out as a whole.

    Raises:
        NoCapture, OSError: one cannot be read.
    """
    told = Read([], [], {path.name: sha256(path) for path in files})
    for path in files:
        rows = (_row(look, maxima, None, f"benign {path.name}", "benign") for look in sessions.looks(path) if _ends(look))
        told.windows.extend(_some(rows, random.Random(f"{seed} {path.name}")))
    return told


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ordinary(path: Path) -> Maxima | None:
    try:
        return sessions.ordinary(path)
    except calibration.Refused:
        return None


def _session(session: sessions.Session, maxima: Maxima | None, group: str, dice: random.Random) -> tuple[list[Labelled], list[Told]]:
    attacks: dict[tuple[str, int], Labelled] = {}
    calm, told = [], []
    for look in sessions.looks(session.path):
        at, device = look.at_ns / 1e9, text(look.device)
        told += [Told(at, device, evidence.rule.code) for evidence in judge(look, maxima)]
        mine = [one for one in session.intervals if device in one.addresses and one.first <= at <= one.last + WINDOWS[-1]]
        during = [one for one in mine if at <= one.last + WINDOWS[0]]
        if during:
            # The last of each ten seconds: who stops before they end is silent at the end of them.
            attacks[device, int(at) // WINDOWS[0]] = _row(look, maxima, during[0], group, "lab", session.path.stem)
        elif not mine and _ends(look):
            # After an attack the longer window still holds it: neither one nor the other.
            calm.append(_row(look, maxima, None, group, "lab", session.path.stem))
    return [*attacks.values(), *_some(calm, dice)], told


def _ends(look: Look) -> bool:
    return look.at_ns // _SECOND_NS % WINDOWS[0] == 0


def _row(look: Look, maxima: Maxima | None, attack: Interval | None, group: str, source: str, session: str = "") -> Labelled:
    windows = {str(seconds): {counter.value: value for counter, value in look.windows[seconds].items()} for seconds in WINDOWS}
    return Labelled(
        vector=vector(windows, maxima),
        attack=attack is not None,
        group=group,
        family=attack.family if attack is not None else "",
        source=source,
        rules=bool(judge(look, maxima)),
        session=session,
        device=text(look.device),
        at=look.at_ns / 1e9,
    )


def _some(rows: Iterable[Labelled], dice: random.Random) -> list[Labelled]:
    """At most `MOST` of them, in their order; each as likely as any other."""
    kept: list[tuple[int, Labelled]] = []
    for number, row in enumerate(rows):
        if number < MOST:
            kept.append((number, row))
        elif (place := dice.randrange(number + 1)) < MOST:
            kept[place] = (number, row)
    return [row for _number, row in sorted(kept, key=lambda pair: pair[0])]
