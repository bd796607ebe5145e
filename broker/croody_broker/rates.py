"""How many bytes an account may publish. Pure arithmetic of token buckets; `now` is an argument.

One account that sends as fast as it can would fill the bridge's buffer faster than the bridge reads, and the bridge
would be dropped for everybody's messages. The limit is the account's, however many connections it has.
"""

from collections import OrderedDict
from typing import Final

#: What a message costs beyond its bytes: handling an empty one is about as much work as handling a kilobyte.
_MESSAGE_BYTES: Final = 1024
_MAX_REMEMBERED: Final = 10_000


class Rates:
    """A bucket for each account: `bytes_s` flow in every second, and it holds two seconds' worth."""

    def __init__(self, bytes_s: int) -> None:
        self.bytes_s = bytes_s
        #: User -> when the bucket would be full, if nothing more were taken.
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, user: str, size: int, now: float) -> float:
        """Take a message of `size` bytes. Returns the seconds to wait before the next, 0 while the bucket holds some."""
        full_at_s = max(self._full_at_s.pop(user, now), now) + (size + _MESSAGE_BYTES) / self.bytes_s
        self._full_at_s[user] = full_at_s
        if len(self._full_at_s) > _MAX_REMEMBERED:
            self._full_at_s.popitem(last=False)
        return max(0.0, full_at_s - now - 2.0)
