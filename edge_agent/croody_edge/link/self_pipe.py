"""Ends another thread's wait for bytes (the self-pipe trick): a socket pair, one end polled beside the connection's own socket."""

import socket


class SelfPipe:
    """Notified from any thread, cleared by the one that polls."""

    def __init__(self) -> None:
        """Takes two file descriptors."""
        self._out, self._in = socket.socketpair()
        self._out.setblocking(False)
        self._in.setblocking(False)

    def fileno(self) -> int:
        """What to poll."""
        return self._in.fileno()

    def notify(self) -> None:
        """End the wait, or the next one."""
        try:
            self._out.send(b"\0")
        except OSError:
            return  # Full: it is awake already. Closed: nobody is left to wake.

    def clear(self) -> None:
        """Wait again from here on."""
        try:
            self._in.recv(4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the descriptors back."""
        self._out.close()
        self._in.close()
