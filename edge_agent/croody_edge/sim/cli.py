"""`croody-sim`: N virtual robots in one process, each through the agent of a real one. Wires the parts; decides nothing."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from threading import Event
from typing import Final

from croody_contract.ending import on_end
from croody_contract.printable import log_lines, printable
from croody_contract.texts import speak
from croody_edge.agent import Agent
from croody_edge.checkout import with_ports
from croody_edge.settings import Settings, from_environment
from croody_edge.sim import credentials as names
from croody_edge.sim import options
from croody_edge.sim.credentials import Credential, NoCredentials
from croody_edge.sim.file_limit import make_room
from croody_edge.sim.fleet import Fleet
from croody_edge.sim.machine import SimMachine
from croody_edge.sim.options import Options
from croody_edge.sim.tcp import Server
from croody_edge.sim.witness import Notes, Witness
from croody_edge.sources.sim import SimSource, Site
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: What is still to be acknowledged at a SIGTERM gets this long, seconds; the rest waits in its outbox.
_LAST_CHANCE_S: Final = 1.0
#: Robots begin one after the other within this time, seconds, so that they do not all read at once.
_SPREAD_S: Final = 5.0
#: New credentials reach the broker's files within a second, and the broker reads them within another.
_KNOWN_AFTER_S: Final = 2.0
#: So many agents say goodbye at the same time.
_GOODBYES: Final = 16
#: Exit statuses as sysexits.h has them: configuration, temporary failure.
_BAD_CONFIG: Final = 78
_TRY_LATER: Final = 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    speak(os.environ)
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["attack"]:
        # Only here: virtual robots need none of it.
        from croody_edge.sim.lab import cli

        return cli.main(arguments[1:])
    environ = with_ports(os.environ)
    try:
        chosen = options.read(arguments, environ)
        level = os.environ.get("CROODY_LOG_LEVEL") or "WARNING"
        log_lines(level.upper(), "%(asctime)s %(levelname)s %(name)s %(message)s")
        wake, stop = Event(), Event()

        def end() -> None:
            stop.set()
            wake.set()

        on_end(end)
        return run(chosen, environ, wake, stop)
    except BadSetting as error:
        print(f"croody-sim: {printable(str(error))}", file=sys.stderr)
        return _BAD_CONFIG
    except (NoCredentials, OSError) as error:
        print(f"croody-sim: {printable(str(error))}", file=sys.stderr)
        return _TRY_LATER


def run(chosen: Options, environ: Mapping[str, str], wake: Event, stop: Event) -> int:
    """Run a fleet. 0 when all is acknowledged, or when `stop` ended a run without a duration; 1 when something is left of a timed run.

    Raises:
        BadSetting, NoCredentials, OSError: it cannot start, or the witness cannot write; the message says why and what to do.
    """
    state = chosen.state or Path(tempfile.mkdtemp(prefix="croody-sim-"))
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as undo:
        if chosen.state is None:
            undo.callback(_forget_when_empty, state)
        notes = Notes(undo.enter_context(Witness(chosen.witness, hashes=chosen.witness_hashes)) if chosen.witness else None, stop, wake)
        robots = _credentials(chosen, state, stop)
        make_room(len(robots))
        site = Site(seed=chosen.seed)
        sources = [_source(site, number, robot, chosen) for number, robot in enumerate(robots)]
        agents = [
            _agent(robot, source, number, chosen, state, environ, notes, wake)
            for number, (robot, source) in enumerate(zip(robots, sources, strict=True))
        ]
        if chosen.tcp:
            _serve(sources[0], robots[0].robot_id, chosen, undo)
        started: list[Agent] = []
        undo.callback(_goodbye, started)
        fleet = Fleet(wake)
        print(text("sim.started", count=len(agents), target=chosen.target, state=state), flush=True)
        began = time.monotonic()
        _start(agents, started, fleet, min(_SPREAD_S, 1.0 / chosen.rate_hz), stop)
        fleet.run(stop, until=None if chosen.duration_s is None else began + chosen.duration_s)
        stopped = stop.is_set()
        for source in sources:
            source.off = True
        # A second signal during the last chance ends it.
        stop.clear()
        patience_s = _LAST_CHANCE_S if stopped else chosen.settle_s
        fleet.run(stop, until=time.monotonic() + patience_s, done=lambda: fleet.pending() == 0)
        left = [count for agent in started if (count := agent.pending())]
    if notes.failure is not None:
        raise OSError(text("sim.witness_failed", file=chosen.witness, reason=notes.failure))
    return _tell(chosen, state, left, notes.count, stopped=stopped or stop.is_set())


def _forget_when_empty(state: Path) -> None:
    """A temporary folder that a run which never began leaves behind."""
    if state.exists() and not any(state.iterdir()):
        state.rmdir()


def _source(site: Site, number: int, robot: Credential, chosen: Options) -> SimSource:
    return SimSource(site.robot(robot.robot_id, number, chosen.scenario), site, interval_s=1.0 / chosen.rate_hz)


def _agent(
    robot: Credential, source: SimSource, number: int, chosen: Options, state: Path, environ: Mapping[str, str], notes: Notes, wake: Event
) -> Agent:
    settings = _settings(robot, chosen, state, environ)
    screen = None
    if settings.screen:
        # Only here: numpy and a TFLite runtime are no light guests.
        from croody_edge.screen.sensors import SensorScreen

        screen = SensorScreen(rng=Random(f"screen:{chosen.seed}:{number}"))
    return Agent(settings, source, screen, on_published=notes.of(robot.robot_id), wake=wake)


def _start(agents: list[Agent], started: list[Agent], fleet: Fleet, spread_s: float, stop: Event) -> None:
    """Start agents one after the other, and give those that run their turns meanwhile."""
    began = time.monotonic()
    for number, agent in enumerate(agents, 1):
        if stop.is_set():
            return
        agent.start()
        started.append(agent)
        fleet.add(agent)
        fleet.run(stop, until=began + spread_s * number / len(agents))


def _goodbye(agents: list[Agent]) -> None:
    with ThreadPoolExecutor(_GOODBYES) as pool:
        for done in [pool.submit(agent.stop, 0.0) for agent in agents]:
            done.result()


def _tell(chosen: Options, state: Path, left: list[int], published: int, *, stopped: bool) -> int:
    """Say how it ended, and clear a temporary state that nobody needs any more."""
    timed = chosen.duration_s is not None
    if left and timed and not stopped:
        print(text("sim.left", left=sum(left), robots=len(left), settle=chosen.settle_s, state=state), file=sys.stderr)
        return 1
    if left:
        print(text("sim.stopped", left=sum(left), state=state))
        return 1 if timed else 0
    print(text("sim.all_acknowledged", count=published) if timed else text("sim.stopped_clean"))
    if chosen.state is None:
        shutil.rmtree(state, ignore_errors=True)
    return 0


def _credentials(chosen: Options, state: Path, stop: Event) -> list[Credential]:
    if chosen.credentials is not None:
        found = names.from_file(chosen.credentials)
        return names.choose(found, chosen.robots, chosen.first, chosen.credentials)
    if chosen.ingest_url:
        # Over HTTP a robot is known by its name alone; the first keeps the one it always had.
        return [Credential(chosen.first if n == 0 else f"{chosen.first}-{n + 1}", "") for n in range(chosen.robots or 1)]
    kept = state / "credentials"
    found = names.from_file(kept) if kept.exists() else []
    if len(found) < chosen.count:
        found += names.enrol(chosen.api, chosen.prefix, chosen.count - len(found), keep=chosen.state is not None)
        names.keep(kept, found)
        stop.wait(_KNOWN_AFTER_S)
    return names.choose(found, chosen.count, chosen.first, kept)


def _settings(robot: Credential, chosen: Options, state: Path, environ: Mapping[str, str]) -> Settings:
    """What the environment says about every agent, with this robot's own in its place."""
    own = {
        "ROBOT_ID": robot.robot_id,
        "ROBOT_SECRET": robot.secret,
        "CROODY_EDGE_DIR": str(state / robot.robot_id),
        "CROODY_BROKER_URL": chosen.broker,
        "CROODY_SOURCE": "sim",
        "CROODY_INTERVAL_S": str(1.0 / chosen.rate_hz),
        # Virtual robots can be stopped at any time.
        "CROODY_UPDATE_LOCK": "",
    }
    return from_environment({name: value for name, value in environ.items() if name.removesuffix("_FILE") not in own} | own)


def _serve(source: SimSource, robot_id: str, chosen: Options, undo: ExitStack) -> None:
    """Open the first robot's TCP protocol, or say that its port is taken."""
    server = Server(SimMachine(source, robot_id), host=chosen.tcp_bind, port=chosen.tcp_port, admin_password=chosen.admin_password)
    try:
        server.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        print(text("sim.tcp_taken", host=chosen.tcp_bind, port=chosen.tcp_port, reason=reason), file=sys.stderr, flush=True)
        return
    undo.callback(server.stop)
    print(text("sim.tcp_on", robot=robot_id, host=chosen.tcp_bind, port=server.port), flush=True)


if __name__ == "__main__":
    sys.exit(main())
