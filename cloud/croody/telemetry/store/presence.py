"""Writes what robots said about being there, inside the caller's transaction; the same SQL on both databases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connections

from croody.telemetry.ingest.letters import clean
from croody_contract.relay import PresenceItem

#: How a goodbye is kept.
OFF: Final = "off"
# `off` is `offline` with a goodbye. A will that comes after it, because the connection broke before it was closed, is no news.
# A will that names another run than the one that spoke last is late news of the run before.
_PRESENCE: Final = """
INSERT INTO telemetry_presence (robot_id, state, stream, queued, interval_s, since, received_at, speaker, speaker_before, returns)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', 0)
ON CONFLICT (robot_id) DO UPDATE SET
    returns = CASE
        WHEN excluded.speaker IN ('', telemetry_presence.speaker) THEN telemetry_presence.returns
        WHEN excluded.speaker = telemetry_presence.speaker_before THEN telemetry_presence.returns + 1
        ELSE 0 END,
    came_back_at = CASE
        WHEN excluded.speaker IN ('', telemetry_presence.speaker) THEN telemetry_presence.came_back_at
        WHEN excluded.speaker = telemetry_presence.speaker_before THEN excluded.received_at
        ELSE NULL END,
    speaker_before = CASE WHEN excluded.speaker IN ('', telemetry_presence.speaker) THEN telemetry_presence.speaker_before
        ELSE telemetry_presence.speaker END,
    speaker = CASE WHEN excluded.speaker = '' THEN telemetry_presence.speaker ELSE excluded.speaker END,
    state = excluded.state, stream = excluded.stream, queued = excluded.queued,
    interval_s = coalesce(excluded.interval_s, telemetry_presence.interval_s),
    since = CASE WHEN telemetry_presence.state = excluded.state THEN telemetry_presence.since ELSE excluded.since END,
    received_at = excluded.received_at
WHERE NOT (excluded.state = 'offline' AND telemetry_presence.state = 'off')
AND NOT (excluded.state <> 'online' AND telemetry_presence.state = 'online' AND excluded.stream <> ''
    AND telemetry_presence.stream <> '' AND excluded.stream <> telemetry_presence.stream)
"""


def write_presence(items: Sequence[PresenceItem], now: datetime, alias: str) -> None:
    """Book what robots said about being there; of several words of one robot the last one counts."""
    last = {item.robot_id: item.presence for item in items}
    moment = connections[alias].ops.adapt_datetimefield_value(now)
    values = [
        (
            robot_id,
            OFF if word.state == "offline" and word.goodbye else word.state,
            clean(word.stream or "", 64),
            word.queued,
            word.interval_s,
            moment,
            moment,
            clean(word.stream or "", 64) if word.state == "online" else "",
        )
        for robot_id, word in sorted(last.items())
    ]
    with connections[alias].cursor() as cursor:
        cursor.executemany(_PRESENCE, values)
