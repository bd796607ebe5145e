"""A socket in the agent's folder that says how the agent is to whoever may open it: its own account, and root. Takes no orders.

Who connects gets one `State` as JSON and the end; nothing is read. So it cannot be asked wrongly, and a stranger who stays costs one
thread for a second.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import msgspec

from croody_edge.local.state import State
from croody_edge.texts import text

log = logging.getLogger("croody.local")

_NAME: Final = "agent.sock"
_WAIT_S: Final = 2.0
#: Much more than a state with its log takes.
_MOST_BYTES: Final = 8 * 1024 * 1024
_CHUNK: Final = 64 * 1024


class Teller:
    """Answers from `start` to `close`, in a thread of its own."""

    def __init__(self, folder: Path, state: Callable[[], State]) -> None:
        """Args: `state` is called in the teller's thread."""
        self._folder, self._state = folder, state
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin; an agent that cannot be asked works all the same, so a folder that takes no socket is only told."""
        try:
            with suppress(FileNotFoundError):
                (self._folder / _NAME).unlink()
            made = socket.socket(socket.AF_UNIX)
            with _short(self._folder) as path:
                made.bind(path)
            (self._folder / _NAME).chmod(0o600)
            made.listen(4)
        except OSError as error:
            log.warning("%s", text("local.no_socket", folder=self._folder, error=error))
            return
        self._socket = made
        Thread(target=self._serve, args=(made,), name="local", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        if self._socket is not None:
            with suppress(OSError):
                (self._folder / _NAME).unlink()
            # Wakes the thread, which `close` alone does not.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                asking, _ = listener.accept()
            except OSError:
                return  # It was closed.
            with asking, suppress(OSError):
                asking.settimeout(_WAIT_S)
                asking.sendall(msgspec.json.encode(self._state()))


def ask(folder: Path) -> State | None:
    """How the agent of a folder is; None when none answers there."""
    came = bytearray()
    try:
        with socket.socket(socket.AF_UNIX) as asking, _short(folder) as path:
            asking.settimeout(_WAIT_S)
            asking.connect(path)
            while (data := asking.recv(_CHUNK)) and len(came) < _MOST_BYTES:
                came += data
        return msgspec.json.decode(bytes(came), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """The socket's path by a descriptor of its folder: the address of a socket holds 107 bytes, and folders lie deeper."""
    number = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{number}/{_NAME}"
    finally:
        os.close(number)
