"""Where readings come from, one folder a kind, found by name among the entry points of all installed packages.

A source of your own is a package with an entry point in the group `croody.sources`; nothing is imported before it is asked for. There are
two sorts: a `PullSource` is asked at intervals, a `PushSource` hands its readings over when they come.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, runtime_checkable

from croody_contract.messages import Reading
from croody_edge.settings import Settings
from croody_edge.texts import text
from croody_edge.variables import BadSetting, Variables

#: Name in `CROODY_SOURCE` -> an `OpenSource`.
GROUP: Final = "croody.sources"


@runtime_checkable
class PullSource(Protocol):
    """Something that can be read now and then."""

    #: Wanted time until the next `read`, seconds; looked at after every one.
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


@runtime_checkable
class PushSource(Protocol):
    """Something that speaks by itself."""

    def start(self, hand_over: Callable[[Reading], bool]) -> None:
        """Begin, in a thread of its own, and return.

        Args:
            hand_over: takes a reading, from any thread, at once. False when it was not taken because too many wait: it is lost, and the
                cloud is told how many were.

        Raises:
            OSError: it cannot begin at the moment; the agent says so and tries again.
        """
        ...

    def close(self) -> None:
        """Hand nothing over any more, and give back what it holds; also when it never began."""
        ...


Source = PullSource | PushSource


class OpenSource(Protocol):
    """What an entry point of the group leads to."""

    def __call__(self, settings: Settings, variables: Variables) -> Source:
        """A source, which begins when it is first read or started.

        Args:
            settings: of the agent; `interval_s`, `robot_id` and `edge_dir` may be of use.
            variables: of the environment, for settings of its own.

        Raises:
            BadSetting: a setting of its own breaks a rule.
            OSError: what it reads is not there.
        """
        ...


def open_source(settings: Settings, environ: Mapping[str, str]) -> Source:
    """The source that `CROODY_SOURCE` names.

    Raises:
        BadSetting: no such source, or two of that name, or it cannot be loaded, or its own settings break a rule.
        OSError: what it reads is not there.
    """
    points = entry_points(group=GROUP)
    found = [point for point in points if point.name == settings.source]
    if not found:
        raise BadSetting(text("setting.source", name=repr(settings.source), names=", ".join(sorted(points.names))))
    if len(found) > 1:
        raise BadSetting(text("setting.source_twice", name=repr(settings.source), count=len(found), packages=_packages(found)))
    (point,) = found
    try:
        opens: OpenSource = point.load()
    except (ImportError, AttributeError) as error:
        raise BadSetting(
            text("setting.source_broken", name=repr(settings.source), place=point.value, package=_packages(found), error=error)
        ) from error
    return opens(settings, Variables(environ))


def _packages(points: list[EntryPoint]) -> str:
    return ", ".join(sorted(point.dist.name if point.dist is not None else "?" for point in points))
