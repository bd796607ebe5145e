"""Asks a server of ours for pages and says how long each answer took, as a client on the same machine sees it."""

import gzip
import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tools.words import Problem

_PATIENCE_S = 120.0
#: A page that is slow is asked for less often: no more once its answers have taken this long together.
_ENOUGH_S = 8.0


@dataclass(frozen=True, slots=True)
class Page:
    """How long each answer took, and the last one."""

    times_ms: Sequence[float]
    body: bytes

    @property
    def ms(self) -> float:
        """The median."""
        return median(self.times_ms)

    @property
    def packed(self) -> int:
        """Bytes of the answer behind a gateway that compresses."""
        return len(gzip.compress(self.body, 5))


def ask(port: int, path: str, times: int, *, warm: bool = True) -> Page:
    """GET `path` on a kept connection, once to warm it (unless the first answer is what counts) and then at most `times` times.

    Raises:
        Problem: the answer is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    took: list[float] = []
    warmed, body = not warm, b""
    try:
        while len(took) < times and sum(took) < 1000 * _ENOUGH_S:
            began = time.perf_counter()
            connection.request("GET", path)
            reply = connection.getresponse()
            body = reply.read()
            if reply.status != 200:
                said = body[:200].decode(errors="replace")
                raise Problem(f"GET {path}: contestó {reply.status}: {said}", f"GET {path}: answered {reply.status}: {said}")
            if warmed:
                took.append(1000 * (time.perf_counter() - began))
            warmed = True
    finally:
        connection.close()
    return Page(took, body)
