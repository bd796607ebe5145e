"""A lock file that counts for both who look at it: it exists (made with O_EXCL), and it is locked (flock). Knows one file.

The supervisor looks whether the file exists before it touches a container; the host's scripts try its flock before they reboot. The
kernel gives the flock back when its holder dies, the file stays: `clear` takes away what a run before left.
"""

import fcntl
import os
from contextlib import suppress
from errno import EAGAIN, EEXIST
from pathlib import Path

from croody_edge.texts import text


class LockFile:
    """Held by one process at a time, and never that of somebody else: neither taken over nor removed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number: int | None = None

    @property
    def held(self) -> bool:
        """Say whether it was taken and not released. An operator may have overridden it since: `take` notices."""
        return self._number is not None

    def take(self) -> None:
        """Hold it; again when somebody has overridden it.

        Raises:
            OSError: EEXIST when somebody else holds it, most likely because an update begins; otherwise its folder cannot be written.
        """
        if self._number is not None and _same(self.path, self._number):
            return
        self._let_go()
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError as error:
            raise FileExistsError(EEXIST, text("lock.taken_by_another")) from error
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            _remove(self.path, number)
            os.close(number)
            raise OSError(EAGAIN, text("lock.taken_by_another")) from error
        self._number = number

    def release(self) -> None:
        """Give it back; what lies in its place by now and is somebody else's stays.

        Raises:
            OSError: the file cannot be removed; it is no longer locked.
        """
        try:
            if self._number is not None:
                _remove(self.path, self._number)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._number is not None:
            os.close(self._number)
            self._number = None


def clear(path: Path) -> bool:
    """Remove the lock of a run that died holding it. Say whether there was one.

    Only a file of this user's that nobody has locked goes: the supervisor's belongs to `nobody`, a living agent's is locked.

    Raises:
        OSError: it cannot be looked at or removed.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if os.fstat(number).st_uid != os.geteuid():
            return False
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        _remove(path, number)
        return True
    finally:
        os.close(number)


def _remove(path: Path, number: int) -> None:
    if _same(path, number):
        with suppress(FileNotFoundError):
            path.unlink()


def _same(path: Path, number: int) -> bool:
    """Whether the path still leads to the file that is open; an operator's override puts another in its place, or none."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    opened = os.fstat(number)
    return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)
