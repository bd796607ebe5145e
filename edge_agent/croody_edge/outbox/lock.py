"""One agent a folder: a lock that the kernel gives back by itself when its holder dies. Knows one file."""

import fcntl
import os
from contextlib import suppress
from errno import EBUSY
from pathlib import Path
from typing import Final

from croody_edge.texts import text

_NAME: Final = "outbox.lock"


class Locked(OSError):
    """Another agent holds this outbox."""


def take(folder: Path) -> int:
    """The folder's lock, held until the returned descriptor is closed.

    Raises:
        Locked: another agent holds it.
        OSError: the folder cannot be written.
    """
    number = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(number, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(number)
        raise Locked(EBUSY, text("edge.locked", folder=folder, holder=holder)) from error
    with suppress(OSError):  # The process id is for people; a full disk may lack the place for it.
        os.ftruncate(number, 0)
        os.write(number, b"%d\n" % os.getpid())
    return number


def holder(folder: Path) -> str:
    """The process id of the agent that holds the folder's lock, `?` where it left none; empty when there is no agent. Changes nothing."""
    try:
        number = os.open(folder / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(number, 20).decode("ascii", "replace").strip() or "?"
    finally:
        os.close(number)
    return ""
