"""Where a broker listens, read and written: `mqtt://HOST:PORT`, or `ws://HOST:PORT/PATH`, and both with an `s` for TLS. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from croody_edge.texts import text

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
#: Where a gateway has the broker as a rule, and where it is looked for when no path is given.
DEFAULT_PATH: Final = "/mqtt"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens, and how it is spoken to there."""

    host: str
    port: int
    tls: bool = False
    #: Of the WebSocket around MQTT; empty when there is none.
    path: str = ""

    @property
    def scheme(self) -> str:
        """Which of the four it is."""
        return ("ws" if self.path else "mqtt") + ("s" if self.tls else "")

    def __str__(self) -> str:
        """As a person would write it: in a WebSocket's address without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.path and self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parse_brokers(addresses: str) -> tuple[BrokerAddress, ...]:
    """Addresses of a list with commas between.

    Raises:
        ValueError: an address that is none of the four kinds; the message says which and why.
    """
    found = tuple(_broker(part.strip()) for part in addresses.split(",") if part.strip())
    if not found:
        raise ValueError(text("address.empty"))
    return found


def _broker(address: str) -> BrokerAddress:
    forms = text("address.forms")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError(text("address.unreadable", address=repr(address), error=error, forms=forms)) from error
    websocket = parts.scheme in ("ws", "wss")
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text("address.bad", address=repr(address), forms=forms))
    if parts.username is not None or parts.password is not None:
        raise ValueError(text("address.credentials", host=parts.hostname))
    if not websocket and parts.path not in ("", "/"):
        raise ValueError(text("address.path", address=repr(address), forms=forms))
    if not all("!" <= letter <= "~" for letter in parts.path):
        raise ValueError(text("address.ascii", address=repr(address)))
    path = (parts.path or DEFAULT_PATH) if websocket else ""
    return BrokerAddress(parts.hostname, port if port is not None else _PORTS[parts.scheme], parts.scheme in ("mqtts", "wss"), path)
