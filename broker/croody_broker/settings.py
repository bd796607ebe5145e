"""What the broker was told on its command line, as frozen values. Opens no socket; reads certificates when asked."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from croody_broker.texts import text
from croody_contract.limits import KIB, MIB

#: For TLS 1.2 alone; the suites of TLS 1.3 are all sound.
TLS12_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Tls:
    """A TLS listener. With `client_ca`, clients show a certificate signed by it that names their user."""

    bind: str
    cert: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A context from the files as they are now: TLS 1.2 or newer. Its groups are those of `openssl.cnf`.

        Raises:
            OSError: a file is missing, unreadable, or certificate and key are no pair (`ssl.SSLError` is an OSError).
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # What Mozilla's intermediate profile leaves of TLS 1.2 for a server without finite-field groups: no CBC, forward secrecy always.
        context.set_ciphers(TLS12_CIPHERS)
        context.load_cert_chain(self.cert, self.key)
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True)
class Settings:
    """`bind` and `Tls.bind` are `HOST:PORT`; `bind` is `None` when it is not wanted."""

    bind: str | None
    passwd: Path
    acl: Path
    tls: Tls | None = None
    #: `HOST:PORT` for MQTT over WebSocket, behind a gateway that speaks TLS.
    websocket_bind: str | None = None
    #: Largest packet. A publish is at most 256 KiB (`croody_contract.limits`), and its topic comes on top.
    max_packet_bytes: int = 512 * KIB
    #: What may wait for a client that reads slowly; above it, the client is dropped.
    max_backlog_bytes: int = 16 * MIB
    #: What one account may publish in a second, over all its connections, a message counting 1 KiB more than it holds:
    #: about 3,500 small messages. Above it, the account is read more slowly.
    max_rate_bytes_s: int = 4 * MIB
    #: A connection that has sent no CONNECT (or finished no TLS handshake) by then is closed, in seconds.
    connect_timeout_s: float = 10.0


def split_bind(bind: str) -> tuple[str, int]:
    """`HOST:PORT` or `[IPV6]:PORT` to its parts.

    Raises:
        ValueError: not in that form.
    """
    host, colon, port = bind.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(text("wrong.address", bind=repr(bind)))
    return host.strip("[]"), int(port)
