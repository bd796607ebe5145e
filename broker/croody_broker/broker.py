"""amqtt's broker behind a guard. Knows sockets, sessions and the files' paths; what is allowed is decided in `policy`.

A connection is judged before amqtt learns that it exists: amqtt itself erases or takes over the session of whatever
client id stands in a CONNECT and asks for the password afterwards. `docs/decisions` says what else is guarded, and why.
The private names of amqtt that this leans on are listed in `seams`.
"""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final

from amqtt.adapters import ReaderAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import UNACCEPTABLE_PROTOCOL_VERSION, ConnackPacket
from amqtt.session import Session

from croody_broker.complaints import Complaints
from croody_broker.frames import BodyReader, Frame, FrameReader, Malformed
from croody_broker.handler import GuardedHandler, GuardedWriter
from croody_broker.policy import Admitted, Knock, Policy, Refused
from croody_broker.rules import Grant, Levels, matches
from croody_broker.settings import Settings

log = logging.getLogger("croody.broker")

#: A CONNECT is never larger, in bytes: nobody has shown a password yet.
MAX_CONNECT_BYTES: Final = 16 * 1024
#: Connections without a CONNECT; when one more comes, the oldest goes.
MAX_WAITING: Final = 256
#: Connections of one user at the same time, and filters of one connection.
MAX_SESSIONS_PER_USER: Final = 16
MAX_FILTERS: Final = 64
#: How often keepalives are looked at, in seconds.
_SWEEP_S: Final = 0.25
#: A peer that vanished without keepalive is found by TCP: after 60 s of silence, four probes 15 s apart.
_TCP_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}

_REFUSED_FILTER: Final = 0x80


@dataclass(eq=False, slots=True)
class _Visitor:
    """A connection that has not sent its CONNECT yet."""

    link: GuardedWriter
    since_s: float


@lru_cache(maxsize=4096)
def _levels(text: str) -> Levels:
    return tuple(text.split("/"))


class GuardedBroker(Broker):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's `Broker`; every session is clean, nothing is retained, nothing is queued."""

    def __init__(self, settings: Settings, policy: Policy | None = None) -> None:
        self.settings = settings
        self.policy = policy or Policy()
        self._visitors: dict[_Visitor, None] = {}
        self._complaints = Complaints()
        self._sweeper: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None
        listeners = {"default": ListenerConfig(bind=settings.bind)}
        if settings.tls is not None:
            listeners["tls"] = ListenerConfig(bind=settings.tls.bind, ssl=True, certfile=settings.tls.cert, keyfile=settings.tls.key)
        # No plugin of amqtt is loaded: they cost more than half of the throughput, and the guard answers for all they would.
        super().__init__(BrokerConfig(listeners=listeners, plugins={}))

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen.

        Raises:
            amqtt.errors.BrokerError: an address cannot be bound or a certificate not be read.
        """
        await super().start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def shutdown(self) -> None:
        """Close the listeners, then every connection, without waiting for slow peers."""
        for server in self._servers.values():
            server.instance.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for visitor in list(self._visitors):
            visitor.link.abort()
        for _, handler in list(self._guarded()):
            if handler.session is not None:
                handler.session.will_flag = False
            await handler.link.close()
        await super().shutdown()

    def addresses(self) -> list[tuple[str, str]]:
        """Listener name and `HOST:PORT` it really listens on."""
        return [
            (name, f"{sock.getsockname()[0]}:{sock.getsockname()[1]}")
            for name, server in self._servers.items()
            for sock in getattr(server.instance, "sockets", ())
        ]

    def complain(self, kind: str, who: str, text: str) -> None:
        """Log what was refused, once a minute for each kind and client."""
        self._complaints.say(kind, who, text, asyncio.get_running_loop().time())

    def _guarded(self) -> list[tuple[Session, GuardedHandler]]:
        return [(session, handler) for session, handler in self._sessions.values() if isinstance(handler, GuardedHandler)]

    async def _sweep(self) -> None:
        """End what has been silent for too long: 1.5 keepalives, or `connect_timeout_s` without a CONNECT."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = loop.time()
            for visitor in list(self._visitors):
                if now - visitor.since_s > self.settings.connect_timeout_s:
                    visitor.link.abort()
            for _, handler in self._guarded():
                if handler.keep_alive_s and now - handler.last_in_s > 1.5 * handler.keep_alive_s:
                    handler.end(f"silent for more than 1.5 x its keepalive of {handler.keep_alive_s} s")

    # -- policy ----------------------------------------------------------------------------------------------------

    async def adopt(self, policy: Policy) -> None:
        """Judge by this policy from now on, also those who are connected: users that are gone or have a new secret are
        closed, subscriptions no longer covered are removed."""
        self.policy = policy
        for session, handler in self._guarded():
            admitted = handler.admitted
            hashed = policy.accounts.hash_of(admitted.user)
            grant = policy.rules.grant(admitted.user, admitted.client_id) if hashed else Grant()
            handler.admitted = replace(admitted, grant=grant)
            if hashed != admitted.hashed:
                await self._end(session, handler, "its account was removed or its secret changed")
                continue
            for topic_filter in [each for each in handler.filters if not grant.may_subscribe(_levels(each))]:
                self.remove_subscription(topic_filter, handler)
                self.complain("subscription", admitted.client_id, f"subscription {topic_filter!r} removed: the rules changed")

    # -- coming in -------------------------------------------------------------------------------------------------

    async def _create_server_instance(
        self, listener_name: str, listener_type: ListenerType, address: str | None, port: int, ssl_context: ssl.SSLContext | None
    ) -> asyncio.Server:
        timeouts: dict[str, Any] = {}
        if ssl_context is not None:
            timeouts = {"ssl_handshake_timeout": self.settings.connect_timeout_s, "ssl_shutdown_timeout": 1.0}
        return await asyncio.start_server(
            partial(self.stream_connected, listener_name=listener_name),
            address.strip("[]") if address else None,
            port,
            reuse_address=True,
            backlog=512,
            ssl=ssl_context,
            **timeouts,
        )

    def _create_ssl_context(self, listener: ListenerConfig) -> ssl.SSLContext:
        assert self.settings.tls is not None
        self._tls = self.settings.tls.context()
        return self._tls

    def reload_certificate(self) -> None:
        """Use the certificate files as they are now, for connections still to come.

        Raises:
            OSError: unreadable, or no pair (`ssl.SSLError` is one); the old certificate stays in use.
        """
        if self._tls is not None and self.settings.tls is not None:
            self.settings.tls.context()
            self._tls.load_cert_chain(self.settings.tls.cert, self.settings.tls.key)

    async def stream_connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str) -> None:
        """A connection, from its first byte to its last."""
        link = GuardedWriter(writer)
        peer = link.get_peer_info()
        server = self._servers.get(listener_name)
        if peer is None or server is None:
            link.abort()
            return
        _watch_peer(writer)
        try:
            came = await self._receive(reader, link, peer, needs_certificate=self._needs_certificate(listener_name))
        except Malformed as error:
            self.complain("connect", peer[0], f"no valid CONNECT: {error}")
            await link.close()
            return
        if came is None:
            await link.close()
            return
        handler, session = came
        log.info("%s: connected from %s:%s", session.client_id, *peer)
        try:
            await self._handle_client_session(_Unused(), link, session, handler, server, listener_name)
        finally:
            await self._leave(session, handler)
            log.info("%s: gone: %s", session.client_id, handler.ended or "connection lost")

    async def _receive(
        self, reader: asyncio.StreamReader, link: GuardedWriter, peer: tuple[str, int], *, needs_certificate: bool
    ) -> tuple[GuardedHandler, Session] | None:
        """Wait for the CONNECT and judge it. `None`: refused and told so, or gone.

        Raises:
            Malformed: what came is no CONNECT.
        """
        loop = asyncio.get_running_loop()
        visitor = _Visitor(link, loop.time())
        if len(self._visitors) >= MAX_WAITING:
            next(iter(self._visitors)).link.abort()
        self._visitors[visitor] = None
        signs: list[Callable[[], None]] = []
        frames = FrameReader(reader, lambda: signs[0]() if signs else None)
        try:
            frame = await frames.next(MAX_CONNECT_BYTES)
        finally:
            self._visitors.pop(visitor, None)
        if frame is None:
            return None
        if frame.kind != 1:
            raise Malformed(f"the first packet is of type {frame.kind}")
        if _other_version(frame):
            self.complain("version", peer[0], "speaks another MQTT than 3.1.1: told so (0x01) and closed; use protocol version 4")
            await self._turn_away(link, UNACCEPTABLE_PROTOCOL_VERSION)
            return None
        handler, session = await self._decoded(frame, link)
        keep_alive_s, session.keep_alive = session.keep_alive, 0  # amqtt must not time anything itself
        verdict = self._judge(session, link, needs_certificate=needs_certificate)
        if isinstance(verdict, Refused):
            known = self.policy.accounts.hash_of(session.username or "") is not None
            self.complain(f"refused {verdict.code}", str(session.username) if known else peer[0], f"refused: {verdict.reason}")
            await self._turn_away(link, verdict.code)
            return None
        session.client_id = verdict.client_id
        session.username = verdict.user
        session.password = None
        session.clean_session = True
        session.will_retain = False
        handler.prepare(self, frames, link, verdict, keep_alive_s, loop.time())

        def alive() -> None:
            handler.last_in_s = loop.time()

        signs.append(alive)
        return handler, session

    async def _decoded(self, frame: Frame, link: GuardedWriter) -> tuple[GuardedHandler, Session]:
        """Let amqtt read the CONNECT, from its own bytes only.

        Raises:
            Malformed: amqtt finds fault with it, or does not need all of it.
        """
        body = BodyReader(bytes((0x10, *_length_bytes(len(frame.body)))) + frame.body)
        try:
            handler, session = await GuardedHandler.init_from_connect(body, link, self.plugins_manager)
        except (AMQTTError, MQTTError, NoDataError, ValueError) as error:
            raise Malformed(str(error)) from error
        if body.left:
            raise Malformed(f"CONNECT: {body.left} bytes too many")
        assert isinstance(handler, GuardedHandler)
        return handler, session

    def _judge(self, session: Session, link: GuardedWriter, *, needs_certificate: bool) -> Admitted | Refused:
        client_id = session.client_id or ""
        verdict = self.policy.admit(
            Knock(
                user=session.username,
                secret=session.password,
                # amqtt invents such an id for a client that sent none; ours says whose it is.
                client_id=None if client_id.startswith("amqtt/") else client_id,
                will_topic=session.will_topic if session.will_flag else None,
                will_retain=bool(session.will_retain),
                needs_certificate=needs_certificate,
                common_name=_common_name(link.get_ssl_info()),
            ),
            fresh_id=secrets.token_hex(8),
        )
        if isinstance(verdict, Admitted) and verdict.client_id not in self._sessions:
            users = sum(handler.admitted.user == verdict.user for _, handler in self._guarded())
            if users >= MAX_SESSIONS_PER_USER:
                return Refused(0x03, f"user {verdict.user!r}: has {users} connections already, at most {MAX_SESSIONS_PER_USER}")
        return verdict

    async def _turn_away(self, link: GuardedWriter, code: int) -> None:
        link.write(ConnackPacket.build(0, code).to_bytes())
        await link.close()

    def _needs_certificate(self, listener_name: str) -> bool:
        return listener_name == "tls" and self.settings.tls is not None and self.settings.tls.client_ca is not None

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        """Everybody who gets here was admitted. From here to amqtt's own entry in the table nothing else runs, so this
        is where an older connection with the same client id, which is the same user's, makes room."""
        while (old := self._sessions.get(session.client_id or "")) is not None:
            await self._end(old[0], old[1], "taken over by a newer connection with its client id")
        return True

    # -- going out -------------------------------------------------------------------------------------------------

    async def _end(self, session: Session, handler: Any, reason: str) -> None:
        """End a connection now: its will first, so that whoever comes next speaks last."""
        self._publish_will(session, handler)
        await self._leave(session, handler)
        handler.end(reason)

    async def _leave(self, session: Session, handler: GuardedHandler) -> None:
        """Forget a session, unless its client id has a newer one, and close its connection."""
        self._publish_will(session, handler)
        current = self._sessions.get(session.client_id or "")
        if current is not None and current[1] is handler:
            del self._sessions[session.client_id or ""]
            await self._del_all_subscriptions(session)
        await handler.link.close()

    def _publish_will(self, session: Session, handler: GuardedHandler) -> None:
        """Publish the will of a session that ends without a DISCONNECT, once, when the rules still allow it."""
        if session.will_flag and session.will_topic:
            session.will_flag = False
            if handler.admitted.grant.may_publish(_levels(session.will_topic)):
                self.route(session.will_topic, bytes(session.will_message or b""), session.will_qos or 0)

    async def _handle_disconnect(self, client_session: Session, handler: Any, disconnect_waiter: asyncio.Future[Any]) -> None:
        self._publish_will(client_session, handler)
        await super()._handle_disconnect(client_session, handler, disconnect_waiter)

    # -- topics ----------------------------------------------------------------------------------------------------

    def route(self, topic: str, payload: bytes, qos: int) -> None:
        """Write a message out to everybody who subscribed to it and may have it, once each."""
        levels = topic.split("/")
        targets: dict[GuardedHandler, int] = {}
        for topic_filter, subscriptions in self._subscriptions.items():
            if matches(levels, _levels(topic_filter)):
                for session, granted in subscriptions:
                    current = self._sessions.get(session.client_id or "")
                    if current is not None and isinstance(current[1], GuardedHandler):
                        targets[current[1]] = max(granted, targets.get(current[1], 0))
        for handler, granted in targets.items():
            if handler.admitted.grant.may_receive(levels):
                handler.send_publish(topic, payload, min(qos, granted))

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Grant QoS 0 or 1, or refuse with 0x80."""
        topic_filter, qos = subscription
        handler = self._sessions[session.client_id or ""][1]
        assert isinstance(handler, GuardedHandler)
        if topic_filter.startswith("$share/"):
            self.complain("share", handler.admitted.client_id, "shared subscriptions need Mosquitto: refused; subscribe without $share/")
            return _REFUSED_FILTER
        if not handler.admitted.grant.may_subscribe(topic_filter.split("/")):
            self.complain("subscribe", handler.admitted.client_id, f"may not subscribe to {topic_filter[:200]!r}: refused")
            return _REFUSED_FILTER
        if len(handler.filters) >= MAX_FILTERS and topic_filter not in handler.filters:
            self.complain("filters", handler.admitted.client_id, f"more than {MAX_FILTERS} subscriptions: refused")
            return _REFUSED_FILTER
        self._del_subscription(topic_filter, session)  # amqtt would keep the old QoS
        handler.filters.add(topic_filter)
        return int(await super().add_subscription((topic_filter, min(qos, 1)), session))

    def remove_subscription(self, topic_filter: str, handler: GuardedHandler) -> None:
        """Forget one filter of one connection, if it has it."""
        if topic_filter in handler.filters and handler.session is not None:
            handler.filters.discard(topic_filter)
            self._del_subscription(topic_filter, handler.session)

    def _del_subscription(self, a_filter: str, session: Session) -> int:
        deleted = int(super()._del_subscription(a_filter, session))
        if not self._subscriptions.get(a_filter, True):
            del self._subscriptions[a_filter]
        return deleted

    async def _del_all_subscriptions(self, session: Session) -> None:
        for topic_filter in list(self._subscriptions):
            self._del_subscription(topic_filter, session)

    async def _topic_filtering(self, session: Session, topic: str, action: Any) -> bool:
        """Asked by amqtt once more before it subscribes; `add_subscription` has answered."""
        return True

    async def retain_message(self, *_: Any, **__: Any) -> None:
        """Nothing is retained."""

    async def _publish_retained_messages_for_subscription(self, subscription: tuple[str, int], session: Session) -> None:
        """Nothing is retained."""


class _Unused(ReaderAdapter):  # type: ignore[misc]  # amqtt ships no types
    """Stands where amqtt expects a reader; the guarded handler reads frames instead."""

    async def read(self, n: int = -1) -> bytes:
        raise NoDataError("the guarded handler reads frames")

    def feed_eof(self) -> None:
        """Nothing to do."""


def _other_version(frame: Frame) -> bool:
    """A CONNECT of MQTT 3.1 or 5: their payload is laid out otherwise, so this is said before reading it."""
    return frame.body[:6] == b"\x00\x06MQIs" or (frame.body[:6] == b"\x00\x04MQTT" and frame.body[6:7] not in (b"\x04", b""))


def _length_bytes(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        out.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(out)


def _watch_peer(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP_KEEPALIVE.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _common_name(tls: ssl.SSLObject | None) -> str | None:
    certificate: Any = (tls.getpeercert() if tls is not None else None) or {}
    for part in certificate.get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None
