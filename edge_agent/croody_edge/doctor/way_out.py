"""The way to the cloud: each broker of the list, as far as it may be gone beside a running agent.

An agent that runs is connected already, and says itself how it is. Nobody logs in beside it unless told to: where a broker goes by
accounts, as Mosquitto does, a second log-in ends the first.
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from croody_edge.doctor.finding import Finding, ok, skipped, wrong
from croody_edge.link.address import BrokerAddress
from croody_edge.link.connection import Account
from croody_edge.link.probe import Step, session, way
from croody_edge.local.state import State
from croody_edge.settings import Settings
from croody_edge.texts import text

#: Of the client id, beside the agent's own.
_SUFFIX = "doctor"


def look(settings: Settings, agent: State | None, running: bool, *, log_in: bool) -> Iterator[Finding]:
    """Every step to every broker, or to the server that takes readings by HTTP.

    Args:
        settings: of the agent.
        agent: what the running one says, where it answers.
        running: whether there is one.
        log_in: beside it too.
    """
    try:
        tls = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        yield wrong("tls", text("setting.ca", file=repr(str(settings.ca_file)), error=error))
        return
    account = Account(settings.robot_id, settings.secret, None, 20, 1, _SUFFIX, settings.ca_file, settings.proxies)
    may_log_in = not settings.http and (log_in or not running)
    for broker in _targets(settings):
        steps = list(way(broker, account, tls))
        if may_log_in and not steps[-1].wrong:
            steps += session(broker, account, tls)
        yield from map(_told, steps)
    if not may_log_in:
        yield from _said_by(agent, settings)


def _targets(settings: Settings) -> tuple[BrokerAddress, ...]:
    if not settings.http:
        return settings.brokers
    parts = urlsplit(settings.ingest_url)
    tls = parts.scheme == "https"
    return (BrokerAddress(parts.hostname or "", parts.port or (443 if tls else 80), tls),)


def _told(step: Step) -> Finding:
    return wrong(step.name, step.said) if step.wrong else ok(step.name, step.said)


def _said_by(agent: State | None, settings: Settings) -> Iterator[Finding]:
    """What a running agent's own connection proves."""
    if agent is None:
        key = "doctor.login_http" if settings.http else "doctor.login_not_tried"
        yield skipped("login", text(key))
        return
    if agent.trouble:
        yield wrong("login", agent.trouble)
        return
    yield ok("login", text("doctor.login_agent", ago=timedelta(seconds=round(agent.pulse_age_s))))
    if agent.proven_s:
        yield ok("rights", text("doctor.rights_agent", at=datetime.fromtimestamp(agent.proven_s, UTC)))
    else:
        yield skipped("rights", text("doctor.rights_not_yet", waiting=agent.pending))
