"""A serial port, line by line, until it is closed or gone. Knows bytes; what a line says is for who uses it."""

import termios
from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta
from serial import Serial

from croody_edge.lines import Lines
from croody_edge.sources import SourceSettings
from croody_edge.sources.serial.port import found

#: How long a read waits, seconds; so long may an end take.
_WAIT_S: Final = 0.5


class PortSettings(SourceSettings, frozen=True):
    """A serial port."""

    device: Annotated[str, Meta(min_length=1, description="a port, or a pattern of which the first that exists is taken")]
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000)] = 9600
    bytesize: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1


def lines(own: PortSettings, closed: Callable[[], bool]) -> Iterator[bytes | None]:
    """Lines as they come; None for one that was too long, and empty bytes when nothing comes for a while.

    Raises:
        OSError: there is no such port, or it is gone.
    """
    try:
        with Serial(found(own.device), own.baudrate, own.bytesize, own.parity, own.stopbits, timeout=_WAIT_S) as port:
            whole = Lines()
            while not closed():
                got = port.read(max(1, min(port.in_waiting, 4096)))
                if not got:
                    yield b""
                yield from whole.feed(got)
    except termios.error as error:
        raise OSError(str(error)) from error
