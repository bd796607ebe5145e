"""Where readings come from, one file a kind. `open_source` finds it by name; nothing is imported before it is asked for."""

from importlib import import_module
from typing import Final, Protocol

from croody_contract.messages import Reading
from croody_edge.settings import Settings
from croody_edge.variables import BadSetting

#: Name in `CROODY_SOURCE` -> module with `open_source(settings) -> Source`.
SOURCES: Final = {
    "host": "croody_edge.sources.host",
    "replay": "croody_edge.sources.replay",
    "sim": "croody_edge.sources.sim",
}


class Source(Protocol):
    """Something that can be read now and then."""

    #: Wanted time between two readings, seconds.
    interval_s: float

    def read(self, now: float) -> Reading | None:
        """The newest reading; None when there is nothing new.

        Args:
            now: unix seconds.

        Raises:
            OSError: it cannot be read at the moment; the agent says so and tries again.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def open_source(settings: Settings) -> Source:
    """The source that `CROODY_SOURCE` names.

    Raises:
        BadSetting: no such source, or its own settings break a rule.
    """
    if settings.source not in SOURCES:
        raise BadSetting(f"CROODY_SOURCE is {settings.source!r}: it must be one of {', '.join(sorted(SOURCES))}")
    source: Source = import_module(SOURCES[settings.source]).open_source(settings)
    return source
