"""amqtt's broker behind a guard. Knows sockets and sessions; who may come in and do what is decided in `policy`.

A connection is judged before amqtt learns that it exists: amqtt itself erases or takes over the session of whatever
client id stands in a CONNECT and asks for the password afterwards. `docs/decisions` says what else is guarded, and why.
The private names of amqtt that this leans on are listed in `seams`.
"""

import asyncio
import errno
import logging
import random
import socket
import ssl
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

from amqtt.adapters import ReaderAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import NoDataError
from amqtt.session import Session

from croody_broker import tls, websocket
from croody_broker.complaints import Complaints
from croody_broker.door import Door
from croody_broker.frames import MAX_TOPIC_BYTES, Malformed
from croody_broker.handler import GuardedHandler, GuardedWriter
from croody_broker.noticed import Notices
from croody_broker.policy import Policy
from croody_broker.rates import Rates
from croody_broker.receipts import FIRST_NUMBER, LAST_NUMBER, Held, Receipts
from croody_broker.rules import Grant, Levels, matches
from croody_broker.settings import Settings
from croody_contract.connection_limits import Visitor, one_address
from croody_contract.mosquitto import BRIDGE_USER
from croody_contract.security import TOPIC, Kind
from croody_contract.topics import UP_FILTER, is_plain

log = logging.getLogger("croody.broker")

#: The name of the listener for MQTT over WebSocket.
WEBSOCKET: Final = "websocket"
#: Filters of one connection.
MAX_FILTERS: Final = 64
#: How often keepalives are looked at, in seconds.
_SWEEP_S: Final = 0.25
#: A peer that vanished without keepalive is found by TCP: after 60 s of silence, four probes 15 s apart.
_TCP_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}

#: Connections that the kernel keeps for a listener until they are taken.
_BACKLOG: Final = 512

_REFUSED_FILTER: Final = 0x80
#: What the system says when it has no room for another connection.
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@lru_cache(maxsize=4096)
def _levels(text: str) -> Levels:
    return tuple(text.split("/"))


class GuardedBroker(Broker):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's `Broker`; every session is clean, nothing is retained, nothing is queued."""

    def __init__(self, settings: Settings, policy: Policy | None = None) -> None:
        self.settings = settings
        self.policy = policy or Policy()
        self._door = Door(self)
        self._complaints = Complaints()
        self._notices = Notices()
        self.rates = Rates(settings.max_rate_bytes_s)
        self.receipts = Receipts(first_number=random.randint(FIRST_NUMBER, LAST_NUMBER))
        self._sweeper: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None
        listeners = {"default": ListenerConfig(bind=settings.bind)}
        if settings.tls is not None:
            listeners["tls"] = ListenerConfig(bind=settings.tls.bind, ssl=True, certfile=settings.tls.cert, keyfile=settings.tls.key)
        if settings.websocket_bind is not None:
            listeners[WEBSOCKET] = ListenerConfig(bind=settings.websocket_bind)
        # No plugin of amqtt is loaded: they cost more than half of the throughput, and the guard answers for all they would.
        super().__init__(BrokerConfig(listeners=listeners, plugins={}))

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen.

        Raises:
            amqtt.errors.BrokerError: an address cannot be bound or a certificate not be read.
        """
        asyncio.get_running_loop().set_exception_handler(self._went_wrong)
        await super().start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def shutdown(self) -> None:
        """Close the listeners, then every connection, without waiting for slow peers."""
        for server in self._servers.values():
            server.instance.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._door.close()
        connected = self.guarded()
        for session, handler in connected:
            session.will_flag = False
            await handler.link.close()
        await super().shutdown()
        for _, handler in connected:
            handler.link.abort()
        await asyncio.sleep(0)  # their sockets are closed in the loop's next round

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

    def notice(
        self, kind: Kind, *, address: str = "", account: str = "", known: bool = False, secret: str | None = None, topic: str = ""
    ) -> None:
        """Count it for detection: see `noticed`."""
        now_s = asyncio.get_running_loop().time()
        self._notices.take(now_s, kind, address=address, account=account, known=known, secret=secret, topic=topic)

    def _tell_noticed(self, now_s: float) -> None:
        if self._notices.close(now_s) and self._subscriptions.get(TOPIC) and self._targets(TOPIC):
            for report in self._notices.hand_over(now_s):
                self.route(TOPIC, report, 0)

    def _went_wrong(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Asyncio tells of every connection that it cannot take, hundreds of times a second, with a traceback each."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            self.complain("accept", "listeners", f"connections cannot be taken now: {error.strerror}; raise the limit of open files")
        else:
            loop.default_exception_handler(context)

    def guarded(self) -> list[tuple[Session, GuardedHandler]]:
        """Everybody who is connected."""
        return [(session, handler) for session, handler in self._sessions.values() if isinstance(handler, GuardedHandler)]

    async def _sweep(self) -> None:
        """End what has been silent for too long: 1.5 keepalives, or `connect_timeout_s` without a CONNECT."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = loop.time()
            self._door.send_away_the_silent(now)
            self._tell_noticed(now)
            for _, handler in self.guarded():
                if handler.keep_alive_s and not handler.paused and now - handler.last_in_s > 1.5 * handler.keep_alive_s:
                    handler.end(f"silent for more than 1.5 x its keepalive of {handler.keep_alive_s} s")

    # -- policy ----------------------------------------------------------------------------------------------------

    async def adopt(self, policy: Policy) -> None:
        """Judge by this policy from now on, also those who are connected: users that are gone or have a new secret are
        closed, subscriptions no longer covered are removed."""
        self.policy = policy
        for session, handler in self.guarded():
            admitted = handler.admitted
            hashed = policy.accounts.hash_of(admitted.user)
            grant = policy.rules.grant(admitted.user, admitted.client_id) if hashed else Grant()
            handler.admitted = replace(admitted, grant=grant)
            if hashed != admitted.hashed:
                await self._end(session, handler, "its account was removed or its secret changed")
                continue
            for topic_filter in [each for each in handler.filters if not grant.may_subscribe(_levels(each))]:
                self.remove_subscription(topic_filter, handler)
                self.complain("subscription", admitted.user, f"subscription {topic_filter!r} removed: the rules changed")

    # -- coming in -------------------------------------------------------------------------------------------------

    async def _create_server_instance(
        self, listener_name: str, listener_type: ListenerType, address: str | None, port: int, ssl_context: ssl.SSLContext | None
    ) -> asyncio.Server:
        host, connected = address.strip("[]") if address else None, partial(self.stream_connected, listener_name=listener_name)
        if listener_name == WEBSOCKET:
            return await websocket.start_server(connected, host, port, max_message_bytes=self.settings.max_packet_bytes, backlog=_BACKLOG)
        if ssl_context is not None:
            return await tls.start_server(
                connected,
                host,
                port,
                ssl_context,
                arrive=self._door.arrive,
                leave=self._door.leave,
                handshake_s=self.settings.connect_timeout_s,
                backlog=_BACKLOG,
            )
        return await asyncio.start_server(connected, host, port, reuse_address=True, backlog=_BACKLOG)

    def _create_ssl_context(self, listener: ListenerConfig) -> ssl.SSLContext:
        assert self.settings.tls is not None
        self._tls = self.settings.tls.context()
        return self._tls

    def reload_certificate(self) -> None:
        """Use the certificate files as they are now, for connections still to come.

        Raises:
            OSError: unreadable, or no pair (`ssl.SSLError` is one); the old certificate stays in use.
        """
        if self._tls is None or self.settings.tls is None:
            return
        fresh = self.settings.tls.context()

        def use_fresh(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = fresh

        # A context keeps one certificate of each kind of key: loaded beside an elliptic one, a new RSA one would never be shown.
        self._tls.sni_callback = use_fresh

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visitor: Visitor | None = None, *, listener_name: str
    ) -> None:
        """A connection, from its first byte to its last. `visitor`: the door knows it already."""
        link = GuardedWriter(writer)
        peer = link.get_peer_info()
        server = self._servers.get(listener_name)
        if peer is None or server is None:
            link.abort()
            return
        _watch_peer(writer)
        try:
            came = await self._door.receive(
                reader, link, visitor or self._door.arrive(writer.transport), needs_certificate=self._needs_certificate(listener_name)
            )
        except Malformed as error:
            self.complain("connect", peer[0], f"no valid CONNECT: {error}")
            self.notice(Kind.MALFORMED, address=one_address(str(peer[0])))
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

    def _needs_certificate(self, listener_name: str) -> bool:
        return listener_name == "tls" and self.settings.tls is not None and self.settings.tls.client_ca is not None

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        """Everybody who gets here was admitted. From here to amqtt's own entry in the table nothing else runs, so this
        is where an older connection with the same client id, which is the same user's, makes room."""
        while (old := self._sessions.get(session.client_id or "")) is not None:
            await self._end(old[0], old[1], "taken over by a newer connection with its client id")
            self.notice(Kind.TAKEN_OVER, account=old[1].admitted.user, known=True, address=old[1].address)
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
        self.receipts.leave(handler)
        self.receipts.left(handler, handler.admitted.client_id)
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
                payload, qos = bytes(session.will_message or b""), session.will_qos or 0
                if qos and is_plain(session.will_topic):
                    self.route_held(Held(handler.admitted.client_id, 0, session.will_topic, payload, b"", None))
                else:
                    self.route(session.will_topic, payload, qos)

    async def _handle_disconnect(self, client_session: Session, handler: Any, disconnect_waiter: asyncio.Future[Any]) -> None:
        self._publish_will(client_session, handler)
        await super()._handle_disconnect(client_session, handler, disconnect_waiter)

    # -- topics ----------------------------------------------------------------------------------------------------

    def route(self, topic: str, payload: bytes, qos: int) -> bool:
        """Write a message out to everybody who subscribed to it and may have it, once each.

        Returns whether one of them falls behind, so that the sender is slowed down.
        """
        targets = self._targets(topic)
        if is_plain(topic):
            # Bridges divide plain readings between them: nobody would notice that two stored the same one.
            others = self.receipts.carriers[1:]
            targets = {handler: granted for handler, granted in targets.items() if handler not in others}
        falls_behind = False
        for handler, granted in targets.items():
            falls_behind |= handler.send_publish(topic, payload, min(qos, granted))
        return falls_behind

    def route_held(self, held: Held) -> None:
        """Give a plain reading to one bridge, to be acknowledged after the commit, and a copy to everybody else who may have it."""
        carriers = self.receipts.carriers
        for handler, granted in self._targets(held.topic).items():
            if handler not in carriers:
                handler.send_publish(held.topic, held.payload, min(1, granted))
        self.receipts.hold(held)

    def _targets(self, topic: str) -> dict[GuardedHandler, int]:
        """Everybody who subscribed to a topic and may have it, with the QoS that was granted."""
        levels = topic.split("/")
        targets: dict[GuardedHandler, int] = {}
        for topic_filter, subscriptions in self._subscriptions.items():
            if matches(levels, _levels(topic_filter)):
                for session, granted in subscriptions:
                    current = self._sessions.get(session.client_id or "")
                    if current is not None and isinstance(current[1], GuardedHandler):
                        targets[current[1]] = max(granted, targets.get(current[1], 0))
        return {handler: granted for handler, granted in targets.items() if handler.admitted.grant.may_receive(levels)}

    async def subscribe(self, topic_filter: str, qos: int, handler: GuardedHandler) -> int:
        """Grant QoS 0 or 1, or refuse with 0x80."""
        if topic_filter.startswith("$share/"):
            self.complain("share", handler.admitted.user, "shared subscriptions need Mosquitto: refused; subscribe without $share/")
            return _REFUSED_FILTER
        if len(handler.filters) >= MAX_FILTERS and topic_filter not in handler.filters:
            self.complain("filters", handler.admitted.user, f"more than {MAX_FILTERS} subscriptions: refused")
            return _REFUSED_FILTER
        self.remove_subscription(topic_filter, handler)  # amqtt would keep the QoS of the first
        code = int(await self.add_subscription((topic_filter, min(qos, 1)), handler.session))
        if code == _REFUSED_FILTER:
            self.complain("subscribe", handler.admitted.user, f"may not subscribe to {topic_filter[:200]!r}: refused")
            self.notice(Kind.DENIED_SUBSCRIBE, address=handler.address, account=handler.admitted.user, known=True, topic=topic_filter)
        else:
            handler.filters.add(topic_filter)
            if code and topic_filter == UP_FILTER and handler.admitted.user == BRIDGE_USER:
                self.receipts.join(handler)
        return code

    def remove_subscription(self, topic_filter: str, handler: GuardedHandler) -> None:
        """Forget one filter of one connection, if it has it."""
        if topic_filter in handler.filters and handler.session is not None:
            handler.filters.discard(topic_filter)
            if topic_filter == UP_FILTER:
                self.receipts.leave(handler)
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
        """Asked by amqtt before it subscribes a session."""
        current = self._sessions.get(session.client_id or "")
        if current is None or not isinstance(current[1], GuardedHandler) or len(topic) > MAX_TOPIC_BYTES:
            return False
        return current[1].admitted.grant.may_subscribe(topic.split("/"))

    async def _session_monitor(self) -> None:
        """Sessions are forgotten as they leave. amqtt's monitor comes a second later and goes by client id, so it could take
        the subscriptions of a client that is back by then."""

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


def _watch_peer(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP_KEEPALIVE.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
