"""All sources of one agent as one feed: each in its thread, none able to crowd out another; what is wrong with one is said once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Event, MetricInfo, Reading, Value, encode
from croody_contract.printable import printable
from croody_edge.faults import Faults
from croody_edge.sources import Said, Source, is_partial, metrics_of
from croody_edge.sources.carry import Carry
from croody_edge.sources.runner import MOST_WAITING, Runner
from croody_edge.sources.shape import MetricShape, Report, Shaper
from croody_edge.texts import text

log = logging.getLogger("croody.sources")

#: All sources together get so long to end, seconds.
_END_S: Final = 2.0
#: A source that is away, or too fast, for longer is told to the cloud while it is, seconds.
_LASTS_S: Final = 10.0
#: All that a birth record says of metrics, bytes: half of what a record may have.
_MOST_INFO_BYTES: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class Configured:
    """One source as an agent is to run it."""

    name: str
    opens: Callable[[], Source]
    report: Report = Report()  # noqa: RUF009 - a frozen struct
    metrics: dict[str, MetricShape] = field(default_factory=dict)
    #: What is known of its metrics, under the names they are sent with.
    infos: tuple[MetricInfo, ...] = ()
    #: A reading of it says only what is new.
    partial: bool = False
    #: No news is no fault, and times may be of days gone by; what it has not given yet can wait where it is.
    catches_up: bool = False


def alone(source: Source) -> Configured:
    """A source that is open already, as the only one."""
    return Configured("source", lambda: source, infos=metrics_of(source), partial=is_partial(source))


def metric_infos(sources: Sequence[Configured]) -> tuple[MetricInfo, ...]:
    """What the birth record says of metrics: the first source that names one decides, and all of it fits."""
    found: dict[str, MetricInfo] = {}
    size = 0
    for info in (info for one in sources for info in one.infos):
        size += len(encode(info)) + 1
        if info.name not in found and size <= _MOST_INFO_BYTES and len(found) < MAX_METRICS:
            found[info.name] = info
    return tuple(found.values())


class Rack:
    """A `Feed` of any number of sources."""

    def __init__(
        self,
        sources: Sequence[Configured],
        faults: Faults,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        on_news: Callable[[], None],
    ) -> None:
        """Args: as `Runner` and `Faults` have them."""
        self._faults, self._monotonic = faults, monotonic
        self._sources = {one.name: one for one in sources}
        self._runners = [
            Runner(one.name, one.opens, Shaper(one.report, one.metrics, partial=one.partial), clock, monotonic, on_news) for one in sources
        ]
        self._carry = Carry() if len(sources) > 1 or any(one.partial for one in sources) else None

    def start(self) -> None:
        """All begin."""
        for runner in self._runners:
            runner.start()

    def wait_s(self) -> float:
        """Seconds until `take` has something to do; news aside."""
        mono_s = self._monotonic()
        return min((runner.wait_s(mono_s) for runner in self._runners), default=1.0)

    def take(self, now: float, mono_s: float, most: int, *, live: bool = False) -> list[tuple[str, Said]]:
        """See `Feed.take`; each source gets its share of `most`, at least one."""
        share = ceil(most / max(1, len(self._runners)))
        found: list[tuple[str, Said]] = []
        for runner in self._runners:
            # A runner that is asked again takes all that it gave before for safe.
            if not (live and self._sources[runner.name].catches_up):
                found += [(runner.name, said) for said in runner.take(mono_s, share)]
            found += [(runner.name, event) for event in self._judge(runner, mono_s)]
        return found

    def whole(self, reading: Reading, source: str, mono_s: float) -> Reading:
        """See `Feed.whole`."""
        if self._carry is None:
            return reading
        one = self._sources[source]
        return self._carry.whole(reading, source, mono_s, one.report.stale_after_s, partial=one.partial)

    def close(self) -> None:
        """All end, or are left behind when they do not within two seconds."""
        for runner in self._runners:
            runner.close()
        until_s = self._monotonic() + _END_S
        for runner in self._runners:
            if not runner.join(max(0.0, until_s - self._monotonic())):
                log.warning("%s", text("sources.hangs_at_end", name=runner.name))

    def _judge(self, runner: Runner, mono_s: float) -> list[Event]:
        news = runner.news(mono_s)
        if news.failures:
            self._faults.raised("source_failed", "medium", news.cause, news.failures, about=runner.name, lasts_s=_LASTS_S)
        if not news.works and self._carry is not None:
            self._carry.forget(runner.name)
        if news.works:
            self._faults.cleared("source_failed", about=runner.name)
        if news.lost:
            cause = f"more than {MOST_WAITING} records waited: the source is too fast"
            self._faults.raised("source_overrun", "medium", cause, news.lost, about=runner.name, lasts_s=_LASTS_S)
        else:
            self._faults.cleared("source_overrun", about=runner.name)
        return [self._left_out(runner.name, one.metric, one.shown, one.why) for one in news.left_out]

    def _left_out(self, source: str, metric: str, shown: str, why: str) -> Event:
        metric, shown = printable(metric), printable(shown)
        log.warning("%s", text("sources.left_out", name=source, metric=metric, cell=shown, why=text(why)))
        detail: dict[str, Value] = {"source": source, "metric": metric, "cell": shown, "why": why.removeprefix("cell.")}
        return Event(code="cell_left_out", severity="low", detail=detail)
