"""Machines of the lab as real sockets: in a network namespace each, or on the loopback interface. See `host.Host`."""

import asyncio
import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Final

from croody_edge.sim.lab import frames
from croody_edge.sim.lab.site import Machine, Site

_CLONE_NEWNET: Final = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_LINGER_NOT: Final = struct.pack("ii", 1, 0)
_MOST_ANSWER: Final = 262_144


class NotHere(Exception):
    """What is asked for needs a network of the lab's own."""


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that are made meanwhile belong to this namespace; nothing: to where we are. Never waits in between."""
    if not namespace:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _set(there)
        yield
    finally:
        _set(home)
        os.close(home)
        os.close(there)


def _set(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class SocketHost:
    """A machine. `namespace`: empty on the loopback, where `ports` says at which port of the real system each of the lab's is."""

    def __init__(self, machine: Machine, site: Site, rng: Random, namespace: str = "", ports: Mapping[int, int] | None = None) -> None:
        self.machine, self.site, self.rng = machine, site, rng
        self.namespace, self._ports = namespace, ports
        self._raw: socket.socket | None = None
        self.others: Callable[[str], SocketHost] | None = None

    def now(self) -> float:
        """See `host.Host`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """See `host.Host`."""
        await asyncio.sleep(max(0.0, seconds))

    def _place(self, address: str, port: int) -> tuple[str, int] | None:
        if self._ports is None:
            return address, port
        real = self._ports.get(port)
        return None if real is None else (address, real)

    async def connect(self, address: str, port: int, *, within_s: float = 1.0, source: str = "") -> "SocketConnection | None":
        """See `host.Host`."""
        place = self._place(address, port)
        if place is None:
            return None
        with inside(self.namespace):
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            if source:
                made.bind((source, 0))
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, place), within_s)
        except (OSError, TimeoutError):
            made.close()
            return None
        return SocketConnection(made)

    async def ask(self, address: str, port: int, payload: bytes, *, source_port: int = 0, within_s: float = 1.0) -> bytes:
        """See `host.Host`."""
        bits = frames.packed(address)
        many = len(bits) == 4 and 224 <= bits[0] < 240
        with inside(self.namespace):
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if source_port:
                made.bind((self.machine.address if ":" not in address else "", source_port))
            if many:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self.machine.address))
            made.connect((address, port))
            made.send(payload)
            if many:
                return b""
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(made, 65_535), within_s)
        except (OSError, TimeoutError):
            return b""
        finally:
            made.close()

    async def frame(self, data: bytes) -> None:
        """See `host.Host`."""
        if not self.namespace:
            raise NotHere("frames of its own making")
        if self._raw is None:
            with inside(self.namespace):
                self._raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                self._raw.bind(("eth0", 0))
            self._raw.setblocking(False)
        try:
            self._raw.send(data[:1_514])
        except BlockingIOError:
            await asyncio.sleep(0.001)
        except OSError:
            return
        await asyncio.sleep(0)

    def mac_of(self, address: str) -> bytes:
        """See `host.Host`."""
        machine = self.site.by_address(address)
        if machine is not None:
            return machine.mac
        bits = frames.packed(address)
        return frames.multicast_mac(address) if bits[0] == 0xFF or 224 <= bits[0] < 240 else b"\x02\xde\xad" + bits[-3:]

    def other(self, name: str) -> "SocketHost":
        """See `host.Host`."""
        assert self.others is not None
        return self.others(name)

    async def set_down(self, name: str, port: int, *, down: bool) -> None:
        """Real services are left alone."""

    def close(self) -> None:
        """Let go of its raw socket."""
        if self._raw is not None:
            self._raw.close()


class SocketConnection:
    """See `host.Connection`."""

    def __init__(self, made: socket.socket) -> None:
        self._socket, self._over = made, False

    async def send(self, data: bytes) -> None:
        """See `host.Connection`."""
        if self._over:
            return
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self._socket, data), 5.0)
        except (OSError, TimeoutError):
            self._over = True

    async def receive(self, within_s: float = 2.0) -> bytes:
        """See `host.Connection`."""
        if self._over:
            return b""
        try:
            found = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, _MOST_ANSWER), within_s)
        except TimeoutError:
            return b""
        except OSError:
            found = b""
        self._over = not found
        return found

    async def close(self, *, abruptly: bool = False) -> None:
        """See `host.Connection`."""
        self._over = True
        if abruptly:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._socket.close()
