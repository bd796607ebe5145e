"""The secrets of one robot, the likeliest first: what it has, what it made last, and the one of before. Knows their file, and no broker.

A secret that was made is on the disk before anybody hears of it, and the one of before stays there. So whichever of them the broker knows,
and whenever the power goes, this board can come in: also when the cloud's database is put back to what it was before a rotation.
"""

import secrets
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from croody_edge import identity
from croody_edge.identity import Identity, Next
from croody_edge.texts import text

#: Bytes of randomness in a secret.
SECRET_BYTES: Final = 32
#: Beside the one that works and the one that was made last. More would look like somebody who guesses, where none of them is good.
_MOST_BEFORE: Final = 1


class OtherBoard(OSError):
    """The folder is another robot's by now, or this one's by another claim."""


class Keyring:
    """May be asked from any thread; what writes is called from the agent's alone."""

    def __init__(self, secret: str, folder: Path | None = None) -> None:
        """Args:
        secret: that the agent was started with.
        folder: where the board's identity lies; None for a secret that somebody else keeps, which is not ours to change.
        """
        self._lock = Lock()
        self._folder = folder
        found = identity.read(folder) if folder is not None else None
        self._mine = found if found is not None and found.secret == secret else Identity("", secret, "", [])
        self._live = self._first = secret

    @property
    def is_ours(self) -> bool:
        """Say whether the secret is this board's own to change."""
        return self._folder is not None

    @property
    def candidates(self) -> tuple[str, ...]:
        """Those that may be good, the likeliest first."""
        with self._lock:
            made = [self._mine.next.secret] if self._mine.next is not None else []
            return tuple(dict.fromkeys([self._first, self._live, self._mine.secret, *made, *self._mine.before]))

    @property
    def live(self) -> str:
        """The one that a broker took last."""
        return self._live

    def made_for(self, rotation: str) -> str | None:
        """The secret that was made for this rotation."""
        made = self._mine.next
        return made.secret if made is not None and made.rotation == rotation else None

    def make(self, rotation: str) -> str:
        """A new secret for this rotation, on the disk when this returns.

        Raises:
            OSError: it cannot be kept there; the secrets are what they were.
            BadSetting: the file cannot be read.
        """
        fresh = secrets.token_urlsafe(SECRET_BYTES)
        self._keep(Next(rotation, fresh), self._others(self._live))
        with self._lock:
            # Whoever ends the connection now does so because of it.
            self._first = fresh
        return fresh

    def worked(self, secret: str) -> None:
        """A broker took this one: it comes first from now on, and is written down as the first.

        Raises:
            OSError: that cannot be written; all of them are kept as they were.
            BadSetting: the file cannot be read.
        """
        if secret not in self.candidates:
            return
        with self._lock:
            self._live = self._first = secret
        if secret != self._mine.secret:
            self._keep(self._mine.next, self._others(secret))

    def _others(self, first: str) -> list[str]:
        return [one for one in self.candidates if one != first][:_MOST_BEFORE]

    def _keep(self, made: Next | None, before: list[str]) -> None:
        mine = msgspec.structs.replace(self._mine, secret=self._live, next=made, before=before)
        if self._folder is not None:
            there = identity.read(self._folder)
            if there is None or (there.robot_id, there.claim) != (self._mine.robot_id, self._mine.claim):
                raise OtherBoard(text("keyring.other_board", file=self._folder / identity.NAME))
            identity.keep(self._folder, mine)
        with self._lock:
            self._mine = mine
