"""One look at everything, in the order in which one thing needs the other. What cannot be looked at says why."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from croody_contract.limits import MIB
from croody_edge.doctor import board, parts, queue, way_out
from croody_edge.doctor.finding import Finding, ok, skipped, wrong
from croody_edge.local.socket import ask
from croody_edge.local.state import State
from croody_edge.outbox.lock import holder
from croody_edge.settings import Settings, from_environment
from croody_edge.sources.config import file_of
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: Where the settings cannot be read, the outbox is measured against this, bytes.
_LIMIT_BYTES = 256 * MIB


def examine(environ: Mapping[str, str], now: float, *, log_in: bool = False) -> Iterator[Finding]:
    """Every finding, as it comes.

    Args:
        environ: of the agent: its settings.
        now: unix seconds.
        log_in: log in to the broker also while an agent runs.
    """
    try:
        settings = from_environment(environ)
    except BadSetting as error:
        yield wrong("settings", str(error))
        yield from _without_settings(Path(environ.get("CROODY_EDGE_DIR") or "croody-edge"), environ, now)
        return
    yield _settings(settings)
    running, agent = holder(settings.edge_dir), ask(settings.edge_dir)
    yield _agent(running, agent)
    yield board.clock(settings.edge_dir, now)
    yield from board.disk(settings.edge_dir, settings.outbox_limit_bytes)
    yield from queue.outbox(settings.edge_dir, settings.robot_id, settings.outbox_limit_bytes, now)
    yield parts.model() if settings.screen else parts.no_model()
    yield from parts.profile(settings.edge_dir, now) if settings.screen else ()
    yield from _sources(settings, environ, running, agent, now)
    yield from parts.rules(settings)
    yield from way_out.look(settings, agent, bool(running), log_in=log_in)


def _settings(settings: Settings) -> Finding:
    file = file_of(settings)
    if file is not None:
        return ok("settings", text("doctor.settings_file", robot_id=settings.robot_id, file=file))
    return ok("settings", text("doctor.settings", robot_id=settings.robot_id, source=settings.source))


def _without_settings(folder: Path, environ: Mapping[str, str], now: float) -> Iterator[Finding]:
    yield board.clock(folder, now)
    yield from board.disk(folder, _LIMIT_BYTES)
    robot_id = environ.get("ROBOT_ID")
    if robot_id:
        yield from queue.outbox(folder, robot_id, _LIMIT_BYTES, now)
    yield parts.model()
    yield skipped("source", text("doctor.needs_settings"))
    yield skipped("login", text("doctor.needs_settings"))


def _agent(running: str, agent: State | None) -> Finding:
    if not running:
        return ok("agent", text("doctor.agent_none"))
    if agent is None:
        return skipped("agent", text("doctor.agent_silent", pid=running))
    words = {"pid": running, "agent": agent.agent, "since": timedelta(seconds=round(agent.now_s - agent.started_s))}
    faults = [fault for fault in agent.faults if not fault.code.startswith("source_")]
    if faults:
        told = "; ".join(f"{fault.code}: {fault.cause[:200]}" for fault in faults)
        return wrong("agent", text("doctor.agent_faults", faults=told, **words))
    return ok("agent", text("doctor.agent", **words))


def _sources(settings: Settings, environ: Mapping[str, str], running: str, agent: State | None, now: float) -> Iterator[Finding]:
    if agent is not None:
        yield from parts.sources_of(agent, settings, now)
    elif running:
        yield skipped("source", text("doctor.source_unread"))
    else:
        yield from parts.sources(settings, environ, now)
