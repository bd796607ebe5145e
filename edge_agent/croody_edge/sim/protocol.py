"""The robot's own TCP protocol, line by line. Pure: a line and the time in, an answer out. Sockets are in `tcp`.

Lines are compared as bytes: what is no command, whatever its encoding, is `ERROR Invalid command`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest
from typing import Final, Protocol

DIRECTIONS: Final = ("UP", "DOWN", "LEFT", "RIGHT")
#: Every client gets a `DATA` line this often, seconds.
BROADCAST_S: Final = 15.0
#: A client that asks once a second by its own clock may be this early, seconds; the mean rate is still held.
_EARLY_S: Final = 0.1

INVALID: Final = "ERROR Invalid command"
FORBIDDEN: Final = "ERROR No tienes permisos"
UNKNOWN: Final = "ERROR Unknown var"
TOO_OFTEN: Final = "ERROR Rate limit"


class Machine(Protocol):
    """The robot behind the protocol."""

    def pairs(self) -> dict[str, str]:
        """Everything a client may see, name to text, in the order in which it is sent."""
        ...

    def move(self, direction: str) -> bool:
        """Move one step; False when something is in the way."""
        ...


class Role(StrEnum):
    """Who a client has logged in as."""

    NOBODY = ""
    USER = "USER"
    ADMIN = "ADMIN"


@dataclass(slots=True)
class Pace:
    """At most one a second on average."""

    due: float = float("-inf")

    def allow(self, now: float) -> bool:
        """Say whether one more may pass at `now` (seconds of a clock that never goes back), and count it if so."""
        if now < self.due - _EARLY_S:
            return False
        self.due = max(self.due, now) + 1.0
        return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back; None for nothing. `close` ends the connection, `slow` holds the answer back (a wrong password)."""

    text: str | None
    close: bool = False
    slow: bool = False


@dataclass(slots=True)
class Session:
    """One client's side of the conversation."""

    machine: Machine
    admin_password: str | None
    users: Callable[[], list[str]]
    role: Role = Role.NOBODY
    _paces: dict[bytes, Pace] = field(default_factory=lambda: {b"PING": Pace(), b"GET_DATA": Pace()})

    def handle(self, line: bytes, now: float, clock: float) -> Answer:
        """Answer one line.

        Args:
            line: without its line end.
            now: unix seconds, for the `DATA` line.
            clock: seconds of a clock that never goes back, for the rate limits.
        """
        words = line.split(b" ")
        match words:
            case [b"LOGIN", b"USER", b"-"]:
                self.role = Role.USER
                return Answer("LOGIN_SUCCESS USER")
            case [b"LOGIN", b"ADMIN", _, *_]:
                return self._login_admin(line.removeprefix(b"LOGIN ADMIN "))
            case [b"LOGOUT"]:
                return Answer(None, close=True)
            case [b"PING"] | [b"GET_DATA"] | [b"GET_DATA", _]:
                return self._ask(words, now, clock)
            case [b"MOVE", direction] if direction.decode("ascii", "replace") in DIRECTIONS:
                return self._move(direction.decode("ascii"))
            case [b"LIST_USERS"]:
                return Answer(f"USER_LIST {''.join(f'{user};' for user in self.users())}" if self.role is Role.ADMIN else FORBIDDEN)
        return Answer(INVALID)

    def _login_admin(self, password: bytes) -> Answer:
        if self.admin_password and compare_digest(password, self.admin_password.encode()):
            self.role = Role.ADMIN
            return Answer("LOGIN_SUCCESS ADMIN")
        return Answer("LOGIN_FAIL", slow=True)

    def _ask(self, words: list[bytes], now: float, clock: float) -> Answer:
        if self.role is Role.NOBODY:
            return Answer(FORBIDDEN)
        if not self._paces[words[0]].allow(clock):
            return Answer(TOO_OFTEN)
        if words == [b"PING"]:
            return Answer("PONG")
        name = words[1].decode("ascii", "replace") if len(words) > 1 else "ALL"
        pairs = self.machine.pairs()
        if name == "LNG":
            name = "LON"
        if name == "ALL":
            return Answer(data_line(pairs, now))
        return Answer(data_line({name: pairs[name]}, now) if name in pairs else UNKNOWN)

    def _move(self, direction: str) -> Answer:
        if self.role is not Role.ADMIN:
            return Answer(FORBIDDEN)
        return Answer(f"MOVE_SUCCESS {direction}" if self.machine.move(direction) else f"MOVE_FAIL {direction} OBSTACLE")


def data_line(pairs: dict[str, str], now: float) -> str:
    """`DATA <unix-seconds> K=V;K=V`."""
    return f"DATA {int(now)} {';'.join(f'{name}={value}' for name, value in pairs.items())}"
