"""What a source told to be wrong and has not ended, kept across starts: otherwise its alarm stays. Opens one small file.

An end is forgotten only some time after it was told, when it is in the outbox; who is killed before tells it twice, and never not at all.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from croody_contract.limits import MIB
from croody_edge import identity
from croody_edge.sources import Context

log = logging.getLogger("croody.sources")

#: What is remembered of one place, and the longest name of it.
MOST: Final = 512
_MOST_CHARS: Final = 256
_MOST_BYTES: Final = 4 * MIB
#: What has ended stays written for so long, seconds.
_ENDED_S: Final = 60.0


class Unended:
    """Of one source: where it is told, a topic or a kind of message -> what it is called there -> how bad it is."""

    def __init__(self, context: Context) -> None:
        self._path = context.edge_dir / f"{context.name}.wrong.json"
        self._kept = _read(self._path)
        #: Where something has ended that is still written -> since when.
        self._ended_s: dict[str, float] = {}

    def all(self) -> dict[str, dict[str, str]]:
        """What was wrong when the agent stopped, by where."""
        return {where: dict(some) for where, some in self._kept.items()}

    def of(self, where: str) -> dict[str, str]:
        """Of one place."""
        return dict(self._kept.get(where, {}))

    def keep(self, where: str, wrong: Mapping[str, str], mono_s: float) -> None:
        """Note what is wrong there now. `mono_s` is of a clock that never jumps."""
        before = self._kept.get(where, {})
        wrong = {name: how for name, how in wrong.items() if len(name) <= _MOST_CHARS}
        if wrong == before:
            self._ended_s.pop(where, None)
            return
        if not wrong.items() <= before.items():
            ended = {name: how for name, how in before.items() if name not in wrong}
            wrong = dict(list({**ended, **wrong}.items())[-MOST:])
        elif mono_s - self._ended_s.setdefault(where, mono_s) < _ENDED_S:
            return
        self._ended_s.pop(where, None)
        self._kept = {name: some for name, some in {**self._kept, where: wrong}.items() if some}
        try:
            identity.replace(self._path, msgspec.json.encode(self._kept))
        except OSError as error:
            log.warning("%s: %s", self._path, error)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=dict[str, dict[str, str]])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        log.warning("%s: %s", path, error)
        return {}
