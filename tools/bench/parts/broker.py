"""Plain messages at QoS 1, ten publishers, one subscriber that sees everything: the guarded broker beside bare ones."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from croody_contract.topics import UP_FILTER
from tools.bench import child
from tools.bench.peers import mosquitto
from tools.bench.peers.bare_amqtt import bare_amqtt
from tools.bench.plan import Plan
from tools.bench.row import OURS, Contenders, Figures, Goal, Note, Row, play
from tools.bench.system import system

_WINDOW = 20
_ROBOTS = 10
_AMQTT = "bare amqtt"
Accounts = Sequence[tuple[str, str]]


def run(plan: Plan) -> Iterator[Row | Note]:
    """The subscriber takes the bridge's place, and confirms what it gets."""
    with ExitStack() as ends:
        own = ends.enter_context(system(plan, "amqtt", "sqlite", robots=_ROBOTS))
        own.start("broker")
        bridge = ("bridge", own.stack.secret("BRIDGE_MQTT_PASSWORD"))
        nobody = [(name, "") for name, _ in own.accounts]
        contenders: Contenders = {
            OURS: partial(_delivered, plan, own.port, own.accounts, own.robots, bridge),
            _AMQTT: partial(_delivered, plan, ends.enter_context(bare_amqtt(plan)), nobody, own.robots, ("watcher", "")),
        }
        if shutil.which("mosquitto", path=mosquitto.PATH) is not None:
            port = ends.enter_context(mosquitto.bare(plan)).port
            contenders = {**contenders, "bare Mosquitto": partial(_delivered, plan, port, nobody, own.robots, ("watcher", ""))}
        yield play(contenders, plan.rounds).row("guarded amqtt: delivered messages", "rate", "/s", Goal(0.9, most=False, of=_AMQTT))


def _delivered(plan: Plan, port: int, accounts: Accounts, robots: Sequence[str], watcher: tuple[str, str]) -> Figures:
    subscriber = {"port": port, "user": watcher[0], "secret": watcher[1], "topic": UP_FILTER}
    confirmed = plan.folder / "confirmed-broker"
    wanted = {
        "port": port,
        "accounts": list(accounts),
        "robots": list(robots),
        "first": 1,
        "last": 1,
        "seconds": plan.seconds,
        "closed": True,
        "window": _WINDOW,
        "drain_s": plan.drain_s,
        "number": 0,
        "confirmed": str(confirmed),
    }
    with child.beside("receive", subscriber) as got:
        child.measure("send", wanted, timeout_s=plan.seconds + 5 * plan.drain_s)
    return {"rate": float(got["rate"])}
