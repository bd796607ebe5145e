"""One robot's agent: source -> screen -> outbox -> broker. Wires the parts; decides nothing itself.

One thread drives it by calling `tick`; many agents may share that thread. `publish` may be called from any thread.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from random import Random
from threading import Event as Flag
from threading import RLock
from typing import Final

from croody_contract.limits import MAX_METRICS, MAX_RECORD_BYTES
from croody_contract.messages import Event, MetricInfo, Reading, Record, Snapshot, Value
from croody_edge.faults import Faults
from croody_edge.local.life import Life
from croody_edge.local.state import Fault, SourceState, State
from croody_edge.outbox.encoding import Encoded, checked, written_s
from croody_edge.outbox.keys import TOP_SEQ, key_of, place_of
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.pictures import Pace
from croody_edge.recent_log import KEPT, recent, remember
from croody_edge.screen import Screen
from croody_edge.settings import Settings
from croody_edge.sources import Source, metrics_of
from croody_edge.sources.rack import Configured, metric_infos
from croody_edge.sources.sampler import Sampler
from croody_edge.sync import capabilities, make_transport
from croody_edge.sync.transport import Transport
from croody_edge.texts import text
from croody_edge.unkept import AGAIN_S, Unkept
from croody_edge.update_lock import UpdateLock

log = logging.getLogger("croody.agent")

#: Longest sleep between two ticks, seconds.
_REST_S: Final = 1.0
_EVERYTHING: Final = key_of(1 << 22, TOP_SEQ)


class Agent:
    """Everything one robot runs."""

    def __init__(
        self,
        settings: Settings,
        source: Source | Sequence[Configured],
        screen: Screen | None,
        *,
        on_published: Callable[[str, int, bytes], None] | None = None,
        wake: Flag | None = None,
        life: Life | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            settings: of this robot.
            source: where its readings come from: one that is asked in this very thread, or any number in threads of their own; closed by
                `stop`.
            screen: what looks at them, if anything does.
            on_published: called with (stream, seq, bytes) of every record whose publish is about to return, in order.
            wake: set when `tick` has something to do before its time; may be shared by many agents.
            life: what happens on the board by itself, if anything does.
            clock: unix seconds.
            monotonic: seconds of a clock that never jumps.
            random: for jitter.
        """
        self.settings, self._life = settings, life
        self._on_published, self._clock, self._monotonic = on_published, clock, monotonic
        self._random = random or Random()
        self.wake = wake or Flag()
        self._news = False
        self._guard = RLock()
        self._pace = Pace()
        self._updates = UpdateLock(settings.update_lock, settings.busy_when, settings.busy_rest_s)
        self._outbox: Outbox | None = None
        self._transport: Transport | None = None
        self._faults = Faults(settings.robot_id, self._tell, clock, monotonic)
        self._unkept = Unkept(self._put, self._faults)
        self._sampler = Sampler(source, screen, self._faults, monotonic, self._wake_up, clock)
        self._infos = metric_infos(source) if isinstance(source, Sequence) else metrics_of(source)
        self._program = f"croody-edge {version('croody-edge')}"
        self._values: dict[str, Value] = {}
        self._values_s: dict[str, float] = {}
        self._names = [one.name for one in source] if isinstance(source, Sequence) else [""]
        self._started_s = self._read_s = 0.0

    def start(self) -> None:
        """Open the outbox, which begins a new stream, and connect in the background.

        Raises:
            Locked: another agent holds the outbox.
            OSError: its folder cannot be used. A full disk is no reason: the agent waits for room.
            BadSetting: the certificate file cannot be used.
        """
        settings = self.settings
        remember()
        self._started_s = self._clock()
        program = Program(self._program, capabilities(settings), self._infos)
        outbox = Outbox(settings.edge_dir, settings.robot_id, program=program, limit_bytes=settings.outbox_limit_bytes)
        try:
            transport = make_transport(settings, outbox, self._wake_up, self._random)
        except BaseException:
            outbox.close()
            raise
        self._outbox, self._transport = outbox, transport
        try:
            outbox.open(self._clock())
        except OSError as error:
            self._faults.raised("outbox_refused", "medium", str(error), 0)
        self._sampler.start()
        transport.start()

    def publish(self, record: Record) -> tuple[str, int]:
        """Queue a record for the cloud; it is durable when this returns. Returns its stream and seq.

        Raises:
            ValueError: the record breaks a rule of the contract; the message names the field.
            OSError: it cannot be kept: ENOSPC when the disk or the outbox is full.
        """
        self._updates.saw([record], self._monotonic())
        kept = self._keep([record])[0]
        self._wake_up()
        return kept

    def picture(self, jpeg: bytes, camera: str = "camera") -> bool:
        """Queue what a camera sees now. False when its last picture is younger than ten seconds: this one is let go of.

        Args:
            jpeg: at most 44 KiB, and 4,096 pixels a side; make it smaller before.
            camera: tells the cameras of a robot apart, 16 of them.

        Raises:
            ValueError: it is no JPEG, or too large.
            OSError: it cannot be kept: ENOSPC when the disk or the outbox is full.
        """
        record = Snapshot(jpeg=jpeg, camera=camera, ts=datetime.fromtimestamp(self._clock(), UTC))
        checked(record)
        if not self._pace.may(camera, self._monotonic()):
            return False
        self.publish(record)
        return True

    def pending(self) -> int:
        """Records not yet acknowledged."""
        return self._outbox.pending() if self._outbox is not None else 0

    @property
    def pulse_s(self) -> float:
        """See `Transport.pulse_s`."""
        return self._transport.pulse_s if self._transport is not None else self._monotonic()

    def state(self) -> State:
        """How it is now; may be asked from any thread."""
        current = self._outbox.current if self._outbox is not None else None
        return State(
            robot_id=self.settings.robot_id,
            agent=self._program,
            pid=os.getpid(),
            started_s=self._started_s,
            now_s=self._clock(),
            trouble=self.trouble,
            pulse_age_s=max(0.0, self._monotonic() - self.pulse_s),
            proven_s=self._transport.proven_s if self._transport is not None else 0.0,
            pending=self.pending(),
            stream=current.id if current is not None else "",
            last_seq=current.last if current is not None else 0,
            faults=[Fault(*fault) for fault in self._faults.now()],
            values=dict(self._values),
            read_s=self._read_s,
            values_s=dict(self._values_s),
            sources=self._sources(),
            oldest_s=self._oldest_s(),
            log=recent.last(KEPT),
        )

    @property
    def trouble(self) -> str:
        """Why nothing reaches the cloud at the moment; empty while something would."""
        return self._transport.trouble if self._transport is not None else text("edge.not_started")

    @property
    def infos(self) -> dict[str, MetricInfo]:
        """What is known of its metrics, by name."""
        return {info.name: info for info in self._infos}

    @property
    def news(self) -> bool:
        """Say whether something came that waits for `tick`."""
        return self._news

    def tick(self, now: float) -> float:
        """Read when it is time, publish, send and handle what came. Returns seconds until it wants the next tick.

        Args:
            now: unix seconds.
        """
        self._news = False
        mono_s = self._monotonic()
        # While something is in no outbox, what can wait where it is stays there: its source would take all that it gave for safe.
        records = self._sampler.take(now, mono_s, live=bool(self._unkept))
        self._updates.saw(records, mono_s)
        self._updates.turn(mono_s)
        self._take_in(records, mono_s)
        if self._life is not None:
            self._take_in(self._life.take(now, mono_s), mono_s)
        self._remember()
        wait_s = max(self._sampler.wait_s(), AGAIN_S) if self._unkept else self._sampler.wait_s()
        return min(wait_s, self._move(now, mono_s), _REST_S)

    def stop(self, drain_s: float) -> None:
        """Read no more, send what is left for at most `drain_s` seconds while somebody takes it, say goodbye and close everything."""
        transport, until = self._transport, self._monotonic() + drain_s
        self._unkept.put_in(self._monotonic())
        self._sampler.close()
        if self._life is not None:
            self._life.close()
        if transport is not None:
            self._last_ones()
            while self.pending() and transport.online and self._monotonic() < until:
                wait_s = self._move(self._clock(), self._monotonic())
                self.wake.wait(min(wait_s, 0.05))
                self.wake.clear()
            transport.close(self._clock())
        if self._outbox is not None:
            self._outbox.close()
        self._updates.release()

    # inside

    def _sources(self) -> list[SourceState]:
        now = self._clock()
        away = {about: cause for code, about, cause, _ in self._faults.now() if code == "source_failed"}
        spoke = self._sampler.spoke_s
        return [SourceState(name, now - spoke[name] if name in spoke else None, away.get(name, "")) for name in self._names]

    def _oldest_s(self) -> float:
        try:
            batch = self._outbox.read(0, _EVERYTHING, 1, MAX_RECORD_BYTES, self._clock()) if self._outbox is not None else None
        except OSError:
            return 0.0
        return written_s(batch.bodies[0]) if batch is not None else 0.0

    def _wake_up(self) -> None:
        self._news = True
        self.wake.set()

    def _take_in(self, records: Sequence[Record], mono_s: float) -> None:
        """Keep records of the source's, or try again to; what cannot be kept is counted and told, never passed over in silence."""
        good: list[tuple[Record, Encoded]] = []
        for record in records:
            try:
                good.append((record, checked(record)))
            except ValueError as error:
                self._faults.raised("reading_refused", "low", str(error))
        self._note([record for record, _ in good])
        self._unkept.add([encoded for _, encoded in good])
        if self._unkept.put_in(mono_s) and len(good) == len(records):
            self._faults.cleared("reading_refused")

    def _last_ones(self) -> None:
        """What its sources gave before they ended. What the outbox takes none of at the end is lost: the log says how many."""
        while records := self._sampler.take(self._clock(), self._monotonic(), live=bool(self._unkept)):
            self._take_in(records, self._monotonic())
        if self._life is not None:
            self._take_in(self._life.take(self._clock(), self._monotonic()), self._monotonic())
        if lost := self._unkept.end(self._monotonic()):
            log.error("%s: %d records are lost: the outbox took none until the end", self.settings.robot_id, lost)
        self._remember()

    def _remember(self) -> None:
        """What rules and screen have told, when it is told."""
        if self._unkept.low:
            self._sampler.kept()
            if self._life is not None:
                self._life.kept()

    def _note(self, records: Sequence[Record]) -> None:
        """Remember the newest values, for `state`, at most as many names as one reading has; rules are judged before anything is kept."""
        if self._life is not None:
            self._life.saw(records, self._clock(), self._monotonic())
        for record in records:
            if isinstance(record, Reading):
                self._values.update(record.data)
                self._read_s = self._clock()
                self._values_s |= dict.fromkeys(record.data, self._read_s)
        while len(self._values) > MAX_METRICS:
            del self._values_s[oldest := next(iter(self._values))], self._values[oldest]

    def _keep(self, records: Sequence[Record]) -> list[tuple[str, int]]:
        encoded = [checked(record) for record in records]
        self._note(records)
        return self._put(encoded)

    def _tell(self, event: Event) -> None:
        """An event of its own faults, which is tried again and again while the disk is full: it has happened when it is kept."""
        self._put([checked(event)])
        self._note([event])

    def _put(self, encoded: Sequence[Encoded]) -> list[tuple[str, int]]:
        if self._outbox is None or self._transport is None:
            raise ValueError("the agent is not started: call start first")
        with self._guard:
            keys = self._outbox.append(encoded, self._clock(), self._transport.protected)
            current = self._outbox.current
            stream = current.id if current is not None else ""
            kept = [(stream, place_of(key)[1]) for key in keys]
            self._transport.grew()
            if self._on_published is not None:
                for (name, seq), record in zip(kept, encoded, strict=True):
                    self._on_published(name, seq, record.body)
        return kept

    def _move(self, now: float, mono_s: float) -> float:
        if self._transport is None:
            return _REST_S
        try:
            with self._guard:
                wait_s = self._transport.turn(now, mono_s)
        except OSError as error:
            self._faults.raised("outbox_failed", "medium", str(error))
            return _REST_S
        self._faults.cleared("outbox_failed")
        return wait_s
