"""gunicorn's worker of the API roles, with patience for slow clients and none of its threads for them.

gunicorn gives a thread to whoever connects, and the thread waits until the request is there: a dozen of connections that say nothing, or
say it drop by drop, keep all others out. Here the one loop that accepts also reads, and a thread gets a request that is whole. What a
thread still waits for, such as a client that does not read its answer, has a limit.
"""

import errno
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from croody.serve.incoming import Incoming
from croody_contract.connection_limits import Crowd, Visitor, one_address
from croody_contract.limits import MIB

#: Requests that are not whole yet: all together, of one address, and their bytes.
_MOST: Final = 512
_MOST_OF_ONE: Final = 384
_MOST_BYTES: Final = 32 * MIB
#: A thread waits for a client no longer than this at a time, in seconds.
_THREAD_S: Final = 10.0
#: A worker that is to end waits so long for requests that may be on their way, in seconds.
_GOODBYE_S: Final = 1.0
_PIECE: Final = 64 * 1024
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_GO_ON: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_LARGE: Final = b'{"detail": "body: larger than any that is taken here: send it in parts"}'
_REFUSAL: Final = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class _Socket(socket.socket):
    """Blocks no thread for longer than `_THREAD_S`: neither in all that it reads of a request, nor while an answer is taken."""

    until_s = 0.0

    def setblocking(self, flag: bool, /) -> None:
        self.until_s = time.monotonic() + _THREAD_S
        self.settimeout(_THREAD_S if flag else 0.0)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self.gettimeout() == 0.0:
            return super().recv(size, flags)
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the request did not come in time")
        self.settimeout(left_s)
        try:
            return super().recv(size, flags)
        finally:
            self.settimeout(_THREAD_S)


class Worker(ThreadWorker):  # type: ignore[misc]
    """`gunicorn -k croody.serve.whole_requests.Worker`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._incoming: dict[TConn, tuple[Incoming, Visitor]] = {}
        self._crowd = Crowd(_MOST, _MOST_OF_ONE)
        self._bytes = 0

    def accept(self, listener: Any) -> None:
        """Take a connection, and read from it before anything else."""
        try:
            taken, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, _Socket(fileno=taken.detach()), address, listener.getsockname())
        conn.initialized, conn.parser = True, http.get_parser(self.cfg, conn.sock, address)
        self._gather(conn, b"")

    def enqueue_req(self, conn: TConn) -> None:
        """For gunicorn: a kept connection has something to say. It is read here, too."""
        self._gather(conn, conn.parser.unreader.take_buffered())

    def murder_pending(self) -> None:
        """Called about once a second: those that took too long go."""
        now = time.monotonic()
        for conn, (incoming, _) in list(self._incoming.items()):
            if incoming.late(now) or (not self.alive and not incoming and now - incoming.since_s > _GOODBYE_S):
                self._drop(conn)
        super().murder_pending()

    def _gather(self, conn: TConn, data: bytes) -> None:
        now = time.monotonic()
        incoming = Incoming(now, data)
        if incoming.whole() and not incoming.too_large:
            self._serve(conn, incoming)
            return
        conn.sock.setblocking(False)
        visitor = Visitor(one_address(str(conn.client[0])) if isinstance(conn.client, tuple) else "", now, partial(self._drop, conn))
        self._incoming[conn] = (incoming, visitor)
        self._bytes += len(incoming)
        self.poller.register(conn.sock, EVENT_READ, partial(self._read, conn))
        goes = self._crowd.enter(visitor)
        if goes is not None:
            goes.abort()

    def _read(self, conn: TConn, _: Any) -> None:
        if conn not in self._incoming:
            return
        incoming, _visitor = self._incoming[conn]
        try:
            data = conn.sock.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        incoming.add(data)
        self._bytes += len(data)
        if incoming.too_large:
            self._say(conn, _REFUSAL)
            self._drop(conn)
        elif incoming.whole():
            self._forget(conn)
            self._serve(conn, incoming)
        else:
            if incoming.asks:
                incoming.asks = False
                self._say(conn, _GO_ON)
            if self._bytes > _MOST_BYTES:
                self._drop(max(self._incoming, key=lambda each: len(self._incoming[each][0])))

    def _serve(self, conn: TConn, incoming: Incoming) -> None:
        conn.sock.setblocking(True)
        conn.parser.unreader.unread(incoming.take())
        super().enqueue_req(conn)

    def _forget(self, conn: TConn) -> None:
        incoming, visitor = self._incoming.pop(conn)
        self._bytes -= len(incoming)
        self._crowd.leave(visitor)
        self.poller.unregister(conn.sock)

    def _drop(self, conn: TConn) -> None:
        if conn in self._incoming:
            self._forget(conn)
            self.nr_conns -= 1
            conn.close()

    def _make_room(self) -> None:
        """No file handle is left: whoever waited longest without a whole request gives one back."""
        if self._incoming:
            self._drop(next(iter(self._incoming)))
        else:
            time.sleep(0.1)

    @staticmethod
    def _say(conn: TConn, text: bytes) -> None:
        try:
            conn.sock.send(text)
        except OSError:
            return
