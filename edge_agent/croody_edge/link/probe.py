"""One way to a broker, tried step by step as the link would go it: name, TCP, TLS, log-in, rights on topics.

Each step says what it found, or why it failed and what to do, and ends the walk. Nothing of it stays at the broker: no last will, a clean
session, and one publish to a topic on which nobody waits for anything.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event
from time import monotonic
from typing import Final, Literal

from croody_contract import topics
from croody_contract.messages import Answer, encode
from croody_edge.link import remedies
from croody_edge.link.address import BrokerAddress
from croody_edge.link.connection import Account, Confirmed, Connection, Happening, Up
from croody_edge.link.proxy import Proxy, through
from croody_edge.link.remedies import Reason
from croody_edge.link.self_pipe import SelfPipe
from croody_edge.texts import text

#: For each of: connecting, shaking hands.
_TRY_S: Final = 5.0
#: For log-in and rights together, longer than a connection waits for its CONNACK.
_SESSION_S: Final = 15.0
#: A certificate with less left than this is told, days.
_SOON_DAYS: Final = 14

Name = Literal["name", "tcp", "tls", "login", "rights"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found; `wrong` when it is the reason why nothing gets through."""

    name: Name
    said: str
    wrong: bool = False


def way(broker: BrokerAddress, account: Account, tls: ssl.SSLContext | None) -> Iterator[Step]:
    """Name, TCP and TLS. The first wrong step is the last.

    Args:
        broker: whither.
        account: of which proxies and authority are looked at; nobody logs in.
        tls: whom to trust, where the address asks for TLS.
    """
    proxy = account.proxies.to(broker.host, broker.port, "https") if broker.tls else None
    first = BrokerAddress(proxy.host, proxy.port) if proxy is not None else broker
    try:
        found = socket.getaddrinfo(first.host, first.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        yield _wrong("name", error, first, account)
        return
    addresses = sorted({str(entry[4][0]) for entry in found})
    yield Step("name", text("probe.name", host=first.host, addresses=", ".join(addresses[:4])))
    try:
        sock = _reach(broker, proxy)
    except OSError as error:
        yield _wrong("tcp", error, broker, account)
        return
    with closing(sock):
        yield Step("tcp", text("probe.tcp_proxy" if proxy else "probe.tcp", broker=broker, proxy=proxy))
        if not broker.tls or tls is None:
            yield Step("tls", text("probe.no_tls", broker=broker))
            return
        yield _shake_hands(sock, broker, account, tls)


def session(broker: BrokerAddress, account: Account, tls: ssl.SSLContext | None) -> Iterator[Step]:
    """Log-in and rights, with the account's own client id: on a broker that goes by accounts it ends the agent's session.

    Args:
        broker: one that `way` leads to.
        account: as whom, without a last will.
        tls: whom to trust, where the address asks for TLS.
    """
    first = _Visit(broker, account, tls)
    if not first.came_in:
        yield Step("login", first.why.text, wrong=True)
        return
    yield Step("login", text("probe.login", robot_id=account.robot_id, broker=broker))
    if not first.answered:
        yield Step("rights", text("probe.no_publish", topic=_topic(account), why=first.why.text), wrong=True)
        return
    # In MQTT 3.1.1 a broker may take a publish and drop it without a word; the one that does, Mosquitto, says so in MQTT 5.
    second = _Visit(broker, replace(account, mqtt5=True), tls)
    if second.refused:
        yield Step("rights", text("probe.no_publish", topic=_topic(account), why=text("probe.told")), wrong=True)
        return
    yield Step("rights", text("probe.rights", topic=topics.up_prefix(account.robot_id) + "#", down=topics.down_filter(account.robot_id)))


class _Visit:
    """One connection: in, one publish, out."""

    def __init__(self, broker: BrokerAddress, account: Account, tls: ssl.SSLContext | None) -> None:
        self.came_in = self.answered = self.refused = False
        self._stop, self._until = Event(), monotonic() + _SESSION_S
        self._account = account
        self._wake = SelfPipe()
        self._connection = Connection(account, broker, tls, self._wake, self._happened)
        with closing(self._wake):
            self.why: Reason = self._connection.live(_Deadline(self._stop, self._until))

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Up():
                self.came_in = True
                self._connection.publish(_topic(self._account), encode(Answer(state="received", detail="croody-edge doctor")))
            case Confirmed(_, refused):
                self.answered, self.refused = True, refused
                self._stop.set()
                self._wake.notify()
            case _:
                return


class _Deadline(Event):
    """An event that is set by itself at a moment of the monotonic clock."""

    def __init__(self, stop: Event, until_s: float) -> None:
        super().__init__()
        self._stop, self._until_s = stop, until_s

    def is_set(self) -> bool:
        return self._stop.is_set() or monotonic() > self._until_s


def _topic(account: Account) -> str:
    """An answer to a row that no cloud ever has: allowed to a robot, passed on as any other, and without effect."""
    return topics.build(topics.UpAnswer(account.robot_id, topics.NO_OUTGOING_ID))


def _reach(broker: BrokerAddress, proxy: Proxy | None) -> socket.socket:
    if proxy is not None:
        return through(proxy, broker.host, broker.port, _TRY_S)
    return socket.create_connection((broker.host, broker.port), _TRY_S)


def _shake_hands(sock: socket.socket, broker: BrokerAddress, account: Account, tls: ssl.SSLContext) -> Step:
    sock.settimeout(_TRY_S)
    try:
        with closing(tls.wrap_socket(sock, server_hostname=broker.host)) as wrapped:
            certificate = wrapped.getpeercert() or {}
            version = wrapped.version() or "?"
    except (OSError, ValueError) as error:
        return _wrong("tls", error, broker, account)
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (end - datetime.now(UTC)).days
    issuer = dict(pair for group in certificate.get("issuer", ()) for pair in group)  # type: ignore[misc]
    words = {"version": version, "issuer": issuer.get("commonName") or issuer.get("organizationName") or "?", "days": days}
    return Step("tls", text("probe.tls_soon" if days < _SOON_DAYS else "probe.tls", **words))


def _wrong(name: Name, error: Exception, broker: BrokerAddress, account: Account) -> Step:
    return Step(name, remedies.of_error(error, broker, account.ca_file, datetime.now(UTC)).text, wrong=True)
