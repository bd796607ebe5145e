"""Which ports of this machine were given to whom, so that no two runs of one user are given the same. Opens no port.

To ask whether a port is free says nothing of the next moment: its server may not have started yet, or be dead and about to come back. So
whoever is given a port holds a lock on it, a byte of a file, until the process ends. The kernel lets go of it then, however it ended.
"""

import fcntl
import os
import random
import tempfile
import threading
from functools import cache
from pathlib import Path

from tools.stack.health import is_free

#: Below those that the kernel gives to outgoing connections: such a port could go to somebody's connection while its server is dead.
_RANGE = range(10_000, 32_000)
_given: set[int] = set()
_giving = threading.Lock()
# Tests seed the dice that everybody uses, and two runs would throw the same.
_dice = random.SystemRandom()


def take_any() -> int:
    """A port that nobody listens on and nobody else was given, in this process or another."""
    with _giving:
        while True:
            port = _dice.choice(_RANGE)
            if port not in _given and take(port) and is_free(port):
                _given.add(port)
                return port


def take(port: int) -> bool:
    """Say whether this process has the port to itself now; it may have had it before."""
    try:
        # A lock of the process: whom it forks does not have it, and who asks again gets it again.
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    return True


@cache
def _locks() -> int:
    """The file of one user, open until the process ends: closing it anywhere would let all its locks go."""
    path = Path(tempfile.gettempdir()) / f"croody-ports-{os.geteuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
