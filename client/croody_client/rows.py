"""Where a CSV that was cut off ends: the last whole row of it. Pure; reads bytes as they come."""

from dataclasses import dataclass


@dataclass(slots=True)
class Rows:
    """What of a CSV is whole.

    `whole`: bytes up to the end of the last whole row; `last`: that row's first cell, empty before any; `count`: rows, without the head.
    """

    whole: int = 0
    last: str = ""
    count: int = 0
    _quoted: bool = False
    _begun: bytes = b""
    _head: bool = True

    def take(self, data: bytes) -> None:
        """More of it. A row may have line breaks within quotes."""
        for line in data.splitlines(keepends=True):
            self._quoted ^= bool(line.count(b'"') % 2)
            self._begun += line
            if line.endswith(b"\n") and not self._quoted:
                self.whole += len(self._begun)
                if not self._head:
                    self.count += 1
                    self.last = self._begun.partition(b",")[0].strip(b'"\n').decode()
                self._head = False
                self._begun = b""

    def cut(self) -> None:
        """Forget what is not whole; all of it, where no row is."""
        self._begun, self._quoted = b"", False
        if not self.count:
            self.whole, self._head = 0, True
