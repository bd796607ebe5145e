"""What came of one HTTP request so far, and whether it is all there. Pure: bytes and seconds; judges no content."""

import re
from typing import Final

from croody_contract.limits import KIB, MIB

#: A head is never larger: whatever is, goes on to the server, which refuses it.
_HEAD_BYTES: Final = 64 * KIB
#: A body that says so is refused unread; one of the bridge's is the largest.
MOST_BYTES: Final = 8 * MIB
#: A head has to be there after so long, in seconds; a body may take a second more for every 2 KiB that came of it.
HEAD_S: Final = 10.0
_BYTES_S: Final = 2 * KIB
_LONGEST_S: Final = 120.0
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECT: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class Incoming:
    """One request. `since_s`: monotonic time of the wait for it."""

    def __init__(self, since_s: float, data: bytes = b"") -> None:
        self.since_s = since_s
        #: It asked whether it may send its body, and is to be told that it may.
        self.asks = False
        self.too_large = False
        self._data = bytearray()
        self._whole_at: int | None = None
        self._head_ends = -1
        self._chunked = False
        self.add(data)

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """More of it."""
        began = max(0, len(self._data) - len(_END))
        self._data += data
        if self._head_ends < 0:
            self._head_ends = self._data.find(_END, began)
            if self._head_ends >= 0:
                self._read_head()

    def whole(self) -> bool:
        """Say whether nothing has to be waited for any more."""
        if self._head_ends < 0:
            return len(self._data) > _HEAD_BYTES
        if self._chunked:
            return (self._data.endswith(_END) and len(self._data) > self._head_ends + len(_END)) or len(self._data) > MOST_BYTES
        return self._whole_at is None or len(self._data) >= self._whole_at

    def late(self, now_s: float) -> bool:
        """Say whether it took too long. A head that comes drop by drop gains no time by it."""
        more_s = len(self._data) / _BYTES_S if self._head_ends >= 0 else 0.0
        return now_s - self.since_s > min(HEAD_S + more_s, _LONGEST_S)

    def take(self) -> bytes:
        """All that came."""
        return bytes(self._data)

    def _read_head(self) -> None:
        head = bytes(self._data[: self._head_ends + 2])
        self._chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head)
        if length is not None and not self._chunked:
            self.too_large = int(length[1]) > MOST_BYTES
            self._whole_at = self._head_ends + len(_END) + int(length[1])
        plain = _EXPECT.sub(b"", head)
        if plain != head:
            # It is answered here, and who answers the request need not ask again.
            self.asks = not self.whole()
            self._data[: len(head)] = plain
            cut = len(head) - len(plain)
            self._head_ends -= cut
            self._whole_at = self._whole_at - cut if self._whole_at is not None else None
