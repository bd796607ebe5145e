"""Messages of a recording, one after the other: MCAP files, and rosbag2 folders or ROS 1 bags. Knows formats, not what messages mean.

A recording that is torn, as a robot leaves it that lost its power, is read as far as it goes.
"""

import json
import logging
import sqlite3
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw
import zstandard
from mcap.exceptions import McapError
from mcap.reader import NonSeekingReader
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2.errors import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore

from croody_contract.limits import MIB
from croody_edge.texts import text
from croody_edge.variables import BadSetting

log = logging.getLogger("croody.recording")

#: Largest record of an MCAP file that is read, bytes: a chunk of pictures has some.
_MOST_RECORD: Final = 256 * MIB
#: What reading broken bytes may raise.
_BROKEN: Final = (
    McapError, AnyReaderError, ReaderError, SerdeError, TypesysError, zstandard.ZstdError, apsw.Error, sqlite3.Error, struct.error,
    ValueError, RuntimeError, KeyError, IndexError, MemoryError, OverflowError, AssertionError,
)  # fmt: skip
#: Unreadable topics that are named.
_NAMED: Final = 20


class Played(NamedTuple):
    """One message."""

    topic: str
    kind: str
    at_s: float
    message: Any


def messages(path: Path, topics: Collection[str]) -> Iterator[Played]:
    """All messages of these topics, in the order of the file; of all topics where none are given.

    Raises:
        OSError: it cannot be read.
    """
    return _mcap(path, topics) if path.suffix == ".mcap" else _bag(path, topics)


def check(path: Path) -> None:
    """Hold a file to its format, as far as its beginning says.

    Raises:
        BadSetting: it is none of them.
    """
    try:
        if path.suffix == ".mcap":
            with path.open("rb") as opened:
                NonSeekingReader(opened, record_size_limit=_MOST_RECORD).get_header()
        else:
            with AnyReader([path], default_typestore=get_typestore(Stores.LATEST)):
                pass
    except (*_BROKEN, OSError, StopIteration) as error:
        raise BadSetting(text("recording.unreadable", path=path, error=error)) from error


def _mcap(path: Path, topics: Collection[str]) -> Iterator[Played]:
    kinds: dict[int, str] = {}
    store = get_typestore(Stores.LATEST)
    count = 0
    with path.open("rb") as opened:
        try:
            for schema, channel, message in NonSeekingReader(opened, record_size_limit=_MOST_RECORD).iter_messages(
                topics or None, log_time_order=False
            ):
                if channel.id not in kinds:
                    kinds[channel.id] = _learn(store, schema, channel)
                kind = kinds[channel.id]
                if not kind:
                    continue
                found = _json(message.data) if channel.message_encoding == "json" else _cdr(store, message.data, kind)
                if found is not None:
                    count += 1
                    yield Played(channel.topic, kind, message.log_time / 1e9, found)
        except _BROKEN as error:
            log.warning("%s", text("recording.torn", path=path, count=count, error=str(error) or type(error).__name__))


def _learn(store: Any, schema: Any, channel: Any) -> str:
    """The type of a channel's messages, which the store knows then; empty of one that cannot be read."""
    name = _full(schema.name) if schema is not None else ""
    if channel.message_encoding == "json":
        return name or "json"
    if channel.message_encoding == "cdr" and name:
        if name in store.fielddefs:
            return name
        if schema.encoding == "ros2msg":
            try:
                found = get_types_from_msg(schema.data.decode(), name)
                store.register({kind: shape for kind, shape in found.items() if kind not in store.fielddefs})
            except (TypesysError, UnicodeDecodeError):
                found = {}
            if name in found:
                return name
    log.warning("%s", text("recording.encoding", topic=channel.topic, encoding=channel.message_encoding, kind=name))
    return ""


def _cdr(store: Any, raw: bytes, kind: str) -> Any:
    try:
        return store.deserialize_cdr(raw, kind)
    except (SerdeError, IndexError, KeyError, MemoryError, OverflowError):
        return None


def _json(raw: bytes) -> Any:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _bag(path: Path, topics: Collection[str]) -> Iterator[Played]:
    count = 0
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.LATEST)) as reader:
            wanted = [one for one in reader.connections if not topics or one.topic in topics]
            for connection, stamp_ns, raw in reader.messages(wanted) if wanted else ():
                try:
                    message = reader.deserialize(raw, connection.msgtype)
                except (AnyReaderError, IndexError, KeyError, MemoryError, OverflowError):
                    continue
                count += 1
                yield Played(connection.topic, connection.msgtype, stamp_ns / 1e9, message)
    except _BROKEN as error:
        log.warning("%s", text("recording.torn", path=path, count=count, error=str(error) or type(error).__name__))


def _full(kind: str) -> str:
    """`sensor_msgs/BatteryState` -> `sensor_msgs/msg/BatteryState`; other names as they are."""
    package, _, name = kind.replace("/msg/", "/").partition("/")
    return f"{package}/msg/{name}" if name and "/" not in name else kind
