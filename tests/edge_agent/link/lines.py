"""Lines between an agent and a broker: a link that remembers, a cable that breaks, and a door with TLS."""

import contextlib
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from random import Random

from croody_contract import topics
from croody_edge.keyring import Keyring
from croody_edge.link.address import BrokerAddress
from croody_edge.link.client import Link
from croody_edge.link.connection import Happening
from tests.edge_agent.doubles import ROBOT, SECRET


class Watched(Link):
    """A link, with everything that happened to it."""

    def __init__(
        self, *brokers: BrokerAddress, secret: str = SECRET, keepalive_s: int = 4, ca_file: Path | None = None, in_order: bool = False
    ) -> None:
        super().__init__(
            brokers,
            ROBOT,
            Keyring(secret),
            will=(topics.build(topics.UpPresence(ROBOT)), b'{"state":"offline"}'),
            keepalive_s=keepalive_s,
            qos=1,
            suffix="test",
            ca_file=ca_file,
            random=Random(1),
            in_order=in_order,
        )
        self.seen: list[Happening] = []

    def saw(self, kind: type[Happening]) -> int:
        self.seen += self.take()
        return sum(isinstance(happening, kind) for happening in self.seen)


class Cable:
    """A TCP way to a broker that can go silent without closing, or be cut."""

    def __init__(self, broker: BrokerAddress, at: int = 0) -> None:
        self._target = broker.port
        self._listener = socket.create_server(("127.0.0.1", at))
        self.address = replace(broker, port=self._listener.getsockname()[1])
        self.silent = threading.Event()
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.silent.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        for end in self._open:
            # Closing alone would leave it open for as long as a thread waits for bytes on it.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def close(self) -> None:
        # Nobody else comes in before what came in is closed.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.cut()


class TlsDoor:
    """TLS in front of a broker, for the length of one connection after another."""

    def __init__(self, broker: BrokerAddress, certificate: tuple[Path, Path]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self._context, self._target = context, broker.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = replace(broker, port=self._listener.getsockname()[1], tls=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(raw,), daemon=True).start()

    def _one(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as near, socket.create_connection(("127.0.0.1", self._target)) as far:
                near.settimeout(0.02)
                far.settimeout(0.02)
                while True:
                    for source, target in ((near, far), (far, near)):
                        try:
                            data = source.recv(65536)
                        except TimeoutError:
                            continue
                        if not data:
                            return
                        target.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()
