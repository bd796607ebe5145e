"""Rules on a recording: when they would have acted. Nothing is done or sent.

Reads CSV as the source `replay` does, JSON lines with `ts`, and what the source `recording` plays.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from croody_contract.messages import Value
from croody_contract.values import metrics
from croody_edge.local.rules.keeper import Act, Rules
from croody_edge.local.rules.rule import Rule
from croody_edge.sources import Context, cells, words
from croody_edge.sources.finding import find
from croody_edge.sources.replay import Rows
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: A pause in a recording is looked at in so many steps at most, of a second at least.
_STEPS: Final = 1000
_MOST_LINE_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class Played:
    """What became of a recording so far. Times are seconds as it has them."""

    rows: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    acts: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def play(rules: Mapping[str, Rule], recording: Path, played: Played) -> Iterator[Act]:
    """Every act, in its order.

    Args:
        rules: by name.
        recording: `.csv`, `.mcap`, `.bag`, a rosbag2 folder, or else JSON lines.
        played: told how it went, also between two acts.

    Raises:
        BadSetting: it cannot be read.
    """
    keeper: Rules | None = None
    try:
        for at_s, values in _moments(recording):
            if keeper is None:
                keeper, played.first_s, played.last_s = Rules(rules, None, at_s), at_s, at_s
            for act in (*_pause(keeper, played.last_s, at_s), *keeper.saw(values, at_s, at_s), *keeper.passed(at_s, at_s)):
                played.acts[act.name] = played.acts.get(act.name, 0) + (act.turn == "begin")
                yield act
            played.rows, played.last_s = played.rows + 1, max(played.last_s, at_s)
            played.seen |= values.keys()
    except (OSError, UnicodeError, csv.Error, ValueError) as error:
        raise BadSetting(text("rules.recording", file=recording, error=error)) from error
    if keeper is None:
        raise BadSetting(text("rules.recording", file=recording, error=text("rules.no_rows")))


def _pause(keeper: Rules, from_s: float, to_s: float) -> Iterator[Act]:
    """An agent looks at the time once a second, also when nothing comes."""
    step_s = max(1.0, (to_s - from_s) / _STEPS)
    while from_s + step_s < to_s:
        from_s += step_s
        yield from keeper.passed(from_s, from_s)


def _moments(path: Path) -> Iterator[tuple[float, dict[str, Value]]]:
    if path.suffix == ".csv":
        return _csv(path)
    return _robots(path) if path.suffix in (".mcap", ".bag") or path.is_dir() else _json_lines(path)


def _robots(path: Path) -> Iterator[tuple[float, dict[str, Value]]]:
    """Of a robot's own recording, what the source `recording` reads of it where its settings name no topics.

    Raises:
        BadSetting: it is none, or its reader is not installed.
    """
    kind: Any = find("recording", "--recording")
    source = kind(kind.Settings(file=path, loop=False), Context("check", path.parent, "recording"))
    try:
        for at_s, reading in source.recorded():
            yield at_s, reading.data
    finally:
        source.close()


def _csv(path: Path) -> Iterator[tuple[float, dict[str, Value]]]:
    rows = Rows(path)
    try:
        for at_s, row in rows:
            yield at_s, metrics({name: _cell(cell) for name, cell in row.items() if cell})
    finally:
        rows.close()


def _cell(cell: str) -> Any:
    try:
        return cells.value(cell)
    except cells.LeftOut:
        return None


def _json_lines(path: Path) -> Iterator[tuple[float, dict[str, Value]]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MOST_LINE_BYTES):
            number += 1
            if not line.strip():
                continue
            found = words.document(line)
            try:
                moment = datetime.fromisoformat(found.pop("ts"))
                if moment.tzinfo is None:
                    raise ValueError(moment)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(text("rules.no_time", line=number)) from error
            yield moment.timestamp(), metrics(found)
