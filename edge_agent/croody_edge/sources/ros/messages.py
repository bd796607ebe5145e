"""Messages of one topic -> readings, events and pictures. Pure but for its memory; `now` and clocks are arguments."""

import logging
from datetime import UTC, datetime
from typing import Any

from croody_contract import jpeg
from croody_contract.limits import MAX_PICTURE_BYTES, PICTURE_EVERY_S
from croody_contract.messages import Reading, Snapshot
from croody_contract.values import metrics
from croody_edge.sources import Said
from croody_edge.sources.ros import IMAGE, Topic, diagnostics, known
from croody_edge.sources.ros.paths import at, steps
from croody_edge.sources.unended import Unended
from croody_edge.texts import text

log = logging.getLogger("croody.ros")


class Reader:
    """What is read of one topic."""

    def __init__(self, topic: Topic, kind: str, unended: Unended | None = None) -> None:
        """Nothing was read yet.

        Args:
            topic: as a person named it.
            kind: the type of its messages, `package/msg/Name`.
            unended: where it is remembered what is wrong; None for nowhere.

        Raises:
            ValueError: nothing is known of such messages, and the topic names no fields; or a field is no path.
        """
        self.topic, self.kind = topic, kind
        self._diagnostics = diagnostics.Diagnostics(unended.of(topic.name) if unended else {}) if kind == diagnostics.TYPE else None
        self._unended = unended
        #: Pictures are kept no oftener by the cloud.
        self._pace_s = max(topic.every_s, PICTURE_EVERY_S) if kind == IMAGE else topic.every_s
        self._next_s = float("-inf")
        self._told: set[str] = set()
        if self._diagnostics is None:
            for path in topic.fields.values():
                try:
                    steps(path)
                except ValueError:
                    raise ValueError(text("ros.path", topic=topic.name, path=path)) from None
            if not topic.fields and kind not in known.KNOWN and kind not in known.PLAIN:
                raise ValueError(text("ros.unknown_type", topic=topic.name, kind=kind))

    def wants(self, mono_s: float) -> bool:
        """Whether a message is to be read now; if so the next one is wanted only after the topic's pace."""
        if mono_s < self._next_s:
            return False
        self._next_s = mono_s + self._pace_s
        return True

    def take(self, message: Any, now: float, mono_s: float | None = None) -> list[Said]:
        """What it says.

        Args:
            message: as decoded, with attributes or as dictionaries.
            now: unix seconds.
            mono_s: seconds of a clock that never jumps; None for what is played from a recording.
        """
        if self._diagnostics is not None:
            said: list[Said] = [*self._diagnostics.take(message, now, mono_s)]
            if self._unended is not None and mono_s is not None:
                self._unended.keep(self.topic.name, self._diagnostics.wrong, mono_s)
            found = known.Said({name: diagnostics.value(message, place) for name, place in self.topic.fields.items()})
            found.data["diagnostics_bad"] = self._diagnostics.bad
        else:
            said, found = [], self._known(message)
        if found.picture is not None:
            return [*said, *self._picture(found.picture, now)]
        data = metrics({self._named(name): value for name, value in found.data.items() if value is not None})
        if data or found.position is not None:
            said.append(Reading(data=data, ts=datetime.fromtimestamp(now, UTC), position=found.position, status=found.status))
        return said

    def _known(self, message: Any) -> known.Said:
        if self.topic.fields:
            return known.Said({name: at(message, path) for name, path in self.topic.fields.items()})
        if self.kind in known.PLAIN:
            return known.Said({self.topic.name.strip("/").replace("/", "_"): at(message, "data")})
        return known.KNOWN[self.kind](message)

    def _named(self, name: str) -> str:
        """Fields that a person named keep their name."""
        return name if name in self.topic.fields else f"{self.topic.prefix}{name}"

    def _picture(self, body: bytes, now: float) -> list[Said]:
        camera = self.topic.camera or self.topic.name.strip("/").replace("/", "_")[:64]
        why = f"{len(body)} bytes, most {MAX_PICTURE_BYTES}" if len(body) > MAX_PICTURE_BYTES else ""
        try:
            if not why:
                jpeg.size_of(body)
                return [Snapshot(jpeg=body, camera=camera, ts=datetime.fromtimestamp(now, UTC))]
        except jpeg.NoJpeg as error:
            why = str(error)
        self._once("picture", text("ros.picture", topic=self.topic.name, why=why))
        return []

    def _once(self, key: str, said: str) -> None:
        if key not in self._told:
            self._told.add(key)
            log.warning("%s", said)
