"""The bridge's environment, read once into a frozen dataclass. Every variable also accepts `NAME_FILE`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from croody import catalogue
from croody.env import BadEnvironment, value_of
from croody_contract import mosquitto

_TRUE: Final = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the bridge takes from outside. `ca_file` is for `mqtts`; empty takes the system's. `trace`: a line for every relay.

    `leaves`: nobody comes back under this name, so the end of this bridge is the end of its share.
    """

    host: str
    port: int
    tls: bool
    ca_file: str
    password: str
    client_id: str
    share: bool
    telemetry_url: str
    token: str
    heartbeat: Path | None
    trace: bool = False
    leaves: bool = False

    @property
    def session(self) -> str:
        """Whose packet ids ours are: Mosquitto counts for each bridge by itself, the embedded broker for all of them."""
        return self.client_id if self.share else mosquitto.BRIDGE_USER


def read(environ: Mapping[str, str]) -> Settings:
    """Read and judge the environment.

    Raises:
        BadEnvironment: the first thing that is wrong, with its remedy.
    """
    _ = catalogue.of(catalogue.terminal_language(environ)).gettext
    url = value_of(environ, "CROODY_BROKER_URL", "mqtt://127.0.0.1:1883")
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise BadEnvironment(_("CROODY_BROKER_URL=%(url)s: escribe mqtt://HOST:PUERTO o mqtts://HOST:PUERTO") % {"url": url})
    password = value_of(environ, "BRIDGE_MQTT_PASSWORD")
    if not password:
        raise BadEnvironment(
            _("falta BRIDGE_MQTT_PASSWORD: pon el mismo valor que para el worker, que lo escribe en el archivo del broker")
        )
    token = value_of(environ, "BRIDGE_TOKEN")
    if not token:
        raise BadEnvironment(_("falta BRIDGE_TOKEN: pon el mismo valor que para el papel telemetry"))
    telemetry_url = value_of(environ, "CROODY_TELEMETRY_URL", "http://127.0.0.1:9000")
    target = urlsplit(telemetry_url)
    if target.scheme not in {"http", "https"} or not target.hostname:
        raise BadEnvironment(_("CROODY_TELEMETRY_URL=%(url)s: escribe http://HOST:PUERTO o https://HOST") % {"url": telemetry_url})
    name = value_of(environ, "BRIDGE_NAME")
    heartbeat = value_of(environ, "BRIDGE_HEARTBEAT")
    return Settings(
        host=parts.hostname,
        port=parts.port or (8883 if parts.scheme == "mqtts" else 1883),
        tls=parts.scheme == "mqtts",
        ca_file=value_of(environ, "CROODY_BROKER_CA"),
        password=password,
        client_id=f"{mosquitto.BRIDGE_USER}:{name}" if name else mosquitto.BRIDGE_USER,
        share=value_of(environ, "BRIDGE_SHARE") in _TRUE,
        telemetry_url=telemetry_url,
        token=token,
        heartbeat=Path(heartbeat) if heartbeat else None,
        trace=value_of(environ, "CROODY_TRACE") in _TRUE,
        leaves=value_of(environ, "BRIDGE_LEAVES") in _TRUE,
    )
