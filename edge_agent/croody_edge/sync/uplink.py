"""Batches out, acknowledgements in: the outbox, the drain and the link of one robot brought together. MQTT mode only.

The decisions are `drain`'s and the commands'; this is the rim that moves bytes. Runs in the agent's thread, under the agent's lock.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Final

import msgspec

from croody_contract import ranges, topics
from croody_contract.batch import Head, pack
from croody_contract.limits import MAX_PUBLISH_BYTES
from croody_contract.messages import Ack, Answer, Outgoing, Presence, encode
from croody_contract.ranges import Ranges
from croody_contract.topics import DownAck, DownOutgoing, UpAnswer, UpBatch, UpPresence
from croody_edge.commands import resend
from croody_edge.link.client import Link
from croody_edge.link.connection import Confirmed, Down, Message, Up
from croody_edge.outbox.encoding import Encoded
from croody_edge.outbox.keys import TOP_SEQ, StreamRow, key_of
from croody_edge.outbox.queue import Outbox
from croody_edge.settings import Settings
from croody_edge.sync.drain import Drain

log = logging.getLogger("croody.agent")

#: Head and brackets of a batch body, with room to spare.
_BODY_BYTES: Final = 1024
#: Between two looks whether all that is pending is really there, seconds.
_VERIFY_S: Final = 5.0
#: Between two tries to delete what was acknowledged, while the disk says no, seconds.
_REMOVE_S: Final = 1.0


class Uplink:
    """Drives one robot's outbox through its link."""

    def __init__(self, settings: Settings, outbox: Outbox, link: Link, *, random: Random) -> None:
        self._settings, self._outbox, self._link = settings, outbox, link
        self._drain = Drain(settings.batch_records, settings.in_flight, settings.ack_timeout_s, settings.drain_rate, random)
        self._doubts = resend.Doubts()
        self._generation = 0
        self._online = False
        self._presence_at_s = 0.0
        self._unremoved: Ranges = ranges.EMPTY
        self._remove_at_s = 0.0
        self._verify_at_s = 0.0

    @property
    def online(self) -> bool:
        """Say whether the broker is there."""
        return self._online

    @property
    def protected(self) -> Ranges:
        """Keys on their way: not to be thinned."""
        return self._drain.unacknowledged()

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
                case Up():
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
            self._link.publish(topics.build(UpPresence(self._settings.robot_id)), encode(self.presence("online", now)))
        self._send(now, mono_s)
        if self._drain.idle and not self._unremoved and mono_s >= self._verify_at_s and self._outbox.pending():
            self._verify(now, mono_s)
        waits = [self._presence_at_s - mono_s, self._drain.wait_s(mono_s)]
        if self._unremoved:
            waits.append(self._remove_at_s - mono_s)
        return max(0.0, min(waits))

    def presence(self, state: str, now: float) -> Presence:
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
        accepted = self._drain.acknowledged(_keys(row, (*ack.stored, *ack.dead)), mono_s)
        if ack.dead and ranges.intersect(accepted, _keys(row, ack.dead)):
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

    def _outgoing(self, outgoing: Outgoing, now: float, mono_s: float) -> None:
        before = self._outbox.answered(outgoing.id, now)
        body = before or encode(self._do(outgoing, now, mono_s))
        if before is None:
            self._outbox.answer(outgoing.id, body, now)
        self._link.publish(topics.build(UpAnswer(self._settings.robot_id, outgoing.id)), body)

    def _do(self, outgoing: Outgoing, now: float, mono_s: float) -> Answer:
        refusal = resend.judge(outgoing, now)
        current = self._outbox.current
        if refusal is not None or current is None:
            return refusal or Answer(state="refused", detail="the outbox cannot be opened at the moment")
        try:
            asked = resend.ask(outgoing, current.id, current.last)
        except ValueError as error:
            return Answer(state="refused", detail=str(error)[:1000])
        row = self._outbox.find(asked.stream)
        held: Ranges = ranges.EMPTY
        if row is not None:
            keys = [self._outbox.held(first, last, now) for first, last in _keys(row, asked.spans)]
            there = ranges.normalise(span for spans in keys for span in spans)
            self._drain.again(there)
            base = key_of(row.n, 0)
            held = tuple((first - base, last - base) for first, last in there)
        absent = ranges.subtract(asked.spans, held)
        end, oldest = key_of(current.n, current.last), self._outbox.oldest(now)
        lost = self._doubts.certain(asked.stream, absent, end=end, oldest=oldest, mono_s=mono_s)
        if stones := resend.stones(asked.stream, lost, now):
            self._outbox.append([Encoded(encode(stone), low=False) for stone in stones], now, self.protected)
            self.grew()
        detail = f"{ranges.count(held)} sent again, {ranges.count(absent)} not here, {ranges.count(lost)} of them declared lost"
        return Answer(state="done", detail=detail)

    def _verify(self, now: float, mono_s: float) -> None:
        self._verify_at_s = mono_s + _VERIFY_S
        self._outbox.verify(now)
        if self._outbox.generation == self._generation:
            # Rows are there that nobody thinks of: look at all of them again.
            self._generation = 0
        self.grew()


def _keys(row: StreamRow, spans: Iterable[tuple[int, int]]) -> Ranges:
    """Seqs of a stream as keys; what no key can hold is left out.

    Raises:
        ValueError: a range that ends before it begins.
    """
    inside = ranges.intersect(ranges.normalise(spans), ((1, TOP_SEQ),))
    return tuple((key_of(row.n, first), key_of(row.n, last)) for first, last in inside)
