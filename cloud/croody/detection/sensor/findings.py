"""What the sensor wrote, read by others: incidents become alarms of the server's team, and the minute around each can be fetched."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from croody.accounts.models import Organisation
from croody.alarms import kinds
from croody.alarms.services import raise_alarm
from croody.detection.incidents import signs
from croody.detection.models import Cursor
from croody.detection.network_words import NETWORK
from croody.detection.sensor.watch import MOST, STATE
from croody_contract.flows.limits import BY_CODE

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
    """Turn what is new into alarms. May be stopped anywhere: what is told again changes an alarm that is open, and makes no other."""
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
    evidence = said.get("evidence") if said is not None else None
    if said is None or not isinstance(evidence, list) or not evidence or not isinstance(evidence[0], dict):
        return
    worst, offender = evidence[0], str(said.get("offender", ""))[:64]
    severity = str(said.get("severity"))
    if worst.get("kind") not in BY_CODE or severity not in kinds.SEVERITIES or not offender:
        return
    detail = {"offender": offender, **{name: worst.get(name) for name in ("kind", "value", "limit", "seconds", "technique")}}
    detail |= {"kinds": " ".join(map(str, said.get("kinds", []))), "capture": path.stem}
    raise_alarm("", NETWORK, f"sensor:{offender}", severity, detail, now, organisation=_only_team())


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


def _only_team() -> int | None:
    teams = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    return teams[0] if len(teams) == 1 else None
