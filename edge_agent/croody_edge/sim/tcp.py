"""The robot's TCP server: sockets around `protocol`, in a thread of its own. Knows asyncio and nothing of MQTT.

A client that does not read is paused, and dropped when it stays so; it never holds up the others, nor the robot. When all places are
taken, whoever has been silent longest makes room, so that nobody locks the port by holding connections.
"""

import asyncio
import socket
import time
from collections import deque
from threading import Event, Thread
from typing import Final, cast

from croody_edge.lines import Lines
from croody_edge.sim.protocol import BROADCAST_S, INVALID, Machine, Role, Session, data_line

#: More clients than this, and one that never spoke, or has been silent for `QUIET_S`, makes room for the next; while none has, the next is
#: turned away.
MAX_CLIENTS: Final = 256
#: Who has said something within this time keeps its place, seconds. Old bridges never speak, and come back when they are dropped.
QUIET_S: Final = 10.0
#: Answers waiting for a client before it is no longer listened to, bytes.
_FULL_BYTES: Final = 16 * 1024
#: A client that reads nothing for this long is dropped, seconds.
STUCK_S: Final = 30.0
#: A connection that was coming in while the server stops gets this long to become a client, seconds.
_GOODBYE_S: Final = 1.0
#: A wrong password is answered after this long, seconds.
_WRONG_PASSWORD_S: Final = 0.5


class Server:
    """Serves one robot from `start` until `stop`."""

    def __init__(
        self,
        machine: Machine,
        *,
        host: str = "127.0.0.1",
        port: int = 9090,
        admin_password: str | None = None,
        broadcast_s: float = BROADCAST_S,
        max_clients: int = MAX_CLIENTS,
        stuck_s: float = STUCK_S,
        quiet_s: float = QUIET_S,
    ) -> None:
        self.machine, self.admin_password = machine, admin_password
        self.max_clients, self.stuck_s, self.quiet_s = max_clients, stuck_s, quiet_s
        self.clients: set[_Client] = set()
        self.port = port
        self._host, self._broadcast_s = host, broadcast_s
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Listen, then serve from a thread. With port 0 `port` tells the one it got.

        Raises:
            OSError: the address cannot be had, most often because another program listens there.
        """
        listener = socket.create_server((self._host, self.port), backlog=64)
        self.port = listener.getsockname()[1]
        ready = Event()
        self._thread = Thread(target=self._run, args=(listener, ready), name="robot-tcp", daemon=True)
        self._thread.start()
        ready.wait(5)

    def stop(self) -> None:
        """Close every connection and the port."""
        if self._thread is None:
            return
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5)
        self._thread = None

    def _run(self, listener: socket.socket, ready: Event) -> None:
        asyncio.run(self._serve(listener, ready))

    async def _serve(self, listener: socket.socket, ready: Event) -> None:
        loop = self._loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Client(self), sock=listener)
        ready.set()
        due = loop.time() + self._broadcast_s
        while not self._ended.is_set():
            try:
                await asyncio.wait_for(self._ended.wait(), max(0.0, due - loop.time()))
            except TimeoutError:
                self._tell_all()
                due += self._broadcast_s
        # Connections that are being accepted must become clients first: a server that is closed under them leaves their sockets open.
        until = loop.time() + _GOODBYE_S
        while (accepting := asyncio.all_tasks() - {asyncio.current_task()}) and loop.time() < until:
            await asyncio.wait(accepting, timeout=_GOODBYE_S)
        server.close()
        for client in list(self.clients):
            client.drop()
        await asyncio.sleep(0)

    def _tell_all(self) -> None:
        """The regular `DATA` line, and the end of clients that have not read for too long."""
        line = data_line(self.machine.pairs(), time.time())
        for client in list(self.clients):
            client.tell(line)

    @property
    def ending(self) -> bool:
        """Say whether the server is being stopped."""
        return self._ended.is_set()

    def make_room(self, now: float) -> bool:
        """Say whether there is a place, after one client has left: who never spoke, else who never logged in, else who is silent longest.

        Args:
            now: seconds of a clock that never jumps.
        """
        if len(self.clients) < self.max_clients:
            return True
        quiet = [client for client in self.clients if not client.spoke or now - client.heard >= self.quiet_s]
        if not quiet:
            return False
        oldest = min(quiet, key=lambda client: (client.spoke, client.session.role is not Role.NOBODY, client.heard))
        self.clients.discard(oldest)
        oldest.drop()
        return True

    def users(self) -> list[str]:
        """`ip:port` of every client that has logged in, oldest first."""
        oldest_first = sorted(self.clients, key=lambda client: client.since)
        return [client.address for client in oldest_first if client.session.role is not Role.NOBODY]


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.session = Session(server.machine, server.admin_password, server.users)
        self.address = ""
        self.since = self.heard = 0.0
        self.spoke = False
        self._lines = Lines()
        self._todo: deque[bytes | None] = deque()
        self._transport: asyncio.Transport | None = None
        self._full_since: float | None = None
        self._held: asyncio.TimerHandle | None = None
        self._ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        # Who has already gone again has no name.
        if peer is None or self._server.ending or not self._server.make_room(time.monotonic()):
            self.drop()
            return
        host, port = peer[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.since = self.heard = time.monotonic()
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._transport.set_write_buffer_limits(high=_FULL_BYTES)
        self._server.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.clients.discard(self)
        self._todo.clear()
        if self._held is not None:
            self._held.cancel()

    def data_received(self, data: bytes) -> None:
        self.heard, self.spoke = time.monotonic(), True
        self._todo.extend(self._lines.feed(data))
        self._answer_all()

    def eof_received(self) -> bool:
        """The client will say no more, but may still read what it asked for."""
        self._ending = True
        self._answer_all()
        return True

    def pause_writing(self) -> None:
        self._full_since = time.monotonic()

    def resume_writing(self) -> None:
        self._full_since = None
        self._answer_all()

    def tell(self, line: str) -> None:
        """Send a line that nobody asked for, unless the client does not read."""
        if self._full_since is None:
            self._send(line)
        elif time.monotonic() - self._full_since > self._server.stuck_s:
            self.drop()

    def drop(self) -> None:
        """End the connection now, whatever is still unsent."""
        if self._transport is not None:
            self._transport.abort()

    def _answer_all(self) -> None:
        """Answer what has come, as far as the client reads; listen on only when nothing waits."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        while self._todo and self._full_since is None and self._held is None:
            line = self._todo.popleft()
            if line is None:
                self._send(INVALID)
                continue
            answer = self.session.handle(line, time.time(), time.monotonic())
            if answer.slow and answer.text is not None:
                self._held = asyncio.get_running_loop().call_later(_WRONG_PASSWORD_S, self._release, answer.text)
            elif answer.text is not None:
                self._send(answer.text)
            if answer.close:
                transport.close()
                return
        if self._todo or self._held is not None:
            transport.pause_reading()
        elif self._ending:
            transport.close()
        else:
            transport.resume_reading()

    def _release(self, text: str) -> None:
        self._held = None
        self._send(text)
        self._answer_all()

    def _send(self, text: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(text.encode() + b"\n")
