"""Where readings come from, one folder a kind, found by name among the entry points of all installed packages.

A source of your own is a package with an entry point in the group `croody.sources` that leads to a `Kind`; nothing is imported before it
is asked for. There are two sorts: a `PullSource` is asked at intervals, a `PushSource` hands over what comes. Each runs in a thread of its
own (`runner`), so what hangs or dies in one costs no other. What becomes of its readings (names, scale, rate) is data: `shape`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Protocol, runtime_checkable

import msgspec
from msgspec import Meta

from croody_contract.messages import Conversation, Event, Evidence, MetricInfo, Reading, Snapshot

#: Name in `CROODY_SOURCE`, or `kind` in `sources.toml` -> a `Kind`.
GROUP: Final = "croody.sources"

#: What a source may say.
Said = Reading | Event | Snapshot | Evidence | Conversation


class NoValue:
    """In a reading's data: what the device said there is no value. It is left out and said once; the others of the reading go."""

    def __init__(self, shown: object) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return repr(self._shown)


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every source may be told; a kind adds its own fields. Values come from `sources.toml`, or as `CROODY_KIND_FIELD`.

    A field `password` may also be given as `password_file`, the path of a file that holds it.
    """

    interval_s: Annotated[float, Meta(ge=0.001, le=86400, description="seconds between two looks; for a source that is asked")] = 1.0


@dataclass(frozen=True, slots=True)
class Context:
    """Where a source finds itself. `name` is its own among the sources of this agent."""

    robot_id: str
    edge_dir: Path
    name: str


@runtime_checkable
class PullSource(Protocol):
    """Something that can be read now and then."""

    #: Wanted time until the next `read`, seconds; looked at after every one.
    interval_s: float

    def read(self, now: float) -> Said | Sequence[Said] | None:
        """What is new; None when nothing is.

        Args:
            now: unix seconds.

        Raises:
            OSError: it cannot be read at the moment; the agent says so once and tries again.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A `PullSource` that goes on where it was after a restart: it writes that down only once its readings are in the outbox.

    Who is killed in between reads them again, and loses none.
    """

    def place(self) -> object:
        """How far it has read now; None when that is as before."""
        ...

    def kept(self, place: Any) -> None:
        """All that was read up to `place` is safe: write it down.

        Raises:
            OSError: it cannot be; tried again with the next one.
        """
        ...


@runtime_checkable
class SaysWhatIsWrong(Protocol):
    """A `PullSource` of which a part may fail while the others go on."""

    #: At the last `read`, in words; empty: nothing.
    wrong: str


class HandOver(Protocol):
    """What a source that speaks by itself is given; all of it from any thread, at once."""

    def __call__(self, said: Said) -> bool:
        """Take it. False when it was not taken because too many wait: it is lost, and the cloud is told how many were."""
        ...

    def failed(self, cause: str, *, ended: bool = False) -> None:
        """Say that what it listens to is away; log and cloud hear of it once. What is handed over next says that it is back.

        Args:
            cause: in words.
            ended: it has given up: the agent closes it, and opens another a little later.
        """
        ...


@runtime_checkable
class PushSource(Protocol):
    """Something that speaks by itself. `listener.Listener` has the thread and the trying again that most of them need."""

    def start(self, hand_over: HandOver) -> None:
        """Begin, in a thread of its own, and return.

        Raises:
            OSError: it cannot begin at the moment; the agent says so once and tries again.
        """
        ...

    def close(self) -> None:
        """Hand nothing over any more, and give back what it holds; also when it never began."""
        ...


Source = PullSource | PushSource


class Kind(Protocol):
    """What an entry point of the group leads to: a class, most of the time.

    It may also have `metrics: Sequence[MetricInfo]`, what its metrics are, or `describe(own) -> Sequence[MetricInfo]` where that follows
    from its settings; and `partial = True` when a reading of it says only what is new, so that the agent adds what it said before;
    `catches_up = True` when it reads what another program left behind: no news is no fault then, and times may be of days gone by.
    """

    #: Its settings; `SourceSettings` itself where it has none of its own.
    Settings: ClassVar[type[SourceSettings]]

    def __call__(self, own: Any, context: Context) -> Source:
        """A source, which begins when it is first read or started.

        Args:
            own: `Settings`, checked.
            context: where it runs.

        Raises:
            BadSetting: its settings cannot work together.
            OSError: what it reads is not there; tried again.
        """
        ...


def metrics_of(thing: object) -> tuple[MetricInfo, ...]:
    """What a source or a kind says of its metrics."""
    return tuple(getattr(thing, "metrics", ()))


def is_partial(thing: object) -> bool:
    """Whether its readings say only what is new."""
    return bool(getattr(thing, "partial", False))


def catches_up(thing: object) -> bool:
    """Whether it reads what another program left behind."""
    return bool(getattr(thing, "catches_up", False))
