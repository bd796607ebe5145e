"""A record as it is kept: checked, encoded, and judged whether it may be thinned. Pure.

This is the only place of the edge that encodes a record or reads one back: from here on its bytes are kept, sent and hashed as they are.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from croody_contract.batch import check_size
from croody_contract.messages import Record, Refused, check_record, encode, parse_record
from croody_edge.outbox.thinning import may_go


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded record. `low` says that it may be thinned."""

    body: bytes
    low: bool


def checked(record: Record) -> Encoded:
    """Check and encode a record.

    Raises:
        ValueError: it breaks a rule; the message names the field.
    """
    try:
        check_record(record)
        body = encode(record)
        check_size(body)
        # A struct takes whatever it is given: only reading it back tells values of a wrong type.
        parse_record(body)
    except Refused:
        raise
    except (TypeError, AttributeError, OverflowError, msgspec.MsgspecError) as error:
        raise ValueError(f"no record: {error}") from error
    return Encoded(body, may_go(record))


def written_s(body: bytes) -> float:
    """What an encoded record says of its time, unix seconds; 0 where it says none."""
    try:
        ts = msgspec.json.decode(body, type=_Dated).ts
    except (msgspec.MsgspecError, UnicodeError):
        return 0.0
    return ts.timestamp() if ts is not None else 0.0


class _Dated(msgspec.Struct):
    ts: datetime | None = None
