"""What an autopilot says in words (STATUSTEXT) -> events. Pure: long texts come in pieces, and what is said again and again goes once.

An autopilot repeats a complaint every few seconds, and a broken one says anything: the same text goes at most once in `REPEAT_S`, and
all together at most `MOST` of them a minute.
"""

from collections import deque
from datetime import UTC, datetime
from typing import Final, Literal

from croody_contract.limits import MAX_TEXT_CHARS
from croody_contract.messages import Event
from croody_contract.values import carried

REPEAT_S: Final = 30.0
MOST: Final = 60
_MINUTE_S: Final = 60.0
#: A text whose other pieces have not come after this goes as far as it came, seconds.
_PIECES_S: Final = 1.0
#: Texts that are put together at a time, and pieces of one: 255 of 50 characters would be more than an event may hold.
_MOST_OPEN: Final = 8
_PIECE_CHARS: Final = 50
_MOST_PIECES: Final = MAX_TEXT_CHARS // _PIECE_CHARS

Severity = Literal["low", "medium", "high", "critical"]
#: `MAV_SEVERITY` -> word in the event's code, and our severity.
_LEVELS: Final[tuple[tuple[str, Severity], ...]] = (
    ("emergency", "critical"),
    ("alert", "critical"),
    ("critical", "critical"),
    ("error", "high"),
    ("warning", "medium"),
    ("notice", "low"),
    ("info", "low"),
    ("debug", "low"),
)


class Texts:
    """The texts of one vehicle."""

    def __init__(self) -> None:
        #: id -> (level, when it began, piece number -> piece).
        self._open: dict[int, tuple[int, float, dict[int, str]]] = {}
        self._said_s: dict[tuple[int, str], float] = {}
        self._sent_s: deque[float] = deque(maxlen=MOST)

    def take(self, level: int, piece: str | bytes, number: int, index: int, now: float, mono_s: float) -> list[Event]:
        """Events of a piece: of its text when it is whole.

        Args:
            level: `MAV_SEVERITY`.
            piece: of the text; one shorter than 50 characters is the last.
            number: of the text, 0 when it has this piece alone.
            index: of the piece.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.
        """
        text = piece.decode(errors="replace") if isinstance(piece, bytes) else piece
        text = text.split("\x00", 1)[0]
        if not number:
            return self._whole(level, text, now, mono_s)
        if number not in self._open and len(self._open) >= _MOST_OPEN:
            return []
        pieces = self._open.setdefault(number, (level, mono_s, {}))[2]
        if index < _MOST_PIECES:
            pieces[index] = text
        return self._close(number, now, mono_s) if len(text) < _PIECE_CHARS else []

    def due(self, now: float, mono_s: float) -> list[Event]:
        """Events of texts whose last piece did not come."""
        late = [number for number, (_, began_s, _) in self._open.items() if mono_s - began_s > _PIECES_S]
        return [event for number in late for event in self._close(number, now, mono_s)]

    def _close(self, number: int, now: float, mono_s: float) -> list[Event]:
        level, _, pieces = self._open.pop(number)
        return self._whole(level, "".join(pieces[index] for index in sorted(pieces)), now, mono_s)

    def _whole(self, level: int, text: str, now: float, mono_s: float) -> list[Event]:
        said = carried(text)
        if said is None or not isinstance(said, str) or not 0 <= level < len(_LEVELS):
            return []
        self._said_s = {key: at_s for key, at_s in self._said_s.items() if mono_s - at_s < REPEAT_S}
        full = len(self._sent_s) == MOST and mono_s - self._sent_s[0] < _MINUTE_S
        if (level, said) in self._said_s or full:
            return []
        self._said_s[level, said] = mono_s
        self._sent_s.append(mono_s)
        word, severity = _LEVELS[level]
        return [Event(code=f"mavlink_{word}", ts=datetime.fromtimestamp(now, UTC), severity=severity, detail={"text": said})]
