"""What `./croody status` reads, what it calls wrong, and in which words."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils.translation import override

from croody.console.system import database as database_facts
from croody.console.system.facts import Certificate, DatabaseFacts, Disk
from croody.operations.facts import Backup, Facts, parse
from croody.operations.report import Report

#: How a database is made to refuse writes, and to take them again.
READ_ONLY = {
    "sqlite": ("PRAGMA query_only = on", "PRAGMA query_only = off"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
}
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RUNNING = "container\t{0}\trunning\thealthy\t0\tcloud:1\tsha256:new\t{0}-hash\t2026-11-24T09:00:00.123Z\tabc1234"
LINES = [
    "version\t1.2\tabc1234",
    "wanted\tcroody",
    "wanted\tmigrate",
    "hash\tcroody\tcroody-hash",
    "image\tcloud:1\tsha256:new",
    RUNNING.format("croody"),
    "container\tmigrate\texited\t\t0\tcloud:1\tsha256:new\tmigrate-hash\t2026-11-24T09:00:00Z\tabc1234",
    "backup\t/srv/backups\tcroody-20261124T090000Z.pgdump\t2500000\t14\tyes\t24\t",
]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def told(lines: list[str]) -> Report:
    report = Report(NOW)
    facts = parse(lines)
    report.engine(facts)
    report.backup(facts)
    return report


def without(kind: str, *, but: tuple[str, ...] = ()) -> list[str]:
    return [line for line in LINES if not line.startswith(kind)] + list(but)


def test_a_system_that_is_well_says_so_on_aligned_rows():
    report = told(LINES)

    assert report.wrong == []
    assert report.text().splitlines() == [
        "version      1.2 (abc1234)",
        "croody       healthy     for 3 h",
        "migrate      ended well",
        "last backup  3 h ago, 2.5 MB, of 14: /srv/backups/croody-20261124T090000Z.pgdump",
        "",
        "✓ everything is well",
    ]


def test_the_same_in_spanish():
    with override("es"):
        spanish = told(LINES).text()
    assert spanish.splitlines() == [
        "versión       1.2 (abc1234)",
        "croody        sano        desde hace 3 h",
        "migrate       terminó bien",
        "última copia  hace 3 h, 2.5 MB, de 14: /srv/backups/croody-20261124T090000Z.pgdump",
        "",
        "✓ todo va bien",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (without("container\tcroody"), "croody is not there: ./croody up"),
        ([line.replace("\thealthy", "\tunhealthy") for line in LINES], "croody is unhealthy: ./croody logs --tail 50 croody"),
        ([line.replace("\trunning\thealthy", "\texited\t") for line in LINES], "croody does not run (exited)"),
        ([line.replace("\texited\t\t0", "\texited\t\t1") for line in LINES], "migrate ended with status 1: ./croody logs migrate"),
        (without("image", but=("image\tcloud:1\tsha256:newer",)), "croody: running with another image"),
        (without("hash", but=("hash\tcroody\tanother",)), "croody: running with another image or configuration"),
        (without("version", but=("version\t1.2\tfff9999",)), "this clone is at fff9999, and what runs is abc1234: ./croody update"),
        (
            [*LINES, "left\tcroody\t0123456789ab"],
            "croody: container 0123456789ab is one too many, left by a command that was killed: ./croody up",
        ),
        (
            [*LINES, "changed\tcroody\tSECRET_KEY", "changed\tworker\tSECRET_KEY"],
            "the secret SECRET_KEY has changed since croody, worker started: ./croody up",
        ),
        (without("backup", but=("backup\t/srv/backups\t\t\t0\tyes\t\t",)), "there is no backup in /srv/backups"),
        (without("backup", but=("backup\t/b\tcroody-20261122T110000Z.pgdump\t1\t1\tyes\t24\t",)), "the last backup is 2 days old"),
        (without("backup", but=("backup\t/b\tcroody-20261124T000000Z.pgdump\t1\t1\tyes\t4\t",)), "there should be one every 4 h"),
    ],
)
def test_what_is_wrong_has_a_sentence_with_its_remedy(lines: list[str], said: str):
    found = told(lines).wrong

    assert len([line for line in found if said in line]) == 1
    assert all("./croody" in line for line in found)


def test_what_nobody_knows_is_not_called_wrong():
    shortened = without("version", but=("version\tdev\tabc12",))
    unknown = without("version", but=("version\tdev\t",))
    by_hand = without("backup", but=("backup\t/b\t\t\t0\tno\t\t",))
    at_night = without("backup", but=("backup\t/b\tcroody-20261122T130000Z.pgdump\t1\t1\tyes\t1\t03:30",))

    assert [told(lines).wrong for lines in (shortened, unknown, by_hand, at_night)] == [[], [], [], []]


def test_certificate_disk_and_database_are_judged_by_their_limits():
    report = Report(NOW)
    report.certificate(Certificate("CN=R13", NOW + timedelta(days=14, hours=1)))
    report.disk(Disk(free=11, used=89))
    report.database(DatabaseFacts(newest_age_s=3.0, robots={"online": 2, "offline": 1}, alarms={"high": 1}, dead_letters=2))
    assert report.wrong == []
    assert ("robots", "1 offline, 2 online") in report.rows
    assert ("dead letters", "2 not replayed: ./croody dead list") in report.rows

    spanish = Report(NOW)
    with override("es"):
        spanish.database(DatabaseFacts(robots={"online": 2, "offline": 1}, alarms={"high": 1}))
    assert ("robots", "1 sin conexión, 2 en línea") in spanish.rows
    assert ("alertas", "1 altas") in spanish.rows

    report.certificate(Certificate("CN=R13", NOW + timedelta(days=13, hours=23)))
    report.certificate(Certificate(problem="no such file"))
    report.disk(Disk(free=9, used=91))
    report.database(DatabaseFacts(problem="connection refused"))
    report.database(DatabaseFacts(deaf_s=300.0))
    assert [line.split(":")[0] for line in report.wrong] == [
        "the certificate has 13 days left",
        "the certificate cannot be read",
        "the disk is at 91%",
        "the database does not answer",
        "the bridge has not heard the broker for 5 min",
    ]


@pytest.mark.parametrize(
    ("ill", "blamed"),
    [((), "bridge"), (("bridge",), "bridge"), (("broker",), "broker"), (("bridge", "broker"), "broker")],
)
@pytest.mark.parametrize("how", ["running\tunhealthy", "exited\t", "absent"])
def test_when_the_bridge_is_deaf_one_part_is_blamed_the_one_that_is_ill(ill: tuple[str, ...], blamed: str, how: str):
    lines = [*LINES, "wanted\tbridge", "wanted\tbroker", *(RUNNING.format(service) for service in ("bridge", "broker"))]
    for service in ill:
        lines.remove(RUNNING.format(service))
        if how != "absent":
            lines.append(RUNNING.format(service).replace("running\thealthy", how))
    report = told(lines)
    report.database(DatabaseFacts(deaf_s=300.0))
    assert report.wrong[-1] == f"the bridge has not heard the broker for 5 min: ./croody logs --tail 50 {blamed}"


def test_the_disk_of_the_database_is_judged_by_itself():
    facts = parse([*LINES, "dbdisk\t9\t91"])
    assert facts.database_disk == Disk(free=9 * 1024, used=91 * 1024)
    assert parse(LINES).database_disk is None

    report = Report(NOW)
    report.disk(Disk(free=50, used=50))
    report.disk(facts.database_disk, of_database=True)
    assert [name for name, _ in report.rows] == ["disk", "database disk"]
    assert report.wrong == ["the disk of the database is at 91%: make room, or keep fewer days (CROODY_RETENTION_DAYS)"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_database_that_takes_no_writes_is_named_though_it_answers():
    assert database_facts.read(NOW).unwritable == ""

    with connection.cursor() as cursor:
        cursor.execute(READ_ONLY[connection.vendor][0])
    try:
        found = database_facts.read(NOW)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(READ_ONLY[connection.vendor][1])
    report = Report(NOW)
    report.database(found)

    assert ("robots", "none: ./croody robot add ID") in report.rows
    assert [line for line in report.wrong if re.search(r"the database takes no writes: .*(read-?only)", line)]


def test_a_certificate_that_certbot_should_have_replaced_is_wrong():
    own, bought = (Certificate(f"CN={name}", NOW + timedelta(days=80)) for name in (r"Croody\\, authority of robots.example.org", "R13"))
    report = Report(NOW)
    report.certificate(own)
    report.certificate(bought, by_acme=True)
    assert report.wrong == []

    report.certificate(own, by_acme=True)
    assert [line.split(",")[0] for line in report.wrong] == ["certbot has got no certificate yet"]


def test_room_that_is_kept_for_root_is_no_room():
    report = Report(NOW)
    report.disk(Disk(free=5, used=85))
    assert ("disk", "0.0 GB free, 94% used") in report.rows


def test_a_line_of_another_version_of_the_wrapper_is_an_error():
    with pytest.raises(ValueError, match="unpack"):
        parse(["container\tcroody\trunning"])
    assert parse([]) == Facts("", "", (), (), Backup())


@pytest.mark.django_db(databases="__all__")
def test_the_facts_of_the_database_count_what_waits_and_what_needs_a_person():
    from croody.accounts.models import Organisation
    from croody.alarms.models import Alarm
    from croody.fleet.models import Robot
    from croody.telemetry.models import DeadLetter, Presence, Stream

    organisation = Organisation.objects.create(name="Alice", slug="alice")
    Robot.objects.create(robot_id="amr-01", organisation=organisation)
    Presence.objects.create(robot_id="amr-01", state="online", queued=40, since=NOW, received_at=NOW)
    Presence.objects.create(robot_id="gone", state="online", queued=7, since=NOW, received_at=NOW)
    Stream.objects.create(robot_id="amr-01", stream="s1", first_received_at=NOW, last_received_at=NOW, missing_since=NOW)
    for number, replayed in enumerate((None, None, NOW)):
        DeadLetter.objects.create(
            robot_id="amr-01", reason="bad", detail="d", body=b"", hash=str(number), received_at=NOW, replayed_at=replayed
        )
    for key, resolved in (("a", None), ("b", None), ("c", NOW)):
        Alarm.objects.create(robot_id="amr-01", kind="gap", key=key, severity="high", opened_at=NOW, last_at=NOW, resolved_at=resolved)

    found = database_facts.read(NOW)

    assert found.problem == ""
    assert (found.at_robots, found.gaps, found.dead_letters, found.alarms) == (40, 1, 2, {"high": 2})
    assert sum(found.robots.values()) == 1
