"""Where a broker listens, read and written: `mqtt://HOST:PORT`, or `ws://HOST:PORT/PATH`, and both with an `s` for TLS. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
#: Where a gateway has the broker as a rule, and where it is looked for when no path is given.
DEFAULT_PATH: Final = "/mqtt"
_FORMS: Final = "give mqtt://HOST:PORT, mqtts://HOST:PORT, ws://HOST:PORT/PATH or wss://HOST:PORT/PATH"


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


def parse_brokers(text: str) -> tuple[BrokerAddress, ...]:
    """Addresses of a list with commas between.

    Raises:
        ValueError: an address that is none of the four kinds; the message says which and why.
    """
    found = tuple(_broker(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise ValueError("no address in it: give mqtt://HOST:PORT, or several with commas between")
    return found


def _broker(text: str) -> BrokerAddress:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no address ({error}): {_FORMS}") from error
    websocket = parts.scheme in ("ws", "wss")
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address: {_FORMS}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"an address carries no credentials (host {parts.hostname}): give them as ROBOT_ID and ROBOT_SECRET")
    if not websocket and parts.path not in ("", "/"):
        raise ValueError(f"{text!r} has a path, which only ws:// and wss:// know: {_FORMS}")
    if not all("!" <= letter <= "~" for letter in parts.path):
        raise ValueError(f"the path of {text!r} has to be of visible ASCII: write other letters as %XX")
    path = (parts.path or DEFAULT_PATH) if websocket else ""
    return BrokerAddress(parts.hostname, port if port is not None else _PORTS[parts.scheme], parts.scheme in ("mqtts", "wss"), path)
