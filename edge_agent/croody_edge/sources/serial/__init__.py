"""Lines from a serial port: `TEMP=23.5;HUM=60.2`, `23.5,60.2`, JSON, or whatever a regular expression finds in them."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta

from croody_contract.messages import Reading
from croody_edge.sources import Context, HandOver, words
from croody_edge.sources.listener import Listener
from croody_edge.sources.serial.line import PortSettings, lines
from croody_edge.texts import text


class SerialSettings(PortSettings, frozen=True):
    """How its lines are to be read."""

    format: Literal["pairs", "columns", "json", "pattern"] = "pairs"
    #: Between pairs or columns; empty: `;` between pairs, `,` between columns.
    separator: Annotated[str, Meta(max_length=8)] = ""
    equals: Annotated[str, Meta(min_length=1, max_length=8)] = "="
    columns: Annotated[tuple[str, ...], Meta(max_length=256)] = ()
    pattern: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        if self.format == "columns" and not self.columns:
            raise ValueError(text("serial.no_columns"))
        if self.format == "pattern":
            try:
                named = re.compile(self.pattern).groupindex
            except re.error as error:
                raise ValueError(text("serial.bad_pattern", error=error)) from error
            if not named:
                raise ValueError(text("serial.no_groups"))


class SerialLines(Listener):
    """A `PushSource` over one port."""

    Settings = SerialSettings
    partial = True

    def __init__(self, own: SerialSettings, context: Context) -> None:
        super().__init__()
        self._own = own
        self._read = reader(own)

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        for line in lines(self._own, self.closed.is_set):
            if line:
                hand_over(Reading(data=self._read(line.decode("utf-8", "replace"))))


def reader(own: SerialSettings) -> Callable[[str], dict[str, Any]]:
    """What makes values of a line."""
    if own.format == "json":
        return words.document
    if own.format == "columns":
        return lambda line: words.columns(line, own.separator or ",", own.columns)
    if own.format == "pattern":
        pattern = re.compile(own.pattern)
        return lambda line: words.groups(line, pattern)
    return lambda line: words.pairs(line, own.separator or ";", own.equals)
