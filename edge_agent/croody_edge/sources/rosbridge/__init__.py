"""A robot with ROS 1 or 2 behind a rosbridge server, as many have one for web pages. Wires the parts; it only subscribes."""

import logging
import ssl
import time
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from croody_contract.printable import printable
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.ros import METRICS, Topic, check_topics
from croody_edge.sources.ros.messages import Reader
from croody_edge.sources.rosbridge.protocol import MAX_BYTES, Complaint, Published, TypeOf, ask_type, parse, subscribe
from croody_edge.sources.unended import Unended
from croody_edge.texts import text

log = logging.getLogger("croody.rosbridge")

_LOOK_S: Final = 0.5
#: What a topic carries is asked again while nobody publishes it, seconds.
_ASK_S: Final = 5.0
_OPEN_S: Final = 5.0
#: A bridge that does not answer a ping for so long hangs, seconds.
_PING_S: Final = 5.0
_CHARS: Final = 200
#: Kinds of complaints that are told, of one bridge.
_MOST_TOLD: Final = 100


class RosbridgeSource(Listener):
    """A `PushSource` over one rosbridge server."""

    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Which server, and which topics."""

        topics: Annotated[tuple[Topic, ...], Meta(max_length=64, description="tables `[[source.NAME.topics]]`: `name`, `type`, `fields`")]
        url: Annotated[str, Meta(description="of the server, `ws://` or `wss://`")] = "ws://127.0.0.1:9090"
        token: Annotated[str, Meta(description="sent as `Authorization: Bearer`, where a proxy before the server wants one")] = ""
        ca_file: Annotated[Path | None, Meta(description="certificate authority of a `wss://` server; none: the system's")] = None

        def __post_init__(self) -> None:
            check_topics(self.topics)
            parts = urlsplit(self.url)
            if parts.scheme not in ("ws", "wss") or not parts.hostname:
                raise ValueError(text("rosbridge.url", url=self.url))

    partial = True
    metrics = METRICS

    def __init__(self, own: Settings, context: Context) -> None:
        super().__init__()
        self._own = own
        self._topics = {topic.name: topic for topic in own.topics}
        self._unended = Unended(context)
        #: Kept when the server goes, as what is wrong is over a start: what is bad there ends when it says so.
        self._readers: dict[str, Reader] = {}
        self._told: set[str] = set()

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        try:
            with self._connect() as server:
                self._converse(server, hand_over)
        except WebSocketException as error:
            raise OSError(f"{self._own.url}: {error}") from error

    def _connect(self) -> ClientConnection:
        secure = self._own.url.startswith("wss:")
        return connect(
            self._own.url,
            additional_headers={"Authorization": f"Bearer {self._own.token}"} if self._own.token else None,
            ssl=ssl.create_default_context(cafile=self._own.ca_file) if secure else None,
            open_timeout=_OPEN_S,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=1.0,
            max_size=MAX_BYTES,
            proxy=None,
        )

    def _converse(self, server: Connection, hand_over: HandOver) -> None:
        unknown = {name for name, topic in self._topics.items() if not topic.full_type}
        for topic in self._topics.values():
            if topic.full_type:
                self._subscribe(server, topic, topic.full_type)
        ask_s = 0.0
        while not self.closed.is_set():
            mono_s = time.monotonic()
            if unknown and mono_s >= ask_s:
                ask_s = mono_s + _ASK_S
                for name in unknown:
                    server.send(ask_type(name))
            try:
                said = server.recv(timeout=_LOOK_S)
            except TimeoutError:
                continue
            try:
                found = parse(said)
            except ValueError as error:
                self._once(f"nonsense {error}", text("rosbridge.nonsense", url=self._own.url, error=printable(str(error))[:_CHARS]))
                continue
            match found:
                case Published(name, message):
                    self._read(name, message, hand_over)
                case TypeOf(name, kind) if name in unknown and kind:
                    unknown.discard(name)
                    self._subscribe(server, self._topics[name], kind)
                case TypeOf(name) if name in unknown:
                    self._once(f"{name} absent", text("rosbridge.absent", url=self._own.url, topic=name))
                case Complaint(said):
                    self._once(said, text("rosbridge.complaint", url=self._own.url, said=printable(said)[:_CHARS]))

    def _subscribe(self, server: Connection, topic: Topic, kind: str) -> None:
        reader = self._readers.get(topic.name)
        try:
            if reader is None or reader.kind != kind:
                self._readers[topic.name] = Reader(topic, kind, self._unended)
        except ValueError as error:
            self._once(f"{topic.name} type", str(error))
            return
        server.send(subscribe(topic.name, kind, topic.every_s))

    def _read(self, name: str, message: dict[str, object], hand_over: HandOver) -> None:
        reader = self._readers.get(name)
        if reader is not None and reader.wants(time.monotonic()):
            for said in reader.take(message, time.time(), time.monotonic()):
                hand_over(said)

    def _once(self, key: str, said: str) -> None:
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            log.warning("%s", said)
