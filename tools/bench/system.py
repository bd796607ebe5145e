"""A whole Croody to measure, started as `make up` starts it, with accounts of the bench's own at its broker.

A robot's account may publish for that robot alone, so a load of hundreds of robots over a few connections needs accounts of another
class: `bench-0` to `bench-9` may publish below every robot's `up/`. They are in copies of the broker's files, which the worker does
not write again.
"""

import os
import resource
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from croody_contract import mosquitto
from croody_contract.topics import ROOT
from tools.bench.plan import SENDERS, Plan
from tools.bench.rows import Rows
from tools.stack import Options, Ports, Stack
from tools.stack.options import Broker, Database

#: Both pairs that people run: one machine with nothing installed, and a server.
PAIRS: Final[tuple[tuple[Broker, Database], ...]] = (("amqtt", "sqlite"), ("mosquitto", "postgres"))
NAMES: Final = {"amqtt": "amqtt", "mosquitto": "Mosquitto", "sqlite": "SQLite", "postgres": "PostgreSQL"}
#: A listener is an open file on both sides.
_FILES: Final = 8192


@dataclass(frozen=True, slots=True)
class System:
    """A prepared stack, the bench's accounts at its broker, and its rows."""

    stack: Stack
    accounts: Sequence[tuple[str, str]]
    rows: Rows

    @property
    def port(self) -> int:
        """Where the broker listens for robots."""
        return self.stack.options.ports.mqtt

    @property
    def robots(self) -> list[str]:
        """The robots that were made with the stack."""
        return self.stack.options.robot_ids

    def processes(self) -> dict[str, int]:
        """What runs of it -> its process id."""
        return {name: process.pid for name, process in self.stack.processes.items() if process.pid is not None}

    def start(self, *names: str) -> None:
        """Start these processes and wait until they serve."""
        self.stack.start(*names, timeout_s=120)


@contextmanager
def system(plan: Plan, broker: Broker, database: Database, *, robots: int, environ: Mapping[str, str] | None = None) -> Iterator[System]:
    """Prepare a stack; its processes are started by name. Everything ends and is removed with the block."""
    _allow_files()
    state = plan.folder / f"system-{secrets.token_hex(3)}"
    options = Options(
        state=state, ports=Ports.free(), broker=broker, database=database, robots=robots, host=False, replay=False, environ=environ or {}
    )
    with Stack(options) as stack:
        stack.prepare(timeout_s=300)
        if database == "postgres":
            _keep_commit_times(stack)
        accounts = [(f"bench-{number}", secrets.token_urlsafe(16)) for number in range(SENDERS)]
        _let_in(stack, accounts)
        # What a writer waits for in PostgreSQL is known by this name.
        worker = stack.processes["worker"].spec
        stack.processes["worker"].spec = replace(worker, env={**worker.env, "PGAPPNAME": "worker"})
        yield System(stack, accounts, Rows(stack.database_urls))
    shutil.rmtree(state, ignore_errors=True)


def pair(broker: Broker, database: Database) -> str:
    """As the table shows it."""
    return f"{NAMES[broker]} + {NAMES[database]}"


def _keep_commit_times(stack: Stack) -> None:
    """So that a row tells when it was committed, whichever program wrote it."""
    assert stack.server is not None
    with (stack.server.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("track_commit_timestamp = on\n")
    stack.restart("postgres")


def _let_in(stack: Stack, accounts: Sequence[tuple[str, str]]) -> None:
    """Give the broker copies of its files with the bench's accounts in them."""
    real = stack.layout.passwd.parent
    folder = stack.layout.root / "bench-broker"
    shutil.copytree(real, folder)
    with (folder / mosquitto.PASSWD_NAME).open("a", encoding="utf-8") as file:
        file.writelines(f"{mosquitto.password_line(user, secret)}\n" for user, secret in accounts)
    with (folder / mosquitto.ACL_NAME).open("a", encoding="utf-8") as file:
        file.writelines(f"\nuser {user}\ntopic write {ROOT}/+/up/#\ntopic read {ROOT}/+/down/#\n" for user, _ in accounts)
    spec = stack.processes["broker"].spec
    argv = [text.replace(f"{real}{os.sep}", f"{folder}{os.sep}") for text in spec.argv]
    stack.processes["broker"].spec = replace(spec, argv=argv)


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def settle(rows: Rows, after: int, wanted: int, limit_s: float) -> int:
    """Wait until so many rows lie above the id `after`, or none has come for `limit_s`. Returns how many there are."""
    greatest, grown = after, time.monotonic()
    while time.monotonic() - grown < limit_s:
        newest = rows.newest()
        if newest > greatest:
            greatest, grown = newest, time.monotonic()
        # To count takes longer than to look at the greatest id, which is never less than the count.
        if newest - after >= wanted and rows.count(after) >= wanted:
            break
        time.sleep(0.2)
    return rows.count(after)


def scratch(plan: Plan, name: str) -> Path:
    """A fresh folder that the database's account can pass through."""
    folder = plan.folder / f"{name}-{secrets.token_hex(3)}"
    folder.mkdir(mode=0o755)
    return folder
