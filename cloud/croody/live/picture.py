"""A page as its stream knows it: texts that change in their place, and pieces of HTML where the structure changes. Pure.

The server words and formats, the browser only places: a message names elements and what they hold from now on. What a browser has is
known by the `version` of its page, so nobody is sent what they have, and nobody asks for a page again and again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

#: The page's own texts stand under this robot, which no robot can be called.
PAGE: Final = ""

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
        shapes = [[name, piece.shape] for name, piece in self.pieces.items()]
        told = json.dumps([shapes, {name: list(ids) for name, ids in self.lists.items()}])
        return hashlib.blake2s(told.encode(), digest_size=9).hexdigest()


def everything(now: Picture, version: str = "") -> dict[str, Any]:
    """For somebody who comes with a page of `version`: all texts, and the structure when it is another one."""
    told: dict[str, Any] = {"texts": now.texts, "data": {**now.data, **now.at_first}, "version": now.version}
    if version != now.version:
        told |= {"html": _html(now, list(now.pieces)), "lists": now.lists}
    return told


def changes(before: Picture, now: Picture) -> dict[str, Any]:
    """What leads from one picture to the next; empty when they are the same."""
    told: dict[str, Any] = {}
    texts = {robot: changed for robot, fields in now.texts.items() if (changed := _changed(before.texts.get(robot, {}), fields))}
    data = _changed(before.data, now.data)
    lists = {name: ids for name, ids in now.lists.items() if list(before.lists.get(name, ())) != list(ids)}
    names = [name for name, piece in now.pieces.items() if name not in before.pieces or before.pieces[name].shape != piece.shape]
    gone = [name for name in before.pieces if name not in now.pieces and not any(name in ids for ids in before.lists.values())]
    if texts:
        told["texts"] = texts
    if data:
        told["data"] = data
    if lists:
        told["lists"] = lists
    if names or gone:
        told["html"] = _html(now, names) | dict.fromkeys(gone, "")
    if before.version != now.version:
        told["version"] = now.version
    return told


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in now.items() if name not in before or before[name] != value}


def _html(now: Picture, names: list[str]) -> dict[str, str]:
    """What is part of a piece that is sent comes with it."""
    sent = set(names)
    return {name: now.pieces[name].html() for name in names if now.pieces[name].inside not in sent}
