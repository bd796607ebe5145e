"""What telemetry's tests say often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from croody_contract import messages
from croody_contract.relay import BatchItem, Relay

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def raw(record: messages.Record | bytes) -> msgspec.Raw:
    return msgspec.Raw(record if isinstance(record, bytes) else messages.encode(record))


def reading(value: float = 20.5, ts: datetime | None = None, **more: Any) -> messages.Reading:
    return messages.Reading(data={"TEMP": value}, ts=ts, **more)


def batch(robot_id: str, stream: str, first: int, records: list[Any], **head: Any) -> Relay:
    return Relay(batches=[BatchItem(robot_id, stream, first, [raw(record) for record in records], **head)])


def count_up(first: int, last: int, *, at: datetime = NOON) -> list[messages.Reading]:
    """Readings whose value is their seq, a second apart, the last one just before `at`."""
    return [reading(float(seq), at - timedelta(seconds=last - seq)) for seq in range(first, last + 1)]


def stored(robot_id: str = "rover-1", stream: str = "stream-a") -> list[int]:
    """Seqs of the rows that are really there."""
    from croody.telemetry.models import Record

    return list(Record.objects.filter(robot_id=robot_id, stream=stream).order_by("seq").values_list("seq", flat=True))


def told(text: msgspec.Raw | None) -> Any:
    """What the API says, as values; it must be there."""
    assert text is not None
    return msgspec.json.decode(text)


def account(robot_id: str = "rover-1", stream: str = "stream-a") -> dict[str, Any]:
    """The ledger's row."""
    from croody.telemetry.models import Stream

    row = Stream.objects.get(robot_id=robot_id, stream=stream)
    return {"have": row.have, "dead": row.dead, "dropped": row.dropped, "known_last": row.known_last, "missing_since": row.missing_since}
