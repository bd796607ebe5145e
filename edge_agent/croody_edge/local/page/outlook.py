"""How fast an outbox fills and empties, and when it will be empty; since when nothing gets through. Pure; time is an argument."""

from collections import deque
from dataclasses import dataclass
from typing import Final

#: Between two samples, seconds, and how many are kept: five minutes.
EVERY_S: Final = 10.0
_KEPT: Final = 31


@dataclass(frozen=True, slots=True)
class Outlook:
    """`new_per_s` and `sent_per_s` are None until it was watched for a while; `empty_in_s` is None where nobody can say."""

    new_per_s: float | None = None
    sent_per_s: float | None = None
    empty_in_s: float | None = None


class Watched:
    """What was seen of one outbox and its way out."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=_KEPT)
        #: Unix seconds; None while something gets through.
        self.away_since_s: float | None = None

    def saw(self, *, away: bool, last_seq: int, pending: int, now: float, mono_s: float) -> None:
        """Look at it now and then.

        Args:
            away: nothing gets through.
            last_seq: of the stream that grows.
            pending: records that wait.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        if not away:
            self.away_since_s = None
        elif self.away_since_s is None:
            self.away_since_s = now
        if self._samples and last_seq < self._samples[-1][1]:
            self._samples.clear()  # Another stream.
        if not self._samples or mono_s - self._samples[-1][0] >= EVERY_S:
            self._samples.append((mono_s, last_seq, pending))

    def outlook(self, *, last_seq: int, pending: int, mono_s: float) -> Outlook:
        """What follows from the last minutes."""
        if not self._samples or mono_s - self._samples[0][0] < EVERY_S:
            return Outlook()
        began_s, first, waited = self._samples[0]
        over_s = mono_s - began_s
        new = max(0, last_seq - first) / over_s
        sent = max(0.0, new - (pending - waited) / over_s)
        if not pending:
            return Outlook(new, sent, 0.0)
        return Outlook(new, sent, pending / (sent - new) if self.away_since_s is None and sent > new * 1.01 else None)
