"""A small file beside the outbox that says which streams it held and how far the newest had come. Knows one file.

The outbox proves itself row by row; what it cannot show is that its end is missing (a truncated WAL is valid to SQLite), or
what was in it when it cannot be read at all. For that, the last seq whose `publish()` returned is kept here: exact as long as
the machine has not gone down since, else an upper bound, because the file is synced whenever a block of `_BLOCK` begins.
"""

import json
import os
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from croody_edge.outbox.keys import StreamRow

NAME: Final = "outbox.marks"
_BLOCK: Final = 4096
_COUNTER_BYTES: Final = 25
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Known:
    """What the watermark says: streams with their last seq, oldest first.

    `returned` is the last seq of the newest stream that is proven; its `last` is as high or, after a reboot, an upper bound.
    """

    robot_id: str
    streams: tuple[StreamRow, ...]
    returned: int


class Watermark:
    """The open file, for the newest stream."""

    def __init__(self, folder: Path, robot_id: str, streams: list[StreamRow], boot: str | None = None) -> None:
        """Replace the file by one that describes `streams`; the last of them is the one that grows.

        Raises:
            OSError: it cannot be written.
        """
        self._last = streams[-1].last
        body = json.dumps(
            {
                "robot_id": robot_id,
                "boot": boot_id() if boot is None else boot,
                "streams": [[row.n, row.id, row.prev, row.prev_last, row.last] for row in streams],
            }
        ).encode()
        fresh = folder / f"{NAME}.new"
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(self._file, _counter(self._last) + b"%08x" % crc32(body) + body)
            os.fsync(self._file)
            # Mapped, because a write() would touch the file's times, and the outbox's own sync would then have to wait for that.
            self._place = mmap(self._file, _COUNTER_BYTES)
            fresh.replace(folder / NAME)
        except OSError:
            os.close(self._file)
            raise

    def reached(self, last: int) -> None:
        """Publishes up to `last` are durable and about to return.

        Raises:
            OSError: it cannot be written.
        """
        self._place[:] = _counter(last)
        if last // _BLOCK != self._last // _BLOCK:
            self._place.flush()
        self._last = last

    def close(self) -> None:
        """Give the file back."""
        self._place.close()
        os.close(self._file)


def read(folder: Path, robot_id: str, boot: str | None = None) -> Known | None:
    """What the file says of this robot; None when there is none, or it cannot be trusted, or it is another robot's."""
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return None
    counter, check, body = data[:_COUNTER_BYTES], data[_COUNTER_BYTES : _COUNTER_BYTES + 8], data[_COUNTER_BYTES + 8 :]
    if check != b"%08x" % crc32(body):
        return None
    said: dict[str, Any] = json.loads(body)
    if said["robot_id"] != robot_id:
        return None
    streams = [StreamRow(n, name, prev, prev_last, last, 0) for n, name, prev, prev_last, last in said["streams"]]
    newest = streams.pop()
    returned = newest.last
    if counter == _counter(_digits(counter)):
        returned = max(returned, _digits(counter))
    same_boot = said["boot"] != "" and said["boot"] == (boot_id() if boot is None else boot)
    bound = returned if same_boot else (returned // _BLOCK + 1) * _BLOCK - 1
    streams.append(StreamRow(newest.n, newest.id, newest.prev, newest.prev_last, bound, 0))
    return Known(robot_id, tuple(streams), returned)


def boot_id() -> str:
    """A word that changes whenever the machine starts; empty where the system has none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _counter(last: int) -> bytes:
    digits = b"%015d" % last
    return b"%s:%08x\n" % (digits, crc32(digits))


def _digits(counter: bytes) -> int:
    return int(counter[:15]) if counter[:15].isdigit() else 0
