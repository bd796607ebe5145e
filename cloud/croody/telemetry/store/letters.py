"""Writes dead letters, inside the caller's transaction; the same SQL on both databases."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.db.models import Count, F

from croody.telemetry.ingest.letters import Letter
from croody.telemetry.models import DeadLetter

_LETTER: Final = """
INSERT INTO telemetry_deadletter (robot_id, stream, first, last, reason, detail, topic, body, hash, received_at, count)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)
ON CONFLICT (robot_id, stream, first, last, reason, hash)
DO UPDATE SET count = telemetry_deadletter.count + 1, received_at = excluded.received_at
"""

_OVERFLOW: Final = """
INSERT INTO telemetry_deadletter (robot_id, stream, first, last, reason, detail, topic, body, hash, received_at, count)
VALUES (%s, '', 0, 0, 'too_many', %s, '', %s, '', %s, %s)
ON CONFLICT (robot_id, stream, first, last, reason, hash)
DO UPDATE SET count = telemetry_deadletter.count + excluded.count, received_at = excluded.received_at
"""


def write_letters(letters: Sequence[Letter], now: datetime, alias: str) -> None:
    """Keep letters; beyond the quota of one robot only count them."""
    if not letters:
        return
    robots = {letter.robot_id for letter in letters}
    moment = connections[alias].ops.adapt_datetimefield_value(now)
    letters = sorted(letters, key=lambda one: (one.robot_id, one.stream, one.first, one.last, one.reason, one.hash))
    again = _count_again([letter for letter in letters if letter.reason == "dead_before"], now, alias)
    letters = [letter for letter in letters if letter not in again]
    most = settings.ENV.quotas.letters
    held = DeadLetter.objects.using(alias).filter(robot_id__in=robots).values_list("robot_id").annotate(Count("pk"))
    room = {robot_id: most - count for robot_id, count in held}
    kept: list[tuple[Any, ...]] = []
    beyond: Counter[str] = Counter()
    for letter in letters:
        if room.get(letter.robot_id, most) <= 0:
            beyond[letter.robot_id] += 1
            continue
        room[letter.robot_id] = room.get(letter.robot_id, most) - 1
        place = letter.robot_id, letter.stream, letter.first, letter.last
        kept.append((*place, letter.reason, letter.detail, letter.topic, letter.body, letter.hash, moment))
    text = f"beyond {most} letters of one robot only their number is kept: look at those that are, or delete them"
    with connections[alias].cursor() as cursor:
        if kept:
            cursor.executemany(_LETTER, kept)
        for robot_id, count in sorted(beyond.items()):
            cursor.execute(_OVERFLOW, [robot_id, text, b"", moment, count])


def _count_again(letters: Sequence[Letter], now: datetime, alias: str) -> set[Letter]:
    """Those of which one with the same bytes is kept already: it is counted once more. A few questions, however many letters."""
    places: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        places.setdefault((letter.robot_id, letter.stream), []).append(letter)
    found: set[Letter] = set()
    for (robot_id, stream), mine in places.items():
        kept = DeadLetter.objects.using(alias).filter(robot_id=robot_id, stream=stream, first__in=[letter.first for letter in mine])
        pks: dict[tuple[int, int, str], list[int]] = {}
        for pk, first, last, digest in kept.values_list("pk", "first", "last", "hash"):
            pks.setdefault((first, last, digest), []).append(pk)
        same = [
            (letter, pks[(letter.first, letter.last, letter.hash)]) for letter in mine if (letter.first, letter.last, letter.hash) in pks
        ]
        kept_again = [pk for _, rows in same for pk in rows]
        DeadLetter.objects.using(alias).filter(pk__in=kept_again).update(count=F("count") + 1, received_at=now)
        found.update(letter for letter, _ in same)
    return found
