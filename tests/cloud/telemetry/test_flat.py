"""What pages, jobs and the API ask costs the same whatever a robot has behind it. Counts rows and steps of the database, never time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from croody_contract.messages import Born
from tests.cloud.telemetry.helpers import NOON, batch, count_up, reading

FEW, MANY = 20, 300
NOW = NOON + timedelta(minutes=10)
#: With `MANY` behind it a robot may cost so many times what it costs with `FEW`, and a little that is no row of its history.
#: `FEW` and not one: what is bounded (a trail, the gaps that are asked for at once) is full with so many.
TIMES, SLACK_ROWS, SLACK_STEPS = 1.2, 30, 2000


class Meter:
    """Rows that PostgreSQL read from tables and indexes, and steps that SQLite took, on all connections of this thread."""

    def __init__(self) -> None:
        self.steps = 0

    def _step(self) -> int:
        self.steps += 10
        return 0

    def _rows(self) -> int:
        found = 0
        for connection in connections.all(initialized_only=True):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_stat_force_next_flush()")
                    cursor.execute("SELECT pg_stat_clear_snapshot()")
                    cursor.execute(
                        "SELECT coalesce((SELECT sum(seq_tup_read) FROM pg_stat_user_tables), 0)"
                        " + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes), 0)"
                    )
                    found += int(cursor.fetchone()[0])
        return found

    @contextmanager
    def __call__(self, costs: dict[str, tuple[int, int]], name: str) -> Iterator[None]:
        rows = self._rows()
        self.steps = 0
        for connection in connections.all():
            if connection.vendor == "sqlite":
                connection.ensure_connection()
                connection.connection.set_progress_handler(self._step, 10)
        yield
        for connection in connections.all():
            if connection.vendor == "sqlite":
                connection.connection.set_progress_handler(None, 0)
        steps = self.steps
        costs[name] = (self._rows() - rows, steps)


def questions() -> dict[str, Callable[[], Any]]:
    """Everything that a page, the API, a robot's start or the clock asks."""
    from croody.accounts.caller import Caller, Role
    from croody.accounts.models import Organisation
    from croody.alarms import queries as alarm_queries
    from croody.commands.services import claim_due
    from croody.console.delivery import facts as deliveries
    from croody.console.kpis import facts as kpis
    from croody.console.kpis.selection import Selection as Weeks
    from croody.fleet.models import Robot
    from croody.liveness.jobs import judge_liveness
    from croody.liveness.judge import State
    from croody.liveness.signs import counts_of, signs_of
    from croody.monitor import alarm_facts, facts
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from croody.telemetry.read import queries
    from croody.telemetry.read.day_cells import day
    from croody.telemetry.read.delivery import delivered
    from croody.telemetry.read.events import born, told
    from croody.telemetry.read.proof import edges, lines
    from croody.telemetry.read.series import series
    from croody.telemetry.read.typical_ranges import usual

    pks = Organisation.objects.values_list("pk", flat=True)
    team = Caller("service", service="ingest", roles=tuple((pk, Role.OPERATOR) for pk in pks))
    both = ["rover-1", "rover-2"]

    def proof() -> list[Any]:
        ends = edges("rover-1", NOW - timedelta(seconds=60), NOW)
        return list(lines("rover-1", *ends)) if ends else []

    listed = [facts.Listed(robot_id, "robot", "", State.ONLINE) for robot_id in both]
    return {
        "last": lambda: queries.last("rover-1"),
        "live 1": lambda: queries.live(both, 1, now=NOW),
        "live 20": lambda: queries.live(both, 20, now=NOW),
        "query of one": lambda: queries.query(["rover-1"], 20),
        "query of all": lambda: queries.query(both, 20),
        "streams": lambda: queries.streams(both),
        "delivery": lambda: delivered(both),
        "the list of deliveries": lambda: deliveries.listed(team),
        "deliveries of one robot": lambda: deliveries.one(Robot.objects.get(pk="rover-1"), 2**62, NOW),
        "the proof of a minute": proof,
        "the day of one robot": lambda: day("rover-1", "TEMP", now=NOW),
        "what one robot told": lambda: (told("rover-1", until=NOW), born("rover-1")),
        "what is usual": lambda: usual("rover-1", ["TEMP", "HUM"], now=NOW),
        "a chart": lambda: series(["rover-1"], ["TEMP", "HUM"], NOW - timedelta(days=7), NOW, now=NOW),
        "signs": lambda: signs_of(both),
        "counts of states": lambda: counts_of(both, now=NOW),
        "roster of the monitor": lambda: facts.roster(Caller("demo"), NOW),
        "a page of the monitor": lambda: facts.entries(listed),
        "alarms on the monitor": lambda: alarm_facts.few(team),
        "a page of open alarms": lambda: alarm_facts.page(team, "", 1),
        "what ended last": lambda: alarm_facts.over(team, ""),
        "alarms of one robot": lambda: (alarm_facts.page(team, "rover-1", 1), alarm_facts.over(team, "rover-1")),
        "alarms over the API": lambda: alarm_queries.listed(alarm_queries.in_one_list(team), 20),
        "trails": lambda: facts.trails(facts.entries(listed), NOW),
        "request_gaps": lambda: jobs.request_gaps(NOW),
        "judge_liveness": lambda: judge_liveness(NOW),
        "raise_alarms": lambda: jobs.raise_alarms(NOW),
        "roll_up": lambda: jobs.roll_up(NOW),
        "count_days": lambda: jobs.count_days(NOW),
        "weeks of the fleet": lambda: kpis.found(kpis.chosen(team, Weeks()), *Weeks().days(NOW.date())),
        "fold_finished": lambda: jobs.fold_finished(NOW),
        "commands that are due": lambda: claim_due(NOW),
        "a reading": lambda: services.ingest_relay(batch("rover-1", "of-today", 40, [reading(1.0, NOW)]), now=NOW),
    }


def settle() -> None:
    """Statistics, and what autovacuum does. A table as small as a test's is read whole: here is asked whether there is another way."""
    for connection in connections.all(initialized_only=True):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM (ANALYZE)")
                cursor.execute("SET enable_seqscan = off")


def measured(meter: Meter) -> dict[str, tuple[int, int]]:
    costs: dict[str, tuple[int, int]] = {}
    for question in questions().values():
        # Once before: what it does when it is late is not what it does every time.
        question()
    settle()
    for name, question in questions().items():
        with meter(costs, name):
            question()
    return costs


def _streams(robot_id: str, numbers: Iterable[int], **more: Any) -> None:
    from croody.telemetry.models import Stream

    Stream.objects.bulk_create(
        Stream(
            robot_id=robot_id,
            stream=f"stream-{number:04}",
            place=number - 10_000.0,
            prev=f"stream-{number - 1:04}" if number else None,
            have=((1, 5),),
            known_last=5,
            first_received_at=NOON - timedelta(days=2),
            last_received_at=NOON - timedelta(days=1),
            latest_seq=5,
            latest_at=NOON - timedelta(days=1),
            latest={"id": 1, "data": {"TEMP": 1.0}, "robot_id": robot_id, "position": None, "status": "idle"},
            **more,
        )
        for number in numbers
    )


def starts(fleet: SimpleNamespace, numbers: range) -> None:
    """Finished streams, each with the next one behind it."""
    _streams("rover-1", numbers)


def starts_that_lack_something(fleet: SimpleNamespace, numbers: range) -> None:
    """Every stream lost its last record, and will never send it."""
    from croody.telemetry.models import Stream

    _streams("rover-1", numbers)
    Stream.objects.filter(robot_id="rover-1", stream__startswith="stream-").update(known_last=6, missing_since=NOON - timedelta(days=1))


def folded_streams(fleet: SimpleNamespace, numbers: range) -> None:
    from croody.telemetry.models import StreamTotal

    _streams("rover-1", numbers, folded_at=NOON)
    StreamTotal.objects.update_or_create(robot_id="rover-1", defaults={"streams": numbers.stop, "stored": 5 * numbers.stop})


def starts_without_readings(fleet: SimpleNamespace, numbers: range) -> None:
    """A robot that crashes as soon as it starts."""
    from croody.telemetry.models import Stream

    _streams("rover-1", numbers)
    Stream.objects.filter(robot_id="rover-1", stream__startswith="stream-").update(latest_seq=None, latest_at=None, latest=None)


def retired_robots(fleet: SimpleNamespace, numbers: range) -> None:
    from croody.fleet.models import Robot
    from croody.telemetry.models import Presence

    names = [f"retired-{number:04}" for number in numbers]
    Robot.objects.bulk_create([Robot(robot_id=name, organisation=fleet.alices, deleted_at=NOON) for name in names])
    Presence.objects.bulk_create([Presence(robot_id=name, state="offline", since=NOON, received_at=NOON) for name in names])
    for name in names:
        _streams(name, [1])


def dead_letters(fleet: SimpleNamespace, numbers: range) -> None:
    from croody.telemetry.models import DeadLetter

    DeadLetter.objects.bulk_create(
        DeadLetter(
            robot_id="rover-1",
            stream="of-today",
            first=n + 1,
            last=n + 1,
            reason="bad_json",
            detail="",
            body=b"",
            hash=str(n),
            received_at=NOON,
        )
        for n in numbers
    )


def alarms(fleet: SimpleNamespace, numbers: range) -> None:
    from croody.alarms.models import Alarm

    Alarm.objects.bulk_create(
        Alarm(robot_id="rover-1", kind=kind, key=f"{n}", severity="high", opened_at=NOON, last_at=NOON, resolved_at=NOON)
        for n in numbers
        for kind in ("offline", "gap", "anomaly")
    )


def answered_commands(fleet: SimpleNamespace, numbers: range) -> None:
    from croody.commands.models import Outgoing

    Outgoing.objects.bulk_create(
        Outgoing(
            robot_id="rover-1",
            kind="resend",
            payload={"stream": "of-today"},
            expires_at=NOON - timedelta(minutes=1),
            next_at=NOON - timedelta(minutes=5),
            answered_at=NOON - timedelta(minutes=5) if n % 2 else None,
            answer_state="done",
        )
        for n in numbers
    )


KINDS = (
    starts,
    starts_that_lack_something,
    starts_without_readings,
    folded_streams,
    retired_robots,
    dead_letters,
    alarms,
    answered_commands,
)


@pytest.fixture
def today(fleet: SimpleNamespace) -> None:
    """Both robots run; `rover-1` lacks something that it is asked for."""
    from croody.telemetry.ingest import services

    for robot_id in ("rover-1", "rover-2"):
        relay = batch(robot_id, "of-today", 1, [Born(agent="1"), *count_up(2, 30, at=NOW)], prev=None)
        services.ingest_relay(relay, now=NOW - timedelta(seconds=30))
    services.ingest_relay(batch("rover-1", "of-today", 35, count_up(35, 39, at=NOW)), now=NOW - timedelta(seconds=20))


@pytest.mark.parametrize("behind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_asked_costs_no_more_with_much_behind_a_robot(
    fleet: SimpleNamespace, today: None, telemetry: str, behind: Callable[[SimpleNamespace, int], None]
):
    meter = Meter()
    behind(fleet, range(FEW))
    with_few = measured(meter)
    behind(fleet, range(FEW, MANY))
    with_many = measured(meter)
    dearer = {
        f"{name}: {with_few[name]} -> {cost}"
        for name, cost in with_many.items()
        if cost[0] > TIMES * with_few[name][0] + SLACK_ROWS or cost[1] > TIMES * with_few[name][1] + SLACK_STEPS
    }
    if behind is retired_robots:
        # It looks at the open streams of every robot there ever was: one row each.
        dearer = {one for one in dearer if not one.startswith("fold_finished")}
    if behind is alarms:
        # They are all of today, of which a quota lets in so many, and that is what it counts.
        dearer = {one for one in dearer if not one.startswith("count_days")}
    assert not dearer, "(rows of PostgreSQL, steps of SQLite)"


def test_a_start_costs_no_more_after_many(fleet: SimpleNamespace, today: None, telemetry: str):
    """Its place is told by looking at the others: at those that are not folded."""
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services

    meter = Meter()
    costs: dict[str, tuple[int, int]] = {}

    def start(number: int) -> None:
        records = [Born(agent="1", prev="of-today", prev_last=39), reading(1.0, NOW)]
        services.ingest_relay(batch("rover-1", f"start-{number:04}", 1, records, prev="of-today", prev_last=39), now=NOW)

    start(0)
    settle()
    with meter(costs, "first"):
        start(1)
    starts(fleet, range(MANY))
    jobs.fold_finished(NOW)
    start(2)
    settle()
    with meter(costs, "after many"):
        start(3)
    assert costs["after many"][0] <= TIMES * costs["first"][0] + SLACK_ROWS
    assert costs["after many"][1] <= TIMES * costs["first"][1] + SLACK_STEPS
