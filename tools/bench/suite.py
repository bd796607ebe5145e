"""What is measured, with which peers. Starts what a measurement needs and ends it again."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from croody_contract.topics import UP_FILTER
from tools.bench.child import begin, end, measure
from tools.bench.row import OURS, Row, play
from tools.stack import Options, Ports, Process, Spec, Stack, script, source_path
from tools.stack.health import mqtt
from tools.stack.options import Broker, Database
from tools.stack.specs import cloud_environ

ROBOTS: Final = 10
#: Records of each robot in one relay, or in one batch.
BATCH: Final = 100
#: A subscriber where no credentials are asked for.
WATCHER: Final = ("watcher", "")


@dataclass(frozen=True, slots=True)
class Plan:
    """Where, how long and how often."""

    folder: Path
    seconds: float
    rounds: int


@contextmanager
def _stack(plan: Plan, *, broker: Broker = "amqtt", database: Database = "sqlite") -> Iterator[Stack]:
    state = plan.folder / f"{broker}-{database}"
    options = Options(state=state, ports=Ports.free(), broker=broker, database=database, robots=ROBOTS, host=False, replay=False)
    with Stack(options) as stack:
        stack.prepare()
        yield stack
    shutil.rmtree(state, ignore_errors=True)


@contextmanager
def _process(plan: Plan, name: str, command: list[str], port: int) -> Iterator[int]:
    process = Process(Spec(name, command, {"PYTHONPATH": source_path(), "PATH": "/usr/bin:/bin:/usr/sbin"}, mqtt(port)), plan.folder)
    process.start()
    try:
        process.wait_ready(time.monotonic() + 20)
        yield port
    finally:
        process.stop()


def agent(plan: Plan) -> Iterator[Row]:
    """The robot's side: how many readings become durable, one by one, and what that weighs."""
    weights: list[float] = []

    def one(how: str) -> float:
        found = measure("agent", {"how": how, "seconds": plan.seconds, "folder": str(plan.folder)}, {}, timeout_s=plan.seconds + 60)
        if how == OURS:
            weights.append(found["rss_mb"])
        return cast(float, found["rate"])

    contenders = {OURS: lambda: one(OURS), "bare SQLite queue": lambda: one("bare")}
    yield play("agent: durable publishes, one by one, no broker", "/s", contenders, plan.rounds)
    yield Row("agent: memory after that, without screening", "MB", {OURS: weights})


def ingest(plan: Plan) -> Iterator[Row]:
    """The database's side: relays of ten robots, 100 readings each, with ledger and duplicates checked."""
    peers = {"sqlite": "bare executemany", "postgres": "bare COPY and insert-select"}
    for database, peer in peers.items():
        with _stack(plan, database=cast(Database, database)) as stack:
            environ = cloud_environ(stack.options, stack.layout, "manage", stack.server)
            wanted = {"seconds": plan.seconds, "robots": list(stack.options.robot_ids), "batch": BATCH}

            one = partial(_ingested, environ, wanted)
            contenders = {OURS: partial(one, OURS), peer: partial(one, "bare")}
            yield play(f"ingest of relays, {database}", "rows/s", contenders, plan.rounds)


def _ingested(environ: dict[str, str], wanted: dict[str, Any], how: str) -> float:
    return cast(float, measure("ingest", {"how": how, **wanted}, environ, timeout_s=wanted["seconds"] + 60)["rate"])


def broker(plan: Plan) -> Iterator[Row]:
    """Plain messages of 240 bytes at QoS 1, ten publishers, one subscriber that sees everything."""
    with _stack(plan) as stack:
        stack.start("broker")
        robots = _credentials(stack)
        account = ("bridge", stack.secret("BRIDGE_MQTT_PASSWORD"))
        nobody = [[name, ""] for name, _ in robots]
        bare, plain = Ports.free(), plan.folder / "mosquitto.conf"
        plain.write_text(f"listener {bare.web} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 1000000\nset_tcp_nodelay true\n")
        amqtt = [script("python"), "-m", "tools.bench.work.bare_amqtt", str(bare.mqtt)]
        with _process(plan, "bare-amqtt", amqtt, bare.mqtt) as amqtt_port:
            contenders: dict[str, Callable[[], float]] = {
                OURS: partial(_delivered, plan, stack.options.ports.mqtt, robots, account),
                "bare amqtt": partial(_delivered, plan, amqtt_port, nobody, WATCHER),
            }
            mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
            if mosquitto is None:
                yield play("broker: delivered messages (no Mosquitto here)", "/s", contenders, plan.rounds)
                return
            with _process(plan, "bare-mosquitto", [mosquitto, "-c", str(plain)], bare.web) as mosquitto_port:
                contenders["bare Mosquitto"] = partial(_delivered, plan, mosquitto_port, nobody, WATCHER)
                yield play("broker: delivered messages", "/s", contenders, plan.rounds)


def _delivered(plan: Plan, port: int, clients: list[list[str]], account: tuple[str, str]) -> float:
    receiver = begin("receive", {"port": port, "user": account[0], "secret": account[1], "topic": UP_FILTER}, {})
    if receiver.stdout is None or receiver.stdout.readline().strip() != "ready":
        end(receiver, "receive", timeout_s=20)
    wanted = {"port": port, "seconds": plan.seconds, "clients": clients, "window": 20}
    sent = measure("publish", wanted, {}, timeout_s=plan.seconds + 60)
    got = end(receiver, "receive", timeout_s=60)
    if got["count"] < sent["count"]:
        print(f"  (of {sent['count']} confirmed messages {got['count']} were delivered)", flush=True)
    return cast(float, got["rate"])


def path(plan: Plan) -> Iterator[Row]:
    """All of it: robots' credentials, guarded amqtt, bridge, telemetry API, ledger, SQLite, acknowledgement."""
    with _stack(plan) as stack:
        stack.start("broker", "telemetry", "worker", "bridge")
        robots, port = _credentials(stack), stack.options.ports.mqtt

        def in_batches() -> float:
            wanted = {"port": port, "seconds": plan.seconds, "clients": robots, "batch": BATCH, "window": 4}
            return cast(float, measure("batches", wanted, {}, timeout_s=plan.seconds + 60)["rate"])

        def one_a_message() -> float:
            before, started = _rows(stack), time.perf_counter()
            wanted = {"port": port, "seconds": plan.seconds, "clients": robots, "window": 20}
            measure("publish", wanted, {}, timeout_s=plan.seconds + 60)
            rate = (_rows(stack) - before) / (time.perf_counter() - started)
            # What is under way must not run into the next measurement.
            time.sleep(2)
            return rate

        yield play(f"path: readings stored and acknowledged, batches of {BATCH}, amqtt and SQLite", "/s", {OURS: in_batches}, plan.rounds)
        bare = Ports.free()
        nobody = [[name, ""] for name, _ in robots]
        command = [script("python"), "-m", "tools.bench.work.bare_amqtt", str(bare.mqtt)]
        with _process(plan, "bare-amqtt", command, bare.mqtt) as amqtt_port:
            watch = partial(_delivered, plan, amqtt_port, nobody, WATCHER)
            peers: dict[str, Callable[[], float]] = {OURS: one_a_message, "bare amqtt, delivered and thrown away": watch}
            yield play("path: readings stored, one a message, amqtt and SQLite", "/s", peers, plan.rounds)


def _rows(stack: Stack) -> int:
    """Records in the database."""
    with sqlite3.connect(f"file:{stack.layout.telemetry_database}?mode=ro", uri=True) as database:
        found = database.execute("SELECT count(*) FROM telemetry_record").fetchone()
    database.close()
    return int(found[0])


def _credentials(stack: Stack) -> list[list[str]]:
    text = stack.layout.sim_credentials.read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line]


SUITE: Final[dict[str, Callable[[Plan], Iterator[Row]]]] = {"agent": agent, "ingest": ingest, "broker": broker, "path": path}
