"""How a robot is made to speak: for each way, the lines to type. Pure: a robot, its secret and addresses to text; asks nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Final
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.fleet import enrolment_script

AUTHORITY_FILE: Final = "croody-ca.pem"
_TLS: Final = ("mqtts", "wss")
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class Way(StrEnum):
    """Where the robot's program runs."""

    DOCKER = "docker"
    PYTHON = "python"
    MQTT = "mqtt"
    HTTP = "http"
    SIMULATOR = "simulator"


WORDS: Final[dict[Way, str | Promise]] = {
    Way.DOCKER: gettext_lazy("Raspberry Pi o PC con Docker"),
    Way.PYTHON: gettext_lazy("Python en el robot"),
    Way.MQTT: gettext_lazy("Cliente MQTT o microcontrolador"),
    Way.HTTP: gettext_lazy("HTTP"),
    Way.SIMULATOR: gettext_lazy("Solo probar"),
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where robots come in.

    Attributes:
        broker: `mqtt://HOST:PORT`, or another scheme.
        api: base of the HTTP API.
        authority: certificate (PEM) to trust, empty where every machine does.
        problem: why the broker's certificate could not be verified from here.
    """

    broker: str
    api: str
    authority: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines to copy, and what they are for."""

    name: str
    title: str
    text: str


def enrolled_by(way: Way) -> bool:
    """Say whether the agent runs there, which makes its own secret by a claim."""
    return way in (Way.DOCKER, Way.PYTHON)


def claim_blocks(way: Way, robot_id: str, claim: str) -> list[Block]:
    """What to type on a board that enrols by this claim."""
    if way is Way.DOCKER:
        text = enrolment_script.claim_script(robot_id, claim)
        return [Block("docker", _("En la placa, en una carpeta con docker-compose.edge.yml"), text)]
    run = ["export CROODY_SOURCE=host CROODY_EDGE_DIR=$HOME/.croody-edge", f"croody-edge/bin/croody-edge enrol {quote(claim)}", ""]
    return [_install(), Block("run", _("El agente: se da de alta y guarda cada lectura hasta que la nube la tiene"), "\n".join(run))]


def blocks(way: Way, robot_id: str, secret: str, where: Addresses) -> list[Block]:
    """What to type, in the active language. `secret` may be a stand-in where it is shown no more."""
    match way:
        case Way.DOCKER:
            text = enrolment_script.script(robot_id, secret, where.broker, where.authority, where.problem)
            return [Block("docker", _("En la placa, en una carpeta con docker-compose.edge.yml"), text)]
        case Way.PYTHON:
            return list(_python(robot_id, secret, where))
        case Way.MQTT:
            return list(_mqtt(robot_id, secret, where))
        case Way.HTTP:
            return [Block("http", _("Una lectura por HTTP"), _curl(robot_id, secret, where.api))]
        case Way.SIMULATOR:
            return list(_simulator(robot_id, secret, where))


def values(robot_id: str, secret: str, where: Addresses) -> list[tuple[str, str]]:
    """What any MQTT client asks for: name and value."""
    url = urlsplit(where.broker)
    return [
        (_("Servidor"), url.hostname or ""),
        (_("Puerto"), str(url.port or _PORTS.get(url.scheme, 1883))),
        ("TLS", _("sí") if url.scheme in _TLS else _("no")),
        (_("Usuario e identificador de cliente"), robot_id),
        (_("Contraseña"), secret),
        (_("Tema, con QoS 1"), f"croody/v1/{robot_id}/up/telemetry"),
        (_("Mensaje"), '{"data": {"temp_c": 21.5, "battery_pct": 80}}'),
    ]


def _authority(where: Addresses) -> Iterator[Block]:
    if where.authority:
        text = f"cat > {AUTHORITY_FILE} <<'END'\n{where.authority.strip()}\nEND\n"
        yield Block("authority", _("La autoridad que firma el certificado de este servidor"), text)


def _install() -> Block:
    install = "python3 -m venv croody-edge\ncroody-edge/bin/pip install ./contract ./edge_agent\n"
    return Block("install", _("En una copia del código de Croody, una vez"), install)


def _python(robot_id: str, secret: str, where: Addresses) -> Iterator[Block]:
    yield _install()
    yield from _authority(where)
    lines = [f"export ROBOT_ID={robot_id} ROBOT_SECRET={quote(secret)}", f"export CROODY_BROKER_URL={quote(where.broker)}"]
    if where.authority:
        lines.append(f"export CROODY_CA_FILE={AUTHORITY_FILE}")
    lines += ["export CROODY_SOURCE=host CROODY_EDGE_DIR=$HOME/.croody-edge", "croody-edge/bin/croody-edge run", ""]
    yield Block("run", _("El agente: guarda cada lectura hasta que la nube la tiene"), "\n".join(lines))


def _mqtt(robot_id: str, secret: str, where: Addresses) -> Iterator[Block]:
    yield from _authority(where)
    url = urlsplit(where.broker)
    trust = f" --cafile {AUTHORITY_FILE}" if where.authority else " --capath /etc/ssl/certs" if url.scheme in _TLS else ""
    lines = [
        f"mosquitto_pub -h {quote(url.hostname or '')} -p {url.port or _PORTS.get(url.scheme, 1883)}{trust} -q 1 \\",
        f"  -i {robot_id} -u {robot_id} -P {quote(secret)} \\",
        f"  -t croody/v1/{robot_id}/up/telemetry \\",
        """  -m '{"data": {"temp_c": 21.5, "battery_pct": 80}}'""",
        "",
    ]
    yield Block("mqtt", _("Una lectura, con los clientes de Mosquitto"), "\n".join(lines))


def _curl(robot_id: str, secret: str, api: str) -> str:
    body = f'{{"robot_id": "{robot_id}", "data": {{"temp_c": 21.5, "battery_pct": 80}}}}'
    lines = [
        f"curl {quote(f'{api}/api/telemetry/ingest')} \\",
        f"  -H {quote(f'X-API-Key: {secret}')} -H 'Content-Type: application/json' \\",
        f"  -d {quote(body)}",
        "",
    ]
    return "\n".join(lines)


def _simulator(robot_id: str, secret: str, where: Addresses) -> Iterator[Block]:
    yield from _authority(where)
    lines = [f"echo {quote(f'{robot_id} {secret}')} > {robot_id}.txt"]
    if where.authority:
        lines.append(f"export CROODY_CA_FILE={AUTHORITY_FILE}")
    lines += [f".venv/bin/croody-sim --no-tcp --broker {quote(where.broker)} --credentials {robot_id}.txt", ""]
    yield Block("simulator", _("Un robot virtual, en una copia del código en la que corrió make up"), "\n".join(lines))
