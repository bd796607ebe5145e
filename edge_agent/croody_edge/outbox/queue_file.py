"""An open outbox file: its streams, of which the newest grows. Knows how many rows wait and which number comes next.

Decides nothing: what may be kept is the limit's to say, when to open and when to give up is the outbox's.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import TOP_SEQ, StreamRow, key_of
from croody_edge.outbox.store import Damaged, Store
from croody_edge.outbox.watermark import Watermark

log: Final = logging.getLogger("croody.outbox")


class QueueFile:
    """Lasts as long as nothing makes the file doubtful. What it counted can be asked also after `close`."""

    def __init__(self, folder: Path, store: Store, streams: Sequence[StreamRow], last: int, watermark: Watermark | None) -> None:
        """Args: `streams` with the growing one at the end, whose newest seq is `last`; `watermark` where it can be written."""
        self.store, self.is_open = store, True
        self._folder, self._watermark = folder, watermark
        self._streams = {row.n: row for row in streams}
        self._n, self._last = streams[-1].n, last

    @property
    def current(self) -> StreamRow:
        """The stream that grows."""
        return self.stream(self._n)

    @property
    def end(self) -> int:
        """The key that the next record gets."""
        return key_of(self._n, self._last + 1)

    def stream(self, n: int) -> StreamRow:
        """The stream at a place.

        Raises:
            Damaged: the file names none there.
        """
        row = self._streams.get(n)
        if row is None:
            raise Damaged(f"records of a stream {n} that the file does not name")
        if n != self._n:
            return row
        return StreamRow(row.n, row.id, row.prev, row.prev_last, self._last, row.removed)

    def find(self, name: str) -> StreamRow | None:
        """A stream by its id."""
        found = next((row for row in self._streams.values() if row.id == name), None)
        return self.stream(found.n) if found else None

    def pending(self) -> int:
        """Rows not yet acknowledged."""
        return sum(self.stream(n).pending for n in self._streams)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, the numbers given out included."""
        before = self._last
        try:
            with self.store.transaction():
                yield
        except BaseException:
            self._last = before
            raise

    def insert(self, records: Sequence[Encoded]) -> list[int]:
        """Add records to the growing stream, inside `transaction`. Returns their keys.

        Raises:
            Damaged: the stream is full.
        """
        if self._last + len(records) > TOP_SEQ:
            raise Damaged("the stream is full")
        keys = list(range(self.end, self.end + len(records)))
        self.store.insert((key, record.low, record.body) for key, record in zip(keys, records, strict=True))
        self._last += len(records)
        return keys

    def recount(self) -> None:
        """Rows have left the file."""
        for row in self.store.streams():
            self._streams[row.n] = row

    def reached(self) -> None:
        """What was inserted is durable: leave word of it outside the file."""
        if self._watermark is not None:
            try:
                self._watermark.reached(self._last)
            except OSError as error:
                log.warning("outbox %s: its watermark cannot be written (%s): a lost tail would not be noticed", self._folder, error)
                self._watermark.close()
                self._watermark = None

    def close(self) -> None:
        """Give the file back; never raises, since it often follows an error."""
        self.is_open = False
        try:
            self.store.close()
        except sqlite3.Error as error:
            log.debug("outbox %s: closing: %s", self._folder, error)
        if self._watermark is not None:
            self._watermark.close()
            self._watermark = None
