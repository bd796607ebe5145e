"""Where a broker listens: `mqtt://HOST:PORT` and `mqtts://HOST:PORT`, read and written. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens, and whether the way there is TLS."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_brokers(text: str) -> tuple[BrokerAddress, ...]:
    """Addresses of a comma-separated list of `mqtt://HOST:PORT` and `mqtts://HOST:PORT`.

    Raises:
        ValueError: an address that is neither; the message says which and why.
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
        raise ValueError(f"{text!r} is no address ({error}): give mqtt://HOST:PORT or mqtts://HOST:PORT") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address: give mqtt://HOST:PORT or mqtts://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"an address carries no credentials (host {parts.hostname}): give them as ROBOT_ID and ROBOT_SECRET")
    return BrokerAddress(parts.hostname, port if port is not None else _PORTS[parts.scheme], parts.scheme == "mqtts")
