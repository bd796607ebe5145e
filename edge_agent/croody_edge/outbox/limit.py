"""The size limit of an outbox: what it holds is thinned, oldest first, when more would not fit, and the cloud is told what went.

Knows how full the file is; which of the readings go is decided in `thinning`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from typing import Final

from croody_contract import ranges
from croody_contract.messages import Tombstone, encode
from croody_contract.ranges import Ranges
from croody_edge.outbox import thinning
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import place_of
from croody_edge.outbox.queue_file import QueueFile

#: Above the limit this share is kept for what may never be thinned, so that an event still finds a place.
_RESERVE: Final = 1.1
#: A record's place in the file beside its body, bytes; only an estimate between two looks at the file.
_ROW_BYTES: Final = 24
#: Rows looked at in one piece while thinning.
_THIN_ROWS: Final = 500


class Limit:
    """Of one open file; begin anew with the next one."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Args: `folder` is named to people; `limit_bytes` is the size of the file beyond which readings go."""
        self._folder, self._limit = folder, limit_bytes
        #: What surely fits before the file has to be looked at again, bytes.
        self._room = 0
        #: Where the walk through the oldest half is, and how many rows of it are left.
        self._at = self._left = 0

    def make_room(self, queue: QueueFile, records: Sequence[Encoded], now: float, protected: Ranges) -> bool:
        """Thin the oldest readings when these records would pass the limit, and say so with tombstones, in the caller's transaction.

        Returns whether any went.

        Args:
            queue: the open file.
            records: what is to be kept next.
            now: unix seconds.
            protected: keys that must not go now.

        Raises:
            OSError: ENOSPC when not enough may go.
        """
        size = sum(len(record.body) + _ROW_BYTES for record in records)
        self._room -= size
        if self._room >= 0:
            return False
        limit = self._limit if any(record.low for record in records) else int(self._limit * _RESERVE)
        used = queue.store.used_bytes()
        dropped = ranges.EMPTY
        if used + size > limit:
            target = self._limit - size - min(1 << 20, self._limit // 20)
            dropped = self._thin(queue, target, protected)
            _tell(queue, dropped, now)
            used = queue.store.used_bytes()
            if used + size > limit:
                self._room = 0
                raise OSError(
                    ENOSPC, f"outbox {self._folder}: {used} bytes of at most {self._limit} are in use and none of it may be thinned"
                )
        # What a record takes in pages is only estimated, so the file itself is looked at often.
        self._room = max(0, min(self._limit - used - size, self._limit // 16))
        return bool(dropped)

    def _thin(self, queue: QueueFile, target: int, protected: Ranges) -> Ranges:
        """Walk the oldest half of the queue, from where the last walk ended, until the file is small enough or has been seen twice."""
        dropped: list[int] = []
        restarts = 0
        while restarts < 3 and queue.store.used_bytes() > target:
            if self._left <= 0:
                self._at, self._left = 0, max(2 * thinning.RUN, queue.pending() // 2)
                restarts += 1
            rows = queue.store.rows(self._at, queue.end, min(_THIN_ROWS, self._left))
            if not rows:
                self._left = 0
                continue
            gone = set(thinning.choose([row.key for row in rows if row.low], protected))
            # What stays is written anew behind what goes, because rows taken out one by one leave half-empty pages.
            if gone:
                queue.store.rewrite(rows, gone)
                dropped.extend(gone)
            self._at = rows[-1].key + 1
            self._left -= len(rows)
        return ranges.of(dropped)


def _tell(queue: QueueFile, dropped: Ranges, now: float) -> None:
    """A tombstone for every stream that lost some."""
    moment = datetime.fromtimestamp(now, UTC)
    by_stream: dict[int, list[ranges.Range]] = {}
    for first, last in dropped:
        n, seq = place_of(first)
        by_stream.setdefault(n, []).append((seq, place_of(last)[1]))
    for n, spans in by_stream.items():
        for piece in thinning.chunks(tuple(spans)):
            stone = Tombstone(stream=queue.stream(n).id, ranges=list(piece), reason="thinned", ts=moment)
            queue.insert([Encoded(encode(stone), low=False)])
