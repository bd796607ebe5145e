"""What happens to a connection until it is let in: one CONNECT, in time, small, valid, and allowed. Knows no topics.

amqtt reads a CONNECT and touches the session of whatever client id stands in it, and only then asks for the password.
Here amqtt decodes the packet, and hears of its sender after `Policy.admit`.
"""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import UNACCEPTABLE_PROTOCOL_VERSION, ConnackPacket
from amqtt.session import Session

from croody_broker.frames import BodyReader, Frame, FrameReader, Malformed, length_bytes
from croody_broker.handler import GuardedHandler, GuardedWriter
from croody_broker.policy import Admitted, Knock, Refused
from croody_contract.connection_limits import Crowd, Visitor, one_address
from croody_contract.security import Kind

if TYPE_CHECKING:
    from croody_broker.broker import GuardedBroker

#: A CONNECT is never larger, in bytes: nobody has shown a password yet.
MAX_CONNECT_BYTES: Final = 16 * 1024
#: Connections of one user at the same time.
MAX_SESSIONS_PER_USER: Final = 16

_SERVER_UNAVAILABLE: Final = 0x03
#: The client id of the site's own health probes, on this machine and in its containers' network, which have no account: that they are
#: refused is all that they ask.
_PROBE: Final = "probe"
#: How amqtt begins the client id that it invents for a client that sent none.
_INVENTED: Final = "amqtt/"


class Door:
    """Lets connections in, or not."""

    def __init__(self, broker: "GuardedBroker") -> None:
        self._broker = broker
        self._crowd = Crowd()

    def arrive(self, transport: asyncio.BaseTransport) -> Visitor:
        """Somebody is at the door; where it is full, somebody goes."""
        peer = transport.get_extra_info("peername")
        address = one_address(str(peer[0])) if peer else ""
        visitor = Visitor(address, asyncio.get_running_loop().time(), transport.abort)  # type: ignore[attr-defined]
        goes = self._crowd.enter(visitor)
        if goes is not None:
            self._broker.complain(
                "crowd", goes.address, "too many connections without a CONNECT from there, or in all: one is closed for each that comes"
            )
            self._broker.notice(Kind.CROWD, address=goes.address)
            goes.abort()
        return visitor

    def leave(self, visitor: Visitor) -> None:
        """It is gone, or was let in."""
        self._crowd.leave(visitor)

    def send_away_the_silent(self, now: float) -> None:
        """Close whoever has not sent a CONNECT in time. `now`: loop time."""
        for visitor in self._crowd:
            if now - visitor.since_s > self._broker.settings.connect_timeout_s:
                visitor.abort()

    def close(self) -> None:
        """Close everybody who still waits."""
        for visitor in self._crowd:
            visitor.abort()

    async def receive(
        self, reader: asyncio.StreamReader, link: GuardedWriter, visitor: Visitor, *, needs_certificate: bool
    ) -> tuple[GuardedHandler, Session] | None:
        """Wait for the CONNECT and judge it. `None`: refused and told so, or gone.

        Raises:
            Malformed: what came is no CONNECT.
        """
        loop = asyncio.get_running_loop()
        signs: list[Callable[[], None]] = []
        frames = FrameReader(reader, lambda: signs[0]() if signs else None)
        address, visitor.shaking = str((link.get_peer_info() or ("",))[0]), False
        try:
            frame = await frames.next(MAX_CONNECT_BYTES)
        finally:
            self.leave(visitor)
        if frame is None:
            return None
        if frame.kind != 1:
            raise Malformed(f"the first packet is of type {frame.kind}")
        if _other_version(frame):
            self._broker.complain("version", address, "speaks another MQTT than 3.1.1: told so (0x01) and closed; use protocol version 4")
            await _turn_away(link, UNACCEPTABLE_PROTOCOL_VERSION)
            return None
        handler, session = await self._decoded(frame, link)
        verdict = self._judge(session, link, needs_certificate=needs_certificate)
        if isinstance(verdict, Refused):
            known = self._broker.policy.accounts.hash_of(session.username or "") is not None
            who = str(session.username) if known else address
            if not _is_probe(session, address):
                self._broker.complain(f"refused {verdict.code}", who, f"refused: {verdict.reason}")
                secret = session.password if verdict.kind is Kind.WRONG_SECRET else None
                self._broker.notice(verdict.kind, address=one_address(address), account=session.username or "", known=known, secret=secret)
            await _turn_away(link, verdict.code)
            return None
        self._broker.notice(Kind.CONNECTED, address=one_address(address), account=verdict.user, known=True)
        # amqtt must not time anything by itself, keep a password, or keep a session.
        keep_alive_s, session.keep_alive = session.keep_alive, 0
        session.client_id, session.username, session.password = verdict.client_id, verdict.user, None
        session.clean_session, session.will_retain = True, False
        handler.prepare(self._broker, frames, link, verdict, keep_alive_s, loop.time())
        signs.append(handler.alive)
        return handler, session

    async def _decoded(self, frame: Frame, link: GuardedWriter) -> tuple[GuardedHandler, Session]:
        """Let amqtt read the CONNECT, from its own bytes only.

        Raises:
            Malformed: amqtt finds fault with it, or does not need all of it.
        """
        body = BodyReader(b"\x10" + length_bytes(len(frame.body)) + frame.body)
        try:
            handler, session = await GuardedHandler.init_from_connect(body, link, self._broker.plugins_manager)
        except (AMQTTError, MQTTError, NoDataError, ValueError) as error:
            raise Malformed(str(error)) from error
        if not body.used_exactly:
            raise Malformed("CONNECT: its parts do not add up to its length")
        return handler, session

    def _judge(self, session: Session, link: GuardedWriter, *, needs_certificate: bool) -> Admitted | Refused:
        client_id = session.client_id or ""
        verdict = self._broker.policy.admit(
            Knock(
                user=session.username,
                secret=session.password,
                client_id=None if client_id.startswith(_INVENTED) else client_id,
                will_topic=session.will_topic if session.will_flag else None,
                will_retain=bool(session.will_retain),
                needs_certificate=needs_certificate,
                common_name=_common_name(link.get_ssl_info()),
            ),
            fresh_id=secrets.token_hex(8),
        )
        if isinstance(verdict, Admitted) and verdict.client_id not in self._broker.sessions:
            count = sum(handler.admitted.user == verdict.user for _, handler in self._broker.guarded())
            if count >= MAX_SESSIONS_PER_USER:
                return Refused(_SERVER_UNAVAILABLE, f"user {verdict.user!r}: has {count} connections, at most {MAX_SESSIONS_PER_USER}")
        return verdict


async def _turn_away(link: GuardedWriter, code: int) -> None:
    link.write(ConnackPacket.build(0, code).to_bytes())
    await link.close()


def _is_probe(session: Session, address: str) -> bool:
    """Refused like everybody without an account, but a line about it every time would teach readers to skip that line."""
    return session.username is None and session.client_id == _PROBE and ip_address(address.partition("%")[0]).is_private


def _other_version(frame: Frame) -> bool:
    """A CONNECT of MQTT 3.1 or 5: their payload is laid out otherwise, so this is said before reading it."""
    return frame.body[:6] == b"\x00\x06MQIs" or (frame.body[:6] == b"\x00\x04MQTT" and frame.body[6:7] not in (b"\x04", b""))


def _common_name(tls: ssl.SSLObject | None) -> str | None:
    certificate: Any = (tls.getpeercert() if tls is not None else None) or {}
    for part in certificate.get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None
