"""What an agent may be told: variables -> one frozen `Settings`. Knows names, rules and defaults; how they are read is in `variables`.

What only one kind of source takes is in the folder of that source.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from croody_contract.limits import MAX_RECORDS, MIB
from croody_contract.topics import BadTopic, check_robot_id
from croody_edge import identity
from croody_edge.link.address import BrokerAddress, parse_brokers
from croody_edge.link.proxy import STRAIGHT, Proxies
from croody_edge.link.proxy import from_environment as proxies_from
from croody_edge.texts import text
from croody_edge.update_lock.busy import Condition, conditions
from croody_edge.variables import BadSetting, Variables, switch

#: A name that the HTTP contract has always used when none is given.
DEFAULT_ROBOT_ID: Final = "robot-clases"
#: What makes a robot busy, where nobody says otherwise.
BUSY_WHEN: Final = "speed_mps>0.05, status=moving, mission_active=1"
#: Variables that say which robot this is, and where it is known as that.
OF_A_ROBOT: Final = frozenset({"ROBOT_ID", "ROBOT_SECRET", "CROODY_BROKER_URL", "CROODY_CA_FILE", "TELEMETRY_INGEST_URL", "CROODY_CLAIM"})


@dataclass(frozen=True, slots=True)
class Home:
    """Where Home Assistant listens: its broker, how it is entered, and where devices are looked for there."""

    broker: BrokerAddress
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    prefix: str = "homeassistant"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an agent may be told. Build it with `from_environment`, or directly in a simulator or a test."""

    robot_id: str
    edge_dir: Path
    secret: str = field(default="", repr=False)
    #: The secret is this board's own, and lies in `edge_dir`.
    enrolled: bool = False
    brokers: tuple[BrokerAddress, ...] = (BrokerAddress("127.0.0.1", 1883),)
    #: They are ways to one broker, the best first; otherwise several brokers that divide robots between them.
    brokers_in_order: bool = False
    ca_file: Path | None = None
    #: With it readings go by HTTP POST, one by one, and MQTT is not used at all.
    ingest_url: str = ""
    ingest_token: str = field(default="", repr=False)
    source: str = "host"
    #: Where the sources are described instead; None for `sources.toml` in `edge_dir`, if there is one.
    sources_file: Path | None = None
    #: Where the rules of the board are written instead; None for `rules.toml` in `edge_dir`, if there is one.
    rules_file: Path | None = None
    #: Whether rules may start programs.
    local_hooks: bool = False
    #: Where the status page listens, host and port; None for nowhere.
    status_page: tuple[str, int] | None = None
    status_token: str = field(default="", repr=False)
    #: The broker at which Home Assistant listens; None for none.
    home_assistant: Home | None = None
    interval_s: float = 1.0
    screen: bool = True
    #: How long what is ordinary for this robot is learned, seconds of readings.
    learn_s: float = 7200.0
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
    #: Ways out through an HTTP proxy.
    proxies: Proxies = STRAIGHT
    #: Where the process says again and again how it is.
    heartbeat: Path | None = None
    #: A lock file that holds updates back while the robot is busy.
    update_lock: Path | None = None
    busy_when: tuple[Condition, ...] = ()
    #: How long a robot that stopped is still left alone, seconds.
    busy_rest_s: float = 30.0

    @property
    def http(self) -> bool:
        """Say whether readings go by HTTP instead of MQTT."""
        return bool(self.ingest_url)


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read every variable the agent knows.

    Raises:
        BadSetting: a value that breaks a rule, or a variable that has to be there and is not.
    """
    read = Variables(environ)
    ingest_url = read.text("TELEMETRY_INGEST_URL", "", _http_url)
    robot_id = read.text("ROBOT_ID", "", _robot_id)
    secret, ingest_token = read.text("ROBOT_SECRET", ""), read.text("TG_INGEST_TOKEN", "")
    edge_dir = Path(read.text("CROODY_EDGE_DIR", "croody-edge"))
    mine = None if secret or (ingest_url and ingest_token) else identity.read(edge_dir)
    if mine is not None:
        if robot_id not in ("", mine.robot_id):
            said = {"robot_id": robot_id, "enrolled": mine.robot_id, "file": edge_dir / identity.NAME}
            raise BadSetting(text("setting.other_robot", **said))
        robot_id, secret = mine.robot_id, mine.secret
    elif ingest_url:
        robot_id = robot_id or DEFAULT_ROBOT_ID
    if not robot_id:
        raise BadSetting(text("setting.no_robot_id"))
    if not ingest_url:
        try:
            check_robot_id(robot_id)
        except BadTopic as error:
            raise BadSetting(text("setting.rule", name="ROBOT_ID", value=repr(robot_id), rule=text("rule.robot_id"))) from error
    if not secret and not ingest_url:
        raise BadSetting(text("setting.no_secret", robot_id=robot_id))
    ca_file = read.text("CROODY_CA_FILE", "", _file)
    heartbeat, update_lock = read.text("CROODY_HEARTBEAT", ""), read.text("CROODY_UPDATE_LOCK", "")
    sources, rules = read.text("CROODY_SOURCES", ""), read.text("CROODY_RULES", "")
    page, token = read.of("CROODY_STATUS_PAGE", _page, ""), read.text("CROODY_STATUS_TOKEN", "", _page_token)
    if page is not None and not token and not ip_address(page[0]).is_loopback:
        raise BadSetting(text("setting.page_open", value=repr(f"{page[0]}:{page[1]}")))
    return Settings(
        robot_id=robot_id,
        secret=secret,
        enrolled=mine is not None,
        edge_dir=edge_dir,
        brokers=read.of("CROODY_BROKER_URL", parse_brokers, _brokers(mine, read)),
        brokers_in_order=mine is not None and read.text("CROODY_BROKER_URL", "") == "",
        ca_file=Path(ca_file) if ca_file else edge_dir / mine.authority if mine is not None and mine.authority else None,
        ingest_url=ingest_url,
        ingest_token=ingest_token,
        source=read.text("CROODY_SOURCE", "host"),
        sources_file=Path(sources) if sources else None,
        rules_file=Path(rules) if rules else None,
        local_hooks=read.of("CROODY_LOCAL_HOOKS", switch, "0"),
        status_page=page,
        status_token=token,
        home_assistant=_home(read),
        interval_s=read.number("CROODY_INTERVAL_S", 1.0, 0.001, 86400),
        screen=read.of("CROODY_SCREEN", switch, "1"),
        learn_s=read.number("CROODY_LEARN_S", 7200.0, 600, 21_600),
        outbox_limit_bytes=read.whole("CROODY_OUTBOX_LIMIT_BYTES", 256 * MIB, MIB, 2**50),
        batch_records=read.whole("CROODY_BATCH_RECORDS", MAX_RECORDS, 1, MAX_RECORDS),
        in_flight=read.whole("CROODY_IN_FLIGHT", 8, 1, 100),
        ack_timeout_s=read.number("CROODY_ACK_TIMEOUT_S", 2.0, 0.05, 600),
        drain_rate=read.number("CROODY_DRAIN_RATE", 1000.0, 1, 1_000_000),
        keepalive_s=read.whole("CROODY_KEEPALIVE_S", 20, 2, 3600),
        qos=read.whole("CROODY_QOS", 1, 0, 1),
        presence_s=read.number("CROODY_PRESENCE_S", 30.0, 0.1, 3600),
        log_level=read.text("CROODY_LOG_LEVEL", "INFO", _log_level),
        proxies=proxies_from(environ),
        heartbeat=Path(heartbeat) if heartbeat else None,
        update_lock=Path(update_lock) if update_lock else None,
        busy_when=read.of("CROODY_BUSY_WHEN", conditions, BUSY_WHEN),
        busy_rest_s=read.number("CROODY_BUSY_REST_S", 30.0, 0, 3600),
    )


def _brokers(mine: identity.Identity | None, read: Variables) -> str:
    return ",".join(mine.brokers) if mine is not None else f"mqtt://127.0.0.1:{read.text('MQTT_PORT', '1883')}"


def _robot_id(value: str) -> str:
    if value and not 3 <= len(value) <= 64:
        raise ValueError(text("rule.length"))
    return value


def _file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError(text("rule.certificate"))
    return value


def _home(read: Variables) -> Home | None:
    broker = read.of("CROODY_HOME_ASSISTANT", _one_broker, "")
    user, password = read.text("CROODY_HOME_ASSISTANT_USER", ""), read.text("CROODY_HOME_ASSISTANT_PASSWORD", "")
    ca_file = read.text("CROODY_HOME_ASSISTANT_CA_FILE", "", _file)
    prefix = read.text("CROODY_HOME_ASSISTANT_PREFIX", "homeassistant", _prefix)
    return Home(broker, user, password, Path(ca_file) if ca_file else None, prefix) if broker is not None else None


def _one_broker(value: str) -> BrokerAddress | None:
    if not value:
        return None
    found = parse_brokers(value)
    if len(found) > 1:
        raise ValueError(text("home.one_broker"))
    return found[0]


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError(text("home.prefix"))
    return value


def _page(value: str) -> tuple[str, int] | None:
    """Empty, a port of loopback, or an address with a port."""
    if not value:
        return None
    host, _, port = value.rpartition(":") if ":" in value else ("127.0.0.1", "", value)
    try:
        address, number = ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        raise ValueError(text("rule.page")) from None
    if not 1 <= number <= 65535 or not port.isdecimal():
        raise ValueError(text("rule.page"))
    return str(address), number


def _page_token(value: str) -> str:
    if value and not (16 <= len(value) <= 200 and value.isascii() and value.isprintable()):
        raise ValueError(text("rule.page_token"))
    return value


def _http_url(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(text("rule.http_url"))
    return value


def _log_level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(text("rule.log_level"))
    return value.upper()
