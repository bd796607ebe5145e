"""What robots say of their own metrics: their birth records, which never change, so each is read once and remembered.

A robot whose birth is past retention, or that runs no agent of ours, says nothing: then `metrics` has a catalogue, or the name's words.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

import msgspec

from croody.telemetry.read.metrics import Metric, Said, of_info
from croody.telemetry.read.newest import newest_of
from croody.telemetry.read.sql import ask, columns, on_postgres, sliced
from croody_contract.limits import MAX_METRICS
from croody_contract.messages import MetricInfo

#: Robots that are remembered, and metrics of all of them: one that says 256 things costs no more than many that say few.
_REMEMBERED: Final = 10_000
_MOST_METRICS: Final = 100_000
#: A stream of which no birth is there yet is asked for again after so long, seconds.
_AGAIN_S: Final = 30.0
_WANTED: Final = "r.seq = 1 AND r.kind = 'born'"
_POSTGRES: Final = f"""
SELECT k.robot_id, k.stream, CAST(r.data -> 'metrics' AS text) FROM unnest(%s::text[], %s::text[]) AS k (robot_id, stream)
JOIN telemetry_record r ON r.robot_id = k.robot_id AND r.stream = k.stream AND {_WANTED}
"""
_SQLITE: Final = f"""
SELECT r.robot_id, r.stream, json_extract(r.data, '$.metrics') FROM json_each(%s) AS k
CROSS JOIN telemetry_record r ON r.robot_id = json_extract(k.value, '$[0]') AND r.stream = json_extract(k.value, '$[1]') AND {_WANTED}
"""
_infos: Final = msgspec.json.Decoder(list[MetricInfo])
_NOTHING: Final[Said] = {}


class _Memory:
    """(robot, stream) -> what was said, or since when nothing is there; the least asked for goes first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Said | float] = OrderedDict()
        self._lock = Lock()
        self._metrics = 0

    def get(self, key: tuple[str, str], mono_s: float) -> Said | None:
        with self._lock:
            known = self._known.get(key)
            if known is None or (isinstance(known, float) and mono_s - known > _AGAIN_S):
                return None
            self._known.move_to_end(key)
            return _NOTHING if isinstance(known, float) else known

    def put(self, key: tuple[str, str], known: Said | float) -> None:
        with self._lock:
            self._metrics += _count(known) - _count(self._known.pop(key, 0.0))
            self._known[key] = known
            while len(self._known) > _REMEMBERED or self._metrics > _MOST_METRICS:
                self._metrics -= _count(self._known.popitem(last=False)[1])


def _count(known: Said | float) -> int:
    return 0 if isinstance(known, float) else len(known)


_memory: Final = _Memory()


def said_by(streams: Mapping[str, str]) -> dict[str, Said]:
    """Of robots and the streams of their newest readings, what each says of its metrics."""
    mono_s = time.monotonic()
    found: dict[str, Said] = {}
    unknown: list[tuple[str, str]] = []
    for key in streams.items():
        known = _memory.get(key, mono_s)
        if known is None:
            unknown.append(key)
        else:
            found[key[0]] = known
    for some in sliced(unknown):
        for robot_id, stream, raw in ask(_POSTGRES if on_postgres() else _SQLITE, columns(some, 2)):
            found[robot_id] = _read(raw)
            _memory.put((robot_id, stream), found[robot_id])
    for key in unknown:
        if key[0] not in found:
            _memory.put(key, mono_s)
    return found


def said_by_robot(robot_id: str) -> Said:
    """The same of one robot."""
    return said_by({key: one.stream for key, one in newest_of([robot_id]).items()}).get(robot_id, _NOTHING)


def _read(raw: str | None) -> Said:
    if not raw:
        return _NOTHING
    try:
        infos: Iterable[MetricInfo] = _infos.decode(raw)
    except msgspec.MsgspecError:
        return _NOTHING
    made: dict[str, Metric] = {}
    for info in infos:
        if len(made) < MAX_METRICS:
            made[info.name] = of_info(info)
    return made
