"""Is the detector itself well, and how far can it be believed: what each source noticed and left out, jobs, verdicts, the estimate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Sum

from croody.accounts.caller import Caller
from croody.detection.incidents import queries as incidents
from croody.detection.models import Incident, SignTally
from croody.detection.network.estimate import Estimate, estimates
from croody.detection.windows import queries as windows
from croody.detection.windows.queries import Missed, wilson
from croody.fleet import access
from croody.fleet.access import Action
from croody.liveness.models import JobRun

OVER: Final = timedelta(hours=24)
JUDGED_OVER: Final = timedelta(days=90)
#: Jobs that detection rests on, and how long one may be without a run that ended well.
JOBS: Final = ("find_incidents", "score_windows")
LATE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Source:
    """What one source noticed in `OVER`, and how much of that was left out for want of room. `last_at`: the hour of its last news."""

    name: str
    noticed: int
    left_out: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Works:
    """A job that detection rests on; `well`: it ended without failure a moment ago. `ended_at` is None while it never did."""

    name: str
    well: bool
    ended_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Incidents of `JUDGED_OVER`, and what people said of them. `wrong`: of those that somebody judged, how many were false."""

    incidents: int
    true: int
    false: int
    benign_here: int
    wrong: Missed


@dataclass(frozen=True, slots=True)
class Quality:
    """All of it. `missed`: what screening of sensors on board probably misses; `networks`: the same of the networks that robots watch."""

    well: bool
    jobs: tuple[Works, ...]
    sources: tuple[Source, ...]
    judged: Judged
    missed: Missed
    networks: tuple[Estimate, ...]


def read(caller: Caller, now: datetime) -> Quality:
    """As far as the caller may know it: counts of their own incidents and robots; sources and jobs are the server's."""
    jobs = _jobs(now)
    robots = access.robots(caller, Action.ASSESS)
    return Quality(
        well=all(job.well for job in jobs),
        jobs=jobs,
        sources=_sources(now),
        judged=judged(caller, now),
        missed=windows.missed(robots, None, now - windows.MISSED_OVER),
        networks=tuple(estimates(robots, now - windows.MISSED_OVER)),
    )


def judged(caller: Caller, now: datetime) -> Judged:
    """What people said of the caller's incidents."""
    found = incidents.visible_to(caller).filter(last_at__gte=now - JUDGED_OVER)
    said = {word: found.filter(verdict=word).count() for word in Incident.Said.values}
    looked = sum(said.values())
    return Judged(found.count(), said["true"], said["false"], said["benign_here"], wilson(said["false"], looked))


def _jobs(now: datetime) -> tuple[Works, ...]:
    runs = {run.name: run for run in JobRun.objects.filter(name__in=JOBS)}
    found = []
    for name in JOBS:
        run = runs.get(name)
        ended_at = run.ended_at if run is not None else None
        well = run is not None and not run.failures and ended_at is not None and now - ended_at < LATE and now - run.noted_at < LATE
        found.append(Works(name, well, ended_at, run.error if run is not None and run.failures else ""))
    return tuple(found)


def _sources(now: datetime) -> tuple[Source, ...]:
    rows = SignTally.objects.filter(hour__gt=now - OVER).order_by().values("source")
    told = rows.annotate(noticed_all=Sum("noticed"), left_all=Sum("left_out"), last=Max("hour")).order_by("source")
    return tuple(Source(row["source"], row["noticed_all"], row["left_all"], row["last"]) for row in told)
