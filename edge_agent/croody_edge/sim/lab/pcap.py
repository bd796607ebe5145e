"""Writes a capture as tcpdump does, in nanoseconds. Reading it is the contract's."""

import struct
from typing import BinaryIO, Final

from croody_contract.flows.capture import Frame

#: As much of a frame as is kept, bytes.
SNAP_BYTES: Final = 512


def begin(out: BinaryIO, snap: int = SNAP_BYTES) -> None:
    """The head of the file."""
    out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, 1))


def add(out: BinaryIO, frame: Frame, snap: int = SNAP_BYTES) -> None:
    """A frame."""
    seconds, rest = divmod(frame.at_ns, 1_000_000_000)
    data = frame.data[:snap]
    out.write(struct.pack("<IIII", seconds, rest, len(data), frame.length) + data)
