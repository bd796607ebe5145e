"""The last packets in a ring of pcap files, bounded; what surrounds a moment is cut out of it and kept. Knows files, never who did what."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from croody_contract.flows import capture
from croody_contract.flows.capture import Frame, NoCapture

#: A file of the ring, and how many there are.
SEGMENT_BYTES: Final = 8 * 1024 * 1024
SEGMENTS: Final = 8
#: Of one cut, at most.
CUT_BYTES: Final = 16 * 1024 * 1024
_HEAD: Final = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1)
_RECORD: Final = struct.Struct("<IIII")
_SECOND_NS: Final = 1_000_000_000


class Ring:
    """Ethernet frames, newest last. A ring that is there already begins anew."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, segments: int = SEGMENTS) -> None:
        self._folder, self._segment_bytes, self._segments = folder, segment_bytes, segments
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.pcap"):
            old.unlink()
        self._number = self._written = 0
        self._file = self._begin()

    def put(self, frame: Frame) -> None:
        """One frame."""
        if self._written > self._segment_bytes:
            self._file.close()
            self._number += 1
            self._path(self._number - self._segments).unlink(missing_ok=True)
            self._file = self._begin()
        self._written += write_frame(self._file, frame)

    def cut(self, first_ns: int, last_ns: int, into: Path) -> None:
        """Write what lies between these times into a file, whole or not at all."""
        self._file.flush()
        beside = into.with_name(into.name + ".new")
        with beside.open("wb") as out:
            out.write(_HEAD)
            written = 0
            for frame in self._all():
                if first_ns <= frame.at_ns <= last_ns and written < CUT_BYTES:
                    written += write_frame(out, frame)
        beside.replace(into)

    def _all(self) -> Iterator[Frame]:
        for number in range(max(0, self._number - self._segments + 1), self._number + 1):
            try:
                with self._path(number).open("rb") as file:
                    yield from capture.read(file)
            except (FileNotFoundError, NoCapture):
                continue

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.pcap"

    def _begin(self) -> BinaryIO:
        file = self._path(self._number).open("wb")
        file.write(_HEAD)
        self._written = len(_HEAD)
        return file

    def close(self) -> None:
        """Write what waits."""
        self._file.close()


def write_frame(file: BinaryIO, frame: Frame) -> int:
    """Append a frame; says how many bytes that took."""
    file.write(_RECORD.pack(frame.at_ns // _SECOND_NS, frame.at_ns % _SECOND_NS, len(frame.data), frame.length) + frame.data)
    return _RECORD.size + len(frame.data)
