"""Bytes as they come -> whole lines. Pure; a line that never ends costs no memory."""

from dataclasses import dataclass
from typing import Final

#: Longest line that is read, bytes. A longer one is skipped to its end.
MAX_LINE_BYTES: Final = 1024


@dataclass(slots=True)
class Lines:
    """Of one connection; None stands for a line that was too long."""

    most_bytes: int = MAX_LINE_BYTES
    _rest: bytes = b""
    _skipping: bool = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """Lines that `data` completes, without the line feed and one carriage return before it."""
        *whole, rest = (self._rest + data).split(b"\n")
        out: list[bytes | None] = []
        for line in whole:
            if self._skipping:
                self._skipping = False
            elif len(line) > self.most_bytes:
                out.append(None)
            else:
                out.append(line.removesuffix(b"\r"))
        if self._skipping:
            rest = b""
        elif len(rest) > self.most_bytes:
            out.append(None)
            self._skipping, rest = True, b""
        self._rest = rest
        return out
