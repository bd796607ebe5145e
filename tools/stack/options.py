"""What a stack is made of: ports, database, broker, how many of what. Knows values only; starts nothing."""

import os
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, cast

from tools.stack import port_locks
from tools.stack.health import is_free
from tools.words import Problem

Database = Literal["sqlite", "postgres"]
Broker = Literal["amqtt", "mosquitto"]
ROOT = Path(__file__).resolve().parents[2]
#: The first robot: it serves the TCP protocol on the robot port.
FIRST_ROBOT = "robot-clases"
REPLAY_ROBOT = "replay-ur3"


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1. The variable that moves one in `make up` is its name in capitals and `_PORT`."""

    web: int = 8000
    telemetry: int = 9000
    ids: int = 9100
    mqtt: int = 1883
    robot: int = 9090
    # Nobody outside asks for these two; 0: any free port, the same at every start.
    postgres: int = 0
    bridge: int = 0

    @classmethod
    def free(cls) -> Self:
        """Ports that are this process's alone until it ends: see `port_locks`."""
        return cls(*(port_locks.take_any() for _ in VARIABLES))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """`WEB_PORT`, `TELEMETRY_PORT`, `IDS_PORT`, `MQTT_PORT`, `ROBOT_PORT`.

        Raises:
            Problem: no port number, or one port for two.
        """
        values = {}
        for name in VARIABLES:
            text = environ.get(f"{name.upper()}_PORT", "").strip()
            if not text:
                continue
            if not text.isdecimal() or not 1 <= int(text) <= 65535:
                raise Problem(
                    f"{name.upper()}_PORT={text}: tiene que ser un número de puerto, de 1 a 65535.",
                    f"{name.upper()}_PORT={text}: must be a port number, 1 to 65535.",
                )
            values[name] = int(text)
        ports = cls(**values)
        used: dict[int, str] = {}
        for name in VARIABLES:
            port = getattr(ports, name)
            if port in used:
                one, two = f"{used[port].upper()}_PORT", f"{name.upper()}_PORT"
                raise Problem(f"{one} y {two} son ambos {port}: cambia uno.", f"{one} and {two} are both {port}: change one of them.")
            used[port] = name
        return ports


#: The ports that a person may move.
VARIABLES = ("web", "telemetry", "ids", "mqtt", "robot")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that tells one stack from another.

    Attributes:
        state: directory for pid files, logs, secrets and databases (`.run` of the clone for `make up`).
        bridges: how many bridges share the work; more than one subscribe through `$share` on Mosquitto.
        robots: virtual robots in the simulator process; 0 starts none.
        host, replay: whether an agent reports this machine, and one the recorded arm.
        retention_days: how long the cloud keeps raw readings.
        environ: added to the environment of every process, last (`TZ`, `LD_PRELOAD`, a setting of a test).
    """

    state: Path
    ports: Ports = field(default_factory=Ports)
    database: Database = "sqlite"
    broker: Broker = "amqtt"
    bridges: int = 1
    robots: int = 3
    host: bool = True
    replay: bool = True
    retention_days: int = 30
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environ(cls, state: Path, environ: Mapping[str, str]) -> Self:
        """What `make up` was asked for: `DB`, `BROKER`, `ROBOTS`, `BRIDGES` and the ports.

        Raises:
            Problem: a value that is none of the choices.
        """
        return cls(
            state=state,
            ports=Ports.from_environ(environ),
            database=cast(Database, _choice(environ, "DB", ("sqlite", "postgres"))),
            broker=cast(Broker, _choice(environ, "BROKER", ("amqtt", "mosquitto"))),
            bridges=_number(environ, "BRIDGES", default=1, least=1, most=8),
            robots=_number(environ, "ROBOTS", default=3, least=0, most=1000),
        )

    @property
    def bridge_names(self) -> list[str]:
        """`bridge`, `bridge-2`, ..."""
        return ["bridge", *(f"bridge-{number}" for number in range(2, self.bridges + 1))]

    @property
    def robot_ids(self) -> list[str]:
        """Ids of the virtual robots, the one with the TCP protocol first."""
        return [FIRST_ROBOT, *(f"amr-{number:02d}" for number in range(2, self.robots + 1))][: self.robots]

    @property
    def host_id(self) -> str:
        """The robot id under which this machine reports itself: `host-` and its name, as MQTT can carry it."""
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname().split(".")[0]).strip("-")
        return f"host-{name or 'local'}"[:64]


def script(name: str) -> str:
    """Path of a console script in the environment that runs this code."""
    return str(Path(sys.executable).parent / name)


def source_path() -> str:
    """A PYTHONPATH under which our five distributions are this checkout's, whichever environment runs them."""
    parts = [str(ROOT / name) for name in ("contract", "edge_agent", "broker", "cloud", "client")]
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*parts, inherited] if inherited else parts)


def steady_port(path: Path) -> int:
    """A free port, the same at every start while nobody takes it; `path` remembers it."""
    if path.exists():
        port = int(path.read_text(encoding="ascii"))
        if port_locks.take(port) and is_free(port):
            return port
    port = port_locks.take_any()
    path.write_text(f"{port}\n", encoding="ascii")
    return port


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise Problem(f"{name}={text}: usa {' o '.join(choices)}.", f"{name}={text}: use {' or '.join(choices)}.")
    return text


def _number(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Problem(
            f"{name}={text}: tiene que ser un número entero de {least} a {most}.",
            f"{name}={text}: must be a whole number, {least} to {most}.",
        )
    return int(text)
