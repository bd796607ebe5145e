"""`croody-sim attack`: attacks on one's own system, and sessions of the lab as captures with labels. Wires the parts; decides nothing."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from croody_contract.printable import printable
from croody_edge.arguments import Parser
from croody_edge.checkout import with_ports
from croody_edge.sim import credentials
from croody_edge.sim.credentials import Credential, NoCredentials
from croody_edge.sim.lab import attacks, everyday, live, loopback, session, store
from croody_edge.sim.lab.namespaces import NoNamespaces
from croody_edge.sim.lab.scenario import BadScenario, Scenario
from croody_edge.sim.lab.site import API, MQTT, ROBOT_TCP
from croody_edge.texts import text
from croody_edge.variables import BadSetting, variable

_BAD_CONFIG: Final = 78
_TRY_LATER: Final = 75
#: New secrets reach the broker's files within a second, and the broker reads them within another.
_KNOWN_AFTER_S: Final = 2.5
#: Port of the lab -> what names that of the real system, and where it is otherwise.
_PORTS: Final = {
    MQTT: ("MQTT_PORT", 1883),
    API: ("TELEMETRY_PORT", 9000),
    80: ("WEB_PORT", 8000),
    9100: ("IDS_PORT", 9100),
    ROBOT_TCP: ("ROBOT_PORT", 9090),
}


def main(arguments: Sequence[str]) -> int:
    """Run it. Returns its exit status."""
    try:
        given = _parser().parse_args(arguments)
        if given.list:
            _list()
            return 0
        if given.scenario:
            return _session(given)
        if not given.what:
            raise BadSetting(text("lab.what", kinds=", ".join(loopback.ATTACKS)))
        return _loopback(given)
    except (BadSetting, BadScenario, loopback.NotLoopback) as error:
        shown = text("lab.loopback", address=error) if isinstance(error, loopback.NotLoopback) else error
        print(f"croody-sim: {printable(str(shown))}", file=sys.stderr)
        return _BAD_CONFIG
    except NoNamespaces as error:
        print(f"croody-sim: {printable(text('lab.no_namespaces', why=error))}", file=sys.stderr)
        return _TRY_LATER
    except (NoCredentials, OSError) as error:
        print(f"croody-sim: {printable(str(error))}", file=sys.stderr)
        return _TRY_LATER


def _parser() -> Parser:
    parser = Parser("croody-sim attack", description=text("lab.about"))
    parser.add_argument("what", nargs="?", choices=tuple(loopback.ATTACKS), help=text("lab.kind"))
    add = parser.options.add_argument
    add("--target", metavar="ADDRESS", default="127.0.0.1", help=text("lab.target"))
    add("--credentials", metavar="FILE", type=Path, help=text("lab.credentials"))
    add("--scenario", metavar="NAME|FILE", default="", help=text("lab.scenario", names=", ".join(store.shipped())))
    add("--seed", metavar="K", type=int, help=text("lab.seed"))
    add("--take", metavar="K", type=int, help=text("lab.take"))
    add("--seconds", metavar="S", type=float, help=text("lab.seconds"))
    add("--out", metavar="DIR", type=Path, default=Path("captures"), help=text("lab.out"))
    add("--live", action="store_true", help=text("lab.live"))
    add("--list", action="store_true", help=text("lab.list"))
    return parser


def _list() -> None:
    for attack in attacks.ALL:
        print(f"{attack.code:20} {attack.family:24} {attack.technique:10} {(attack.run.__doc__ or '').splitlines()[0]}")
    for activity in everyday.ALL:
        print(f"{activity.code:20} {'everyday':24} {'':10} {(activity.run.__doc__ or '').splitlines()[0]}")


def _session(given: Any) -> int:
    instead = {name: value for name in ("seed", "take", "seconds") if (value := getattr(given, name)) is not None}
    scenario: Scenario = store.load(given.scenario, **instead)
    path = store.place(scenario, given.out)
    if given.live:
        given.out.mkdir(parents=True, exist_ok=True)
        made = live.play(scenario, path)
        store.write_labels(made, path)
    else:
        made, frames = session.on_wire(scenario)
        store.write(made, frames, given.out)
    print(text("lab.made", path=path, attacks=len(made.attacks), seconds=made.ended - made.began))
    if made.full:
        print(text("lab.full", most=scenario.most_packets), file=sys.stderr)
        return 1
    return 0


def _loopback(given: Any) -> int:
    environ = with_ports(os.environ, also=[name for name, _usual in _PORTS.values()])
    found = {port: int(variable(environ, name) or usual) for port, (name, usual) in _PORTS.items()}
    robots = _robots(given.credentials, found[API], alone=given.what != "spoof")
    took = loopback.attack(given.what, loopback.site_at(given.target, robots), found, given.seed or 1)
    print(text("lab.done", what=given.what, target=given.target, seconds=took))
    return 0


def _robots(file: Path | None, api: int, *, alone: bool) -> list[Credential]:
    """Names of robots; where a right secret is needed it is from the file, or the demo gives two."""
    if file is not None:
        return credentials.from_file(file)
    if alone:
        return [Credential("robot-a", "nobody-knows"), Credential("robot-b", "nobody-knows")]
    found = credentials.enrol(f"http://127.0.0.1:{api}", "lab", 2, keep=False)
    time.sleep(_KNOWN_AFTER_S)
    return found
