"""A page as its stream knows it: texts that change in their place, and pieces of HTML where the structure changes.

Asks nobody. The server words and formats, the browser only places: a message names elements and what they hold from now on. What a browser
has is known by the `version` of its page, so nobody is sent what they have, and nobody asks for a page again and again. What a version was
made of is remembered for a while by the process that gave it out: whoever comes with another one gets what differs, not the whole page.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Final, NamedTuple

#: The page's own texts stand under this robot, which no robot can be called.
PAGE: Final = ""
#: So many versions are remembered a process: a page comes back with its own within seconds of its answer.
REMEMBERED: Final = 64

Text = str | float | list[float] | None


class Piece(NamedTuple):
    """An element of the page by its id. Of the same `shape`, only its texts can differ. `inside`: the piece that it is part of."""

    shape: str
    html: Callable[[], str]
    inside: str = ""


@dataclass(frozen=True)
class Picture:
    """Everything that can change on one page in one language.

    Args:
        texts: robot -> field -> text; `at` is a time in unix seconds, from which the browser goes on counting the age.
        pieces: id of an element -> what it is.
        lists: id of an element -> ids of its children, in order.
        data: what the page's own scripts draw, by name.
        at_first: the same, but told only to who comes: the browser goes on with it by itself.
    """

    texts: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    pieces: Mapping[str, Piece] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    at_first: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """The same for the same structure, in every process."""
        made = self._made_of
        version = hashlib.blake2s(json.dumps([list(made.shapes.items()), made.lists]).encode(), digest_size=9).hexdigest()
        _remember(version, made)
        return version

    @cached_property
    def _made_of(self) -> "_MadeOf":
        shapes = {name: piece.shape for name, piece in self.pieces.items()}
        return _MadeOf(shapes, {name: list(ids) for name, ids in self.lists.items()})


class _MadeOf(NamedTuple):
    """What a version stands for: id of an element -> its shape, and the lists."""

    shapes: Mapping[str, str]
    lists: Mapping[str, list[str]]


_remembered: OrderedDict[str, _MadeOf] = OrderedDict()
_lock = Lock()


def _remember(version: str, made: _MadeOf) -> None:
    with _lock:
        _remembered[version] = made
        _remembered.move_to_end(version)
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)


def everything(now: Picture, version: str = "") -> dict[str, Any]:
    """For somebody who comes with a page of `version`: all texts, and of the structure what is another one."""
    told: dict[str, Any] = {"texts": now.texts, "data": {**now.data, **now.at_first}, "version": now.version}
    if version != now.version:
        with _lock:
            before = _remembered.get(version)
        told |= _structure(before, now) if before is not None else {"html": _html(now, list(now.pieces)), "lists": now.lists}
    return told


def changes(before: Picture, now: Picture) -> dict[str, Any]:
    """What leads from one picture to the next; empty when they are the same."""
    told: dict[str, Any] = {}
    texts = {robot: changed for robot, fields in now.texts.items() if (changed := _changed(before.texts.get(robot, {}), fields))}
    data = _changed(before.data, now.data)
    if texts:
        told["texts"] = texts
    if data:
        told["data"] = data
    if before.version != now.version:
        told |= {**_structure(before._made_of, now), "version": now.version}
    return told


def _structure(before: _MadeOf, now: Picture) -> dict[str, Any]:
    told: dict[str, Any] = {}
    lists = {name: ids for name, ids in now.lists.items() if before.lists.get(name, []) != list(ids)}
    names = [name for name, piece in now.pieces.items() if before.shapes.get(name) != piece.shape]
    gone = [name for name in before.shapes if name not in now.pieces and not any(name in ids for ids in before.lists.values())]
    if lists:
        told["lists"] = lists
    if names or gone:
        told["html"] = _html(now, names) | dict.fromkeys(gone, "")
    return told


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in now.items() if name not in before or before[name] != value}


def _html(now: Picture, names: list[str]) -> dict[str, str]:
    """What is part of a piece that is sent comes with it."""
    sent = set(names)
    return {name: now.pieces[name].html() for name in names if now.pieces[name].inside not in sent}
