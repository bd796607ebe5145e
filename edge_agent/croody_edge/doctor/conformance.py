"""`croody-edge check-source`: runs one source as an agent would, and says where it does not keep to what an agent expects of it.

Any plug-in can be held to it. Knows no outbox and no broker: nothing of what the source says goes anywhere.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Reading
from croody_edge.doctor.finding import Finding, ok, skipped, wrong
from croody_edge.settings import Settings
from croody_edge.sources import Said
from croody_edge.sources.config import FILE, environment_source, of_table, read
from croody_edge.sources.rack import Configured
from croody_edge.sources.runner import Runner
from croody_edge.sources.shape import LeftOut, Shaper
from croody_edge.texts import text
from croody_edge.variables import BadSetting, Variables

#: A source has so long to end, seconds.
_END_S: Final = 5.0
#: More records a second than this are worth a word.
_FAST: Final = 50.0
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
#: A clock that is further from the board's than this is wrong.
_CLOCK: Final = timedelta(days=1)


@dataclass(slots=True)
class Seen:
    """What a source did in a stretch of time."""

    seconds: float = 0.0
    first_s: float | None = None
    records: list[Said] = field(default_factory=list)
    failures: int = 0
    cause: str = ""
    lost: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    ended: bool = True
    threads: list[str] = field(default_factory=list)


def check(environ: Mapping[str, str], name: str, *, seconds: float, away: bool) -> Iterator[Finding]:
    """One line a rule.

    Args:
        environ: of the process; `CROODY_SOURCES` or `CROODY_EDGE_DIR` say where `sources.toml` is.
        name: of a source in that file, or else of a kind, whose settings are variables then.
        seconds: how long it is watched.
        away: what it reads is known to be away: it has to say so, and to end all the same.
    """
    with TemporaryDirectory(prefix="croody-check-") as folder:
        try:
            one = _configured(environ, name, Path(folder))
        except (BadSetting, OSError) as error:
            yield wrong("source", str(error))
            return
        yield ok("source", text("check.loaded", name=one.name, count=len(one.infos)))
        seen = watch(one, seconds)
        yield from judge(seen, away=away, catches_up=one.catches_up)
        yield from describe(one, seen)
        if seen.ended and seen.records and not away:
            again = watch(one, seconds, until_first=True)
            said = text("check.again", seconds=f"{again.first_s:.1f}") if again.first_s is not None else ""
            if said:
                yield ok("again", said)
            elif one.catches_up and not again.failures:
                yield skipped("again", text("check.all_read"))
            else:
                yield wrong("again", text("check.not_again", cause=again.cause or text("check.silent")))


def watch(one: Configured, seconds: float, *, until_first: bool = False) -> Seen:
    """Run it for a while and end it."""
    before = set(threading.enumerate())
    seen = Seen()
    runner = Runner(one.name, one.opens, Shaper(one.report, one.metrics, partial=one.partial), time.time, time.monotonic, lambda: None)
    began_s = time.monotonic()
    runner.start()
    while seen.seconds < seconds and not (until_first and seen.records):
        seen.seconds = time.monotonic() - began_s
        _look(runner, seen, began_s)
        time.sleep(0.02)
    runner.close()
    seen.ended = runner.join(_END_S)
    _look(runner, seen, began_s)
    until_s = time.monotonic() + _END_S
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until_s:
        time.sleep(0.02)
    seen.threads = sorted(thread.name for thread in left)
    return seen


def _look(runner: Runner, seen: Seen, began_s: float) -> None:
    now_s = time.monotonic()
    seen.records += runner.take(now_s, MAX_METRICS)[: 100_000 - len(seen.records)]
    if seen.records and seen.first_s is None:
        seen.first_s = now_s - began_s
    news = runner.news(now_s)
    seen.failures += news.failures
    seen.cause = news.cause if news.failures else seen.cause
    seen.lost += news.lost
    seen.left_out += news.left_out


def judge(seen: Seen, *, away: bool, catches_up: bool = False) -> Iterator[Finding]:
    """What has to be so, whatever it reads. Pure."""
    if away:
        if not seen.failures and catches_up and not seen.records:
            yield skipped("away", text("check.nothing_yet", seconds=f"{seen.seconds:.0f}"))
        else:
            yield ok("away", seen.cause) if seen.failures else wrong("away", text("check.not_away", seconds=f"{seen.seconds:.0f}"))
    elif seen.failures:
        yield wrong("begin", seen.cause)
    if not away:
        if seen.first_s is None and catches_up and not seen.failures:
            yield skipped("records", text("check.nothing_yet", seconds=f"{seen.seconds:.0f}"))
        elif seen.first_s is None:
            yield wrong("records", text("check.none", seconds=f"{seen.seconds:.0f}"))
        else:
            yield ok("records", text("check.records", count=len(seen.records), first=f"{seen.first_s:.1f}"))
    if not seen.ended:
        yield wrong("end", text("check.hangs", seconds=f"{_END_S:.0f}"))
    elif seen.threads:
        yield wrong("end", text("check.threads", threads=", ".join(seen.threads[:3])))
    else:
        yield ok("end", text("check.ended"))
    if seen.lost:
        yield wrong("rate", text("check.lost", count=seen.lost))
    elif seen.records:
        rate = len(seen.records) / max(seen.seconds, 0.1)
        yield (skipped if rate > _FAST else ok)("rate", text("check.rate", rate=f"{rate:.1f}"))


def describe(one: Configured, seen: Seen) -> Iterator[Finding]:
    """Names, types, times: of readings. Pure."""
    readings = [record for record in seen.records if isinstance(record, Reading)]
    kinds: dict[str, set[str]] = {}
    for reading in readings:
        for name, value in reading.data.items():
            kinds.setdefault(name, set()).add("number" if type(value) in (int, float) else type(value).__name__)
    if kinds:
        odd = sorted(name for name in kinds if not _NAME.fullmatch(name))
        if odd:
            yield wrong("names", text("check.odd_name", name=repr(odd[0])))
        elif len(kinds) > MAX_METRICS:
            yield wrong("names", text("check.many_names", count=len(kinds), most=MAX_METRICS))
        else:
            yield ok("names", ", ".join(sorted(kinds)[:8]) + (" ..." if len(kinds) > 8 else ""))
        mixed = sorted(name for name, found in kinds.items() if len(found) > 1)
        yield (
            wrong("types", text("check.mixed", name=mixed[0], kinds=", ".join(sorted(kinds[mixed[0]]))))
            if mixed
            else ok("types", text("check.types"))
        )
        unsaid = sorted(set(kinds) - {info.name for info in one.infos})
        if unsaid:
            yield skipped("metrics", text("check.undescribed", names=", ".join(unsaid[:5])))
    for left in seen.left_out[:5]:
        yield skipped("values", text("check.left_out", metric=left.metric, cell=left.shown, why=text(left.why)))
    now = datetime.now(UTC)
    far = [reading.ts for reading in readings if reading.ts is not None and abs(reading.ts - now) > _CLOCK]
    if one.catches_up and far and max(far) < now:
        yield skipped("times", text("check.times_past", ts=far[0].isoformat()))
    elif far:
        yield wrong("times", text("check.times", ts=max(far).isoformat()))


def _configured(environ: Mapping[str, str], name: str, folder: Path) -> Configured:
    variables = Variables(environ)
    edge_dir = Path(variables.text("CROODY_EDGE_DIR", "croody-edge"))
    said = variables.text("CROODY_SOURCES", "")
    file = Path(said) if said else edge_dir / FILE
    interval_s = variables.number("CROODY_INTERVAL_S", 1.0, 0.001, 86400)
    settings = Settings(variables.text("ROBOT_ID", "check-source"), folder, source=name, interval_s=interval_s)
    if said or file.exists():
        tables = read(file)
        if name in tables:
            return of_table(settings, file, name, tables[name])
    return environment_source(settings, environ)
