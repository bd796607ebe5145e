"""The only reader of the environment: variables -> one frozen `Settings`. Knows names, rules and defaults; opens nothing but secret files.

Every variable `NAME` may be given as `NAME_FILE`, the path of a file that holds the value. An empty value counts as absent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from croody_contract.limits import MAX_RECORDS, MIB
from croody_contract.topics import BadTopic, check_robot_id

#: A name that the HTTP contract has always used when none is given.
DEFAULT_ROBOT_ID: Final = "robot-clases"
_TRUE: Final = ("1", "true", "yes", "on", "si", "sí")
_FALSE: Final = ("0", "false", "no", "off")
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_SECRET: Final = ("ROBOT_SECRET", "TG_INGEST_TOKEN")
_T = TypeVar("_T")
_N = TypeVar("_N", int, float)


class BadSetting(ValueError):
    """A variable that breaks a rule; the message names the variable, its value, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens, and whether the way there is TLS."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an agent may be told. Build it with `from_environment`, or directly in a simulator or a test."""

    robot_id: str
    edge_dir: Path
    secret: str = field(default="", repr=False)
    brokers: tuple[BrokerAddress, ...] = (BrokerAddress("127.0.0.1", 1883),)
    ca_file: Path | None = None
    #: With it readings go by HTTP POST, one by one, and MQTT is not used at all.
    ingest_url: str = ""
    ingest_token: str = field(default="", repr=False)
    source: str = "host"
    interval_s: float = 1.0
    replay_file: Path | None = None
    replay_speed: float = 1.0
    replay_loop: bool = True
    screen: bool = True
    #: Size of the outbox file beyond which the oldest readings are thinned, bytes.
    outbox_limit_bytes: int = 256 * MIB
    batch_records: int = MAX_RECORDS
    #: Most batches sent and not yet acknowledged.
    in_flight: int = 8
    ack_timeout_s: float = 2.0
    #: Backlog records a second after an outage; live readings are never held back.
    drain_rate: float = 1000.0
    keepalive_s: int = 20
    qos: int = 1
    presence_s: float = 30.0
    log_level: str = "INFO"
    #: Where the process says again and again how it is.
    heartbeat: Path | None = None

    @property
    def http(self) -> bool:
        """Say whether readings go by HTTP instead of MQTT."""
        return bool(self.ingest_url)


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read every variable the agent knows.

    Raises:
        BadSetting: a value that breaks a rule, or a variable that has to be there and is not.
    """
    read = _Reader(environ)
    ingest_url = read.text("TELEMETRY_INGEST_URL", "", _http_url)
    robot_id = read.text("ROBOT_ID", DEFAULT_ROBOT_ID if ingest_url else "", _robot_id)
    if not robot_id:
        raise BadSetting("ROBOT_ID is missing: give the name that `croody robot add` printed")
    secret = read.text("ROBOT_SECRET", "")
    if not ingest_url:
        try:
            check_robot_id(robot_id)
        except BadTopic as error:
            raise BadSetting(f"ROBOT_ID: {error} (over HTTP, with TELEMETRY_INGEST_URL, other names go too)") from error
    if not secret and not ingest_url:
        raise BadSetting(f"ROBOT_SECRET is missing: give what `croody robot add {robot_id}` printed, or its file in ROBOT_SECRET_FILE")
    replay_file = read.text("CROODY_REPLAY_FILE", "")
    ca_file = read.text("CROODY_CA_FILE", "", _file)
    heartbeat = read.text("CROODY_HEARTBEAT", "")
    return Settings(
        robot_id=robot_id,
        secret=secret,
        edge_dir=Path(read.text("CROODY_EDGE_DIR", "croody-edge")),
        brokers=read.of("CROODY_BROKER_URL", parse_brokers, f"mqtt://127.0.0.1:{read.text('MQTT_PORT', '1883')}"),
        ca_file=Path(ca_file) if ca_file else None,
        ingest_url=ingest_url,
        ingest_token=read.text("TG_INGEST_TOKEN", ""),
        source=read.text("CROODY_SOURCE", "host"),
        interval_s=read.number("CROODY_INTERVAL_S", 1.0, 0.001, 86400),
        replay_file=Path(replay_file) if replay_file else None,
        replay_speed=read.number("CROODY_REPLAY_SPEED", 1.0, 0.001, 100_000),
        replay_loop=read.of("CROODY_REPLAY_LOOP", _switch, "1"),
        screen=read.of("CROODY_SCREEN", _switch, "1"),
        outbox_limit_bytes=read.whole("CROODY_OUTBOX_LIMIT_BYTES", 256 * MIB, MIB, 2**50),
        batch_records=read.whole("CROODY_BATCH_RECORDS", MAX_RECORDS, 1, MAX_RECORDS),
        in_flight=read.whole("CROODY_IN_FLIGHT", 8, 1, 100),
        ack_timeout_s=read.number("CROODY_ACK_TIMEOUT_S", 2.0, 0.05, 600),
        drain_rate=read.number("CROODY_DRAIN_RATE", 1000.0, 1, 1_000_000),
        keepalive_s=read.whole("CROODY_KEEPALIVE_S", 20, 2, 3600),
        qos=read.whole("CROODY_QOS", 1, 0, 1),
        presence_s=read.number("CROODY_PRESENCE_S", 30.0, 0.1, 3600),
        log_level=read.text("CROODY_LOG_LEVEL", "INFO", _log_level),
        heartbeat=Path(heartbeat) if heartbeat else None,
    )


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


class _Reader:
    """Looks variables up, `_FILE` forms included, and turns what a rule says into a `BadSetting`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str, rule: Callable[[str], str] = str) -> str:
        return self.of(name, rule, default)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        return self.of(name, lambda text: _between(_number(text), low, high), str(default))

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        return self.of(name, lambda text: _between(_whole(text), low, high), str(default))

    def of(self, name: str, rule: Callable[[str], _T], default: str) -> _T:
        value = self._value(name)
        try:
            return rule(default if value is None else value)
        except ValueError as error:
            shown = "a secret" if name in _SECRET else repr(value)
            raise BadSetting(f"{name} is {shown}: {error}") from error

    def _value(self, name: str) -> str | None:
        value = self._environ.get(name) or None
        file = self._environ.get(f"{name}_FILE") or None
        if file is None:
            return value
        if value is not None:
            raise BadSetting(f"{name} and {name}_FILE are both set: keep one of them")
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeError) as error:
            raise BadSetting(f"{name}_FILE is {file!r}, which cannot be read ({error}): give the path of a readable text file") from error


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError("it must be a number, such as 2.5")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("it must be a whole number") from None


def _between(number: _N, low: float, high: float) -> _N:
    if not low <= number <= high:
        raise ValueError(f"it must lie between {low} and {high}")
    return number


def _switch(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("it must be 1 or 0")


def _robot_id(text: str) -> str:
    if text and not 3 <= len(text) <= 64:
        raise ValueError("it must have 3 to 64 characters")
    return text


def _file(text: str) -> str:
    if text and not Path(text).is_file():
        raise ValueError("there is no such file: give the path of the certificate (PEM)")
    return text


def _http_url(text: str) -> str:
    if text:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must be http://HOST:PORT/PATH or https://HOST:PORT/PATH")
    return text


def _log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("it must be DEBUG, INFO, WARNING or ERROR")
    return text.upper()
