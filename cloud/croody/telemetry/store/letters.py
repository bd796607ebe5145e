"""Writes dead letters, inside the caller's transaction; the same SQL on both databases."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connections
from django.db.models import Count, F

from croody.telemetry.ingest.letters import MOST_A_ROBOT, Letter
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
    """Keep letters; beyond `MOST_A_ROBOT` of one robot only count them."""
    if not letters:
        return
    robots = {letter.robot_id for letter in letters}
    moment = connections[alias].ops.adapt_datetimefield_value(now)
    letters = sorted(letters, key=lambda one: (one.robot_id, one.stream, one.first, one.last, one.reason, one.hash))
    letters = [letter for letter in letters if not (letter.reason == "dead_before" and _count_again(letter, now, alias))]
    held = DeadLetter.objects.using(alias).filter(robot_id__in=robots).values_list("robot_id").annotate(Count("pk"))
    room = {robot_id: MOST_A_ROBOT - count for robot_id, count in held}
    kept: list[tuple[Any, ...]] = []
    beyond: Counter[str] = Counter()
    for letter in letters:
        if room.get(letter.robot_id, MOST_A_ROBOT) <= 0:
            beyond[letter.robot_id] += 1
            continue
        room[letter.robot_id] = room.get(letter.robot_id, MOST_A_ROBOT) - 1
        place = letter.robot_id, letter.stream, letter.first, letter.last
        kept.append((*place, letter.reason, letter.detail, letter.topic, letter.body, letter.hash, moment))
    text = f"beyond {MOST_A_ROBOT} letters of one robot only their number is kept: look at those that are, or delete them"
    with connections[alias].cursor() as cursor:
        if kept:
            cursor.executemany(_LETTER, kept)
        for robot_id, count in sorted(beyond.items()):
            cursor.execute(_OVERFLOW, [robot_id, text, b"", moment, count])


def _count_again(letter: Letter, now: datetime, alias: str) -> bool:
    """Say whether a letter with the same bytes is kept already, and count it once more."""
    place = {"robot_id": letter.robot_id, "stream": letter.stream, "first": letter.first, "last": letter.last}
    same = DeadLetter.objects.using(alias).filter(**place, hash=letter.hash)
    return same.update(count=F("count") + 1, received_at=now) > 0
