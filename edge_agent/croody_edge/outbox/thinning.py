"""Which records go when the outbox is at its limit. Pure.

The policy: of the oldest readings, every second run of ten goes. Runs rather than single readings, because a batch on the wire
holds consecutive records only: a queue with a hole after every reading would drain one reading a publish. What is thinned again
gets coarser again, so the past fades and the present stays whole. Pictures and flows go with the readings; events, births, tombstones,
answers, suspect windows and suspect evidence never go.
"""

from collections.abc import Sequence
from typing import Final

from croody_contract import ranges
from croody_contract.messages import Conversation, Evidence, Reading, Record, Snapshot, Window
from croody_contract.ranges import Ranges

#: Readings that stay together, and then go together.
RUN: Final = 10
#: Most ranges in one tombstone, as the contract says.
TOMBSTONE_RANGES: Final = 1000


def may_go(record: Record) -> bool:
    """Say whether the policy may ever thin this record."""
    return isinstance(record, Reading | Snapshot | Conversation) or (isinstance(record, Window | Evidence) and not record.suspect)


def choose(keys: Sequence[int], protected: Ranges) -> list[int]:
    """Of thinnable keys, oldest first, those that go.

    Args:
        keys: ascending; only of records that may go.
        protected: keys that are on their way to the cloud now; what becomes of them is not ours to say.
    """
    free = [key for key in keys if not ranges.contains(protected, key)] if protected else list(keys)
    return [key for index, key in enumerate(free) if index // RUN % 2 == 1]


def chunks(spans: Ranges) -> list[Ranges]:
    """Ranges in pieces that fit into one tombstone each."""
    return [spans[at : at + TOMBSTONE_RANGES] for at in range(0, len(spans), TOMBSTONE_RANGES)]
