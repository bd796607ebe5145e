"""Batches out, acknowledgements in, over MQTT: the outbox, the drain and the link of one robot brought together.

The decisions are `drain`'s and the commands'; this is the rim that moves bytes. Runs in the agent's thread, under the agent's lock.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Final

import msgspec

from croody_contract import ranges, topics
from croody_contract.batch import Head, pack
from croody_contract.limits import MAX_PUBLISH_BYTES
from croody_contract.messages import Ack, Outgoing, Presence, encode
from croody_contract.ranges import Ranges
from croody_contract.topics import DownAck, DownOutgoing, UpAnswer, UpBatch, UpPresence
from croody_edge.commands import make_commands
from croody_edge.keyring import Keyring
from croody_edge.link.client import Link
from croody_edge.link.connection import Confirmed, Down, Message, Up
from croody_edge.outbox.keys import key_of, keys_of
from croody_edge.outbox.queue import Outbox
from croody_edge.settings import Settings
from croody_edge.sync.drain import Drain
from croody_edge.texts import text
from croody_edge.variables import BadSetting

log = logging.getLogger("croody.agent")

#: Head and brackets of a batch body, with room to spare.
_BODY_BYTES: Final = 1024
#: Between two looks whether all that is pending is really there, seconds.
_VERIFY_S: Final = 5.0
#: Between two tries to delete what was acknowledged, while the disk says no, seconds.
_REMOVE_S: Final = 1.0


class MqttTransport:
    """A `Transport`: drives one robot's outbox through its link."""

    def __init__(self, settings: Settings, outbox: Outbox, link: Link, keyring: Keyring, *, random: Random) -> None:
        self._settings, self._outbox, self._link, self._keyring = settings, outbox, link, keyring
        self._drain = Drain(settings.batch_records, settings.in_flight, settings.ack_timeout_s, settings.drain_rate, random)
        self._commands = make_commands(outbox, self, keyring)
        self._generation = 0
        self._online = False
        self._presence_at_s = 0.0
        self._unremoved: Ranges = ranges.EMPTY
        self._remove_at_s = 0.0
        self._verify_at_s = 0.0
        self._proven_s = 0.0

    @property
    def trouble(self) -> str:
        """See `Transport.trouble`."""
        return self._link.trouble

    @property
    def pulse_s(self) -> float:
        """See `Transport.pulse_s`."""
        return self._link.pulse_s

    @property
    def proven_s(self) -> float:
        """See `Transport.proven_s`."""
        return self._proven_s

    @property
    def online(self) -> bool:
        """Say whether the broker is there."""
        return self._online

    @property
    def protected(self) -> Ranges:
        """Keys on their way: not to be thinned."""
        return self._drain.unacknowledged()

    def start(self) -> None:
        """See `Transport.start`."""
        self._link.start()

    def again(self, keys: Ranges) -> None:
        """The cloud asks for these records of the outbox."""
        self._drain.again(keys)

    def grew(self) -> None:
        """The outbox has new records, or has begun anew."""
        current = self._outbox.current
        if current is None:
            return
        if self._outbox.generation != self._generation:
            self._generation = self._outbox.generation
            self._unremoved = ranges.EMPTY
            self._drain.opened(key_of(current.n, 1))
        self._drain.grew(key_of(current.n, current.last + 1))

    def turn(self, now: float, mono_s: float) -> float:
        """Handle what came, send what may go. Returns seconds until it wants to be called again, news aside.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.

        Raises:
            OSError: the outbox says no; nothing is lost by calling again later.
        """
        self._link.start()
        if self._outbox.current is None:
            self._outbox.open(now)
        self.grew()
        for happening in self._link.take():
            match happening:
                case Up(secret):
                    self._came_in(secret)
                    self._online = True
                    self._presence_at_s = mono_s
                    self._drain.connected()
                case Down():
                    self._online = False
                case Confirmed(token):
                    self._drain.confirmed(token, mono_s)
                case Message():
                    self._message(happening, now, mono_s)
        self._remove(now, mono_s)
        if not self._online:
            return 60.0
        if mono_s >= self._presence_at_s:
            self._presence_at_s = mono_s + self._settings.presence_s
            self._link.publish(topics.build(UpPresence(self._settings.robot_id)), encode(self._presence("online", now)))
        self._send(now, mono_s)
        if self._drain.idle and not self._unremoved and mono_s >= self._verify_at_s and self._outbox.pending():
            self._verify(now, mono_s)
        waits = [self._presence_at_s - mono_s, self._drain.wait_s(mono_s)]
        if self._unremoved:
            waits.append(self._remove_at_s - mono_s)
        return max(0.0, min(waits))

    def close(self, now: float) -> None:
        """See `Transport.close`."""
        self._link.close((topics.build(UpPresence(self._settings.robot_id)), encode(self._presence("offline", now))))

    def _presence(self, state: str, now: float) -> Presence:
        """What the robot says of itself. Its last will is not made here: `offline` from here is a goodbye."""
        current = self._outbox.current
        return Presence(
            state="online" if state == "online" else "offline",
            stream=current.id if current else None,
            ts=datetime.fromtimestamp(now, UTC),
            queued=self._outbox.pending(),
            interval_s=self._settings.interval_s if self._settings.interval_s > 0 else None,
            goodbye=state == "offline",
        )

    def _send(self, now: float, mono_s: float) -> None:
        while (pick := self._drain.next(mono_s)) is not None:
            batch = self._outbox.read(pick.start, pick.stop, pick.limit, MAX_PUBLISH_BYTES - _BODY_BYTES, now)
            if self._outbox.generation != self._generation:
                self.grew()
                continue
            if batch is None:
                self._drain.nothing(pick)
                continue
            topic = topics.build(UpBatch(self._settings.robot_id, batch.stream.id, batch.first, batch.last))
            head = Head(prev=batch.stream.prev, prev_last=batch.stream.prev_last, historical=pick.historical)
            token = self._link.publish(topic, pack(head, batch.bodies))
            if token is None:
                return  # The connection has just gone; `Down` is on its way.
            self._drain.sent(pick, batch.first_key, batch.last_key, token, mono_s)

    def _message(self, message: Message, now: float, mono_s: float) -> None:
        try:
            match topics.parse(message.topic):
                case DownAck():
                    self._acknowledged(msgspec.json.decode(message.payload, type=Ack), mono_s)
                    self._proven_s = now
                case DownOutgoing():
                    self._outgoing(msgspec.json.decode(message.payload, type=Outgoing), now, mono_s)
                case _:
                    log.warning("a message on %s is passed over: robots take acknowledgements and outgoing only", message.topic)
        except (topics.BadTopic, msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
            log.warning("a message on %s is passed over: %s", message.topic[:200], error)

    def _acknowledged(self, ack: Ack, mono_s: float) -> None:
        row = self._outbox.find(ack.stream)
        if row is None:
            return
        accepted = self._drain.acknowledged(keys_of(row, (*ack.stored, *ack.dead)), mono_s)
        if ack.dead and ranges.intersect(accepted, keys_of(row, ack.dead)):
            log.warning("the cloud keeps records %s of stream %s as dead letters: see their reasons there", ack.dead[:5], ack.stream)
        if accepted:
            self._unremoved = ranges.union(self._unremoved, accepted)
            self._remove_at_s = mono_s

    def _remove(self, now: float, mono_s: float) -> None:
        if not self._unremoved or mono_s < self._remove_at_s:
            return
        self._remove_at_s = mono_s + _REMOVE_S
        self._outbox.remove(self._unremoved, now)
        self._unremoved = ranges.EMPTY
        self.grew()

    def _came_in(self, secret: str) -> None:
        try:
            self._keyring.worked(secret)
        except (OSError, BadSetting) as error:
            log.warning("%s", text("keyring.not_kept", error=error))

    def _outgoing(self, outgoing: Outgoing, now: float, mono_s: float) -> None:
        body = self._commands.answer(outgoing, now, mono_s)
        self._link.publish(topics.build(UpAnswer(self._settings.robot_id, outgoing.id)), body)

    def _verify(self, now: float, mono_s: float) -> None:
        self._verify_at_s = mono_s + _VERIFY_S
        self._outbox.verify(now)
        if self._outbox.generation == self._generation:
            # Rows are there that nobody thinks of: look at all of them again.
            self._generation = 0
        self.grew()


def make_link(settings: Settings, keyring: Keyring, on_news: Callable[[], None], random: Random) -> Link:
    """The connection that the settings name; nothing is opened yet.

    Raises:
        BadSetting: the certificate file cannot be used.
    """
    return Link(
        settings.brokers,
        settings.robot_id,
        keyring,
        will=(topics.build(UpPresence(settings.robot_id)), b'{"state":"offline"}'),
        keepalive_s=settings.keepalive_s,
        qos=settings.qos,
        suffix=secrets.token_hex(4),
        ca_file=settings.ca_file,
        proxies=settings.proxies,
        on_news=on_news,
        random=random,
        in_order=settings.brokers_in_order,
    )
