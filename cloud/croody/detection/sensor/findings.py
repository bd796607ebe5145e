"""What the sensor wrote, read by others: it is evidence like any other, and the minute around each can be fetched."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from croody.detection.incidents import fusion, signs
from croody.detection.incidents.evidence import BY_CODE, Finding, Piece
from croody.detection.incidents.rules import MOST_NAMES, Who
from croody.detection.models import Cursor
from croody.detection.sensor.watch import MOST, STATE

SOURCE: Final = "sensor"
_CURSOR: Final = "sensor"
#: A file of the sensor is no larger; what is, is damage.
_MOST_BYTES: Final = 256 * 1024
_NAME: Final = re.compile(r"[0-9]{1,16}-[0-9a-z-]{1,64}")


def folder() -> Path | None:
    """Where the sensor writes; None where there is none."""
    named = settings.ENV.captures
    return Path(named) if named else None


def read_sensor(now: datetime) -> None:
    """Turn what is new into incidents. May be stopped anywhere: what is told again changes nothing."""
    place = folder()
    if place is None or not (place / STATE).is_file():
        return
    row, _ = Cursor.objects.get_or_create(name=_CURSOR)
    newest_ns = row.last_id
    for path in sorted((place / "incidents").glob("*.json"))[-MOST:]:
        try:
            written_ns = path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if written_ns > row.last_id:
            _tell(path, now)
            newest_ns = max(newest_ns, written_ns)
    _note(place / STATE, now)
    if newest_ns != row.last_id:
        Cursor.objects.filter(pk=row.pk).update(last_id=newest_ns)


def capture_of(name: str) -> Path | None:
    """The minute around an incident, where it is kept."""
    place = folder()
    if place is None or not _NAME.fullmatch(name):
        return None
    found = place / "incidents" / f"{name}.pcap"
    return found if found.is_file() else None


def _tell(path: Path, now: datetime) -> None:
    said = _read(path)
    found = _finding(said, path.stem, now) if said is not None else None
    if found is not None:
        fusion.take(found, now)


def _finding(said: dict[str, Any], name: str, now: datetime) -> Finding | None:
    """None: it is damaged, or says nothing that is known here."""
    offender, told, beside = str(said.get("offender", ""))[:64], said.get("evidence"), said.get("beside")
    pieces = tuple(filter(None, map(_piece, told if isinstance(told, list) else [])))
    if not offender or not pieces:
        return None
    return Finding(
        who=Who("address", offender),
        pieces=pieces,
        first_at=_moment(said.get("first"), now),
        last_at=_moment(said.get("last"), now),
        beside=tuple(str(one)[:64] for one in beside[:MOST_NAMES]) if isinstance(beside, list) else (),
        capture=name,
    )


def _piece(told: Any) -> Piece | None:
    if not isinstance(told, dict) or told.get("kind") not in BY_CODE:
        return None
    value, limit, seconds, most = (told.get(name) for name in ("value", "limit", "seconds", "ordinary_most"))
    if not isinstance(value, int) or not isinstance(limit, int) or not isinstance(seconds, int):
        return None
    return Piece(told["kind"], value, limit, seconds, most if isinstance(most, int) else None)


def _moment(seconds: object, now: datetime) -> datetime:
    """A time of the sensor, which is none ahead."""
    if not isinstance(seconds, int | float) or not 0 <= seconds < now.timestamp():
        return now
    return datetime.fromtimestamp(seconds, UTC)


def _note(path: Path, now: datetime) -> None:
    """How much it saw and lost since it was asked last, as any source."""
    said = _read(path) or {}
    before, _ = Cursor.objects.get_or_create(name=f"{_CURSOR}-frames")
    lost_before, _ = Cursor.objects.get_or_create(name=f"{_CURSOR}-lost")
    seen, lost = (int(said[name]) if isinstance(said.get(name), int) else 0 for name in ("frames", "lost"))
    # A sensor that began anew counts from nothing.
    more, more_lost = (value - row.last_id if value >= row.last_id else value for value, row in ((seen, before), (lost, lost_before)))
    if more:
        signs.tally(SOURCE, more + more_lost, more_lost, now)
        Cursor.objects.filter(pk=before.pk).update(last_id=seen)
        Cursor.objects.filter(pk=lost_before.pk).update(last_id=lost)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
