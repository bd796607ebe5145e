"""What `croody-sim` was told: arguments and environment -> one frozen `Options`. Opens nothing but secret files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Final

from croody_edge.arguments import Parser
from croody_edge.link.address import parse_brokers
from croody_edge.settings import DEFAULT_ROBOT_ID
from croody_edge.sim.faults import SCENARIOS
from croody_edge.texts import text
from croody_edge.variables import BadSetting, variable

_DEFAULT_ROBOTS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """Everything a run of the simulator depends on. `robots` is None for "as many as there are"."""

    broker: str
    robots: int | None
    rate_hz: float
    duration_s: float | None
    settle_s: float
    seed: int
    witness: Path | None
    witness_hashes: bool
    credentials: Path | None
    api: str
    state: Path | None
    scenario: str
    tcp: bool
    tcp_port: int
    tcp_bind: str
    prefix: str
    first: str
    ingest_url: str
    admin_password: str | None = field(default=None, repr=False)

    @property
    def count(self) -> int:
        """How many robots, where nothing else says it."""
        return self.robots or _DEFAULT_ROBOTS

    @property
    def target(self) -> str:
        """Where readings go, for people."""
        return self.ingest_url or self.broker


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Read the command line over the environment. Ends the process as argparse does on `--help` and on what it cannot read.

    Raises:
        BadSetting: a variable that breaks a rule.
    """
    given = _parser(environ).parse_args(arguments)
    for name in ("rate", "duration", "robots"):
        value = getattr(given, name)
        if value is not None and not (isfinite(value) and value > 0):
            raise BadSetting(text("sim.positive", name=f"--{name}", value=value))
    try:
        host = parse_brokers(given.broker)[0].host
    except ValueError as error:
        raise BadSetting(f"--broker: {error}") from error
    host = f"[{host}]" if ":" in host else host
    return Options(
        broker=given.broker,
        robots=given.robots,
        rate_hz=given.rate,
        duration_s=given.duration,
        settle_s=max(0.0, given.settle),
        seed=given.seed,
        witness=given.witness,
        witness_hashes=given.witness_hashes,
        credentials=given.credentials,
        api=given.api or f"http://{host}:{variable(environ, 'TELEMETRY_PORT') or 9000}",
        state=given.state,
        scenario=given.scenario,
        tcp=not given.no_tcp,
        tcp_port=given.tcp_port if given.tcp_port is not None else _port(environ),
        tcp_bind=given.tcp_bind or variable(environ, "ROBOT_BIND") or "127.0.0.1",
        prefix=given.prefix,
        first=variable(environ, "ROBOT_ID") or DEFAULT_ROBOT_ID,
        ingest_url=variable(environ, "TELEMETRY_INGEST_URL") or "",
        admin_password=variable(environ, "ADMIN_PASSWORD"),
    )


def _port(environ: Mapping[str, str]) -> int:
    port = variable(environ, "ROBOT_PORT") or "9090"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise BadSetting(text("setting.rule", name="ROBOT_PORT", value=repr(port), rule=text("rule.port")))
    return int(port)


def _parser(environ: Mapping[str, str]) -> Parser:
    parser = Parser("croody-sim", description=text("sim.about"))
    add = parser.options.add_argument
    add(
        "--broker",
        metavar="mqtt://HOST:PORT",
        default=variable(environ, "CROODY_BROKER_URL") or f"mqtt://127.0.0.1:{variable(environ, 'MQTT_PORT') or 1883}",
        help=text("sim.broker"),
    )
    add("--robots", metavar="N", type=int, help=text("sim.robots"))
    add("--rate", metavar="HZ", type=float, default=1.0, help=text("sim.rate"))
    add("--duration", metavar="S", type=float, help=text("sim.duration"))
    add("--settle", metavar="S", type=float, default=60.0, help=text("sim.settle"))
    add("--seed", metavar="K", type=int, default=1, help=text("sim.seed"))
    add("--witness", metavar="FILE", type=Path, help=text("sim.witness"))
    add("--witness-hashes", action="store_true", help=text("sim.witness_hashes"))
    add("--credentials", metavar="FILE", type=Path, help=text("sim.credentials"))
    add("--api", metavar="URL", default="", help=text("sim.api"))
    add("--state", metavar="DIR", type=Path, help=text("sim.state"))
    add("--scenario", choices=SCENARIOS, default="default", help=text("sim.scenario", names=", ".join(SCENARIOS)), metavar="NAME")
    add("--no-tcp", action="store_true", help=text("sim.no_tcp"))
    add("--tcp-port", metavar="PORT", type=int, help=text("sim.tcp_port"))
    add("--tcp-bind", metavar="ADDRESS", default="", help=text("sim.tcp_bind"))
    add("--prefix", metavar="TEXT", default="sim", help=text("sim.prefix"))
    return parser
