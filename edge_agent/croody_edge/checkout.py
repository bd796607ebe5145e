"""Where the system listens that `make up` runs in this clone, for a command that was given no address. Reads one file, takes two names."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

#: Where `make up` leaves its environment. No such file exists where this package is installed for real.
CHECKOUT_ENV: Final = Path(__file__).resolve().parents[2] / ".run" / "env"
_PORTS: Final = ("MQTT_PORT", "TELEMETRY_PORT")
_ADDRESSES: Final = ("CROODY_BROKER_URL", "CROODY_BROKER_URL_FILE", "TELEMETRY_INGEST_URL", "TELEMETRY_INGEST_URL_FILE")


def with_ports(environ: Mapping[str, str], file: Path = CHECKOUT_ENV, *, also: Collection[str] = ()) -> dict[str, str]:
    """The environment, with the ports of the clone's own system where it names neither an address nor a port. `also`: further ports."""
    found = dict(environ)
    if any(environ.get(name) for name in (*_ADDRESSES, *_PORTS)):
        return found
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    return found | {name: value for name, _, value in (line.partition("=") for line in lines) if name in (*_PORTS, *also)}
