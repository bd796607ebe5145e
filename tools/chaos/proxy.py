"""A TCP proxy between robots and broker that can be cut, made deaf, or given a filter. Knows packets only through a filter."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Literal

from tools.chaos.packets import Filter, Splitter

Mode = Literal["open", "cut", "dark"]


class Proxy:
    """Runs in a thread of its own. `mode` may be changed from any thread.

    open: passes everything. cut: every connection is reset and none is let in. dark: half-open; nothing passes either
    way and nobody is told, new connections included.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._mode: Mode = "open"
        self._filter: Callable[[], Filter] | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chaos-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where robots connect."""
        return f"mqtt://127.0.0.1:{self.port}"

    def set(self, mode: Mode) -> None:
        """Change the mode; `cut` resets what is connected."""
        self._mode = mode
        if mode == "cut":
            self.reset()

    def reset(self) -> None:
        """Reset (RST) every connection; new ones are treated by the mode."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def filtered(self, make: Callable[[], Filter] | None) -> None:
        """Give each new connection a filter for what goes to the broker, and make all connect again."""
        self._filter = make
        self.reset()

    def close(self) -> None:
        """End; nothing is connected afterwards."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener))
        self._loop.run_forever()
        server.close()
        self._abort_all()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            _abort(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            _abort(writer)
            return
        self.connections += 1
        try:
            to_broker, from_broker = None, None
            while self._mode == "dark":
                await asyncio.sleep(0.05)
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _abort(writer)
            return
        self._writers |= {writer, to_broker}
        pumps = [
            asyncio.create_task(self._pump(reader, to_broker, self._filter() if self._filter else None)),
            asyncio.create_task(self._pump(from_broker, writer, None)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            self._writers -= {writer, to_broker}
            _abort(writer)
            _abort(to_broker)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Filter | None) -> None:
        splitter = Splitter()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                while self._mode == "dark":
                    await asyncio.sleep(0.05)
                if change is None:
                    writer.write(data)
                else:
                    for packet in splitter.feed(data):
                        for out in change(packet):
                            writer.write(out)
                await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
