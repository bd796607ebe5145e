"""`/console/system/`: is Croody itself well; who keeps it going sees it, and each thing that is wrong has its remedy."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.console.system import database, words
from croody.console.system.facts import Certificate, DatabaseFacts, Disk
from croody.console.system.look import System
from croody.liveness import job_runs, parts
from croody.liveness.job_runs import Run
from croody.liveness.listening import Listened, listening, note
from croody.liveness.models import JobRun
from croody.liveness.parts import Answer

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
WELL = System(
    now=NOW,
    parts=(Answer("web", True, version="1"), Answer("database", True), Answer("worker", True, NOW, version="1")),
    bridge=Listened(NOW, NOW, "1", 3),
    queues=DatabaseFacts(),
    newest_at=NOW,
    sizes=(2_500_000,),
    disk=Disk(free=80, used=20),
    certificate=None,
    jobs=(JobRun(name="roll_up", period_s=20, started_at=NOW, ended_at=NOW, took_s=0.2, noted_at=NOW),),
)


@pytest.fixture(autouse=True)
def _nobody_answers(settings: Any, tmp_path: Path, free_port: int) -> Iterator[None]:
    nobody = f"http://127.0.0.1:{free_port}"
    settings.ENV = dataclasses.replace(
        settings.ENV, state_dir=tmp_path, telemetry_url=nobody, ids_url=nobody, broker_url=nobody.replace("http", "mqtt")
    )
    parts._kept = (0.0, [])
    yield
    parts._kept = (0.0, [])


def wrong(**changes: Any) -> list[str]:
    return [": ".join(one) for one in words.page(dataclasses.replace(WELL, **changes), "es", runs_it=True).wrong]


def test_nothing_is_wrong_with_what_is_well() -> None:
    found = words.page(WELL, "es", runs_it=True)
    assert found.wrong == ()
    assert found.sentence == "Croody está bien"
    assert [row.text for row in found.data if row.name == "Base de datos"] == ["2,5\u00a0MB"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parts": (Answer("ids", False),)}, "./croody logs --tail 50 ids-ml"),
        ({"parts": (Answer("web", True, version="1"), Answer("ids", True, version="2"))}, "1: Web; 2: Detector de intrusos"),
        ({"bridge": Listened(NOW, NOW, "1", 1_000_000)}, "1\u00a0000\u00a0000 mensajes"),
        ({"disk": Disk(free=5, used=95)}, "95\u00a0%"),
        ({"certificate": Certificate("CN=x", NOW + timedelta(days=3))}, "quedan 3 días"),
        ({"certificate": Certificate(problem="no certificate")}, "no certificate"),
        (
            {"jobs": (JobRun(name="roll_up", period_s=20, failures=2, error="ValueError: x", noted_at=NOW),)},
            "falló 2 veces seguidas (ValueError: x)",
        ),
        (
            {"jobs": (JobRun(name="x", period_s=2, started_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(hours=1), noted_at=NOW),)},
            "«x» no corre desde hace 1\u00a0h",
        ),
        ({"jobs": (JobRun(name="x", period_s=2, started_at=NOW - timedelta(hours=1), noted_at=NOW),)}, "«x» sigue desde hace 1\u00a0h"),
        ({"jobs": (JobRun(name="x", period_s=2, noted_at=NOW - timedelta(hours=2)),)}, "el worker no anota nada desde hace 2\u00a0h"),
    ],
)
def test_each_thing_that_is_wrong_says_what_to_do(changes: dict[str, Any], said: str) -> None:
    found = wrong(**changes)
    assert len(found) == 1
    assert said in found[0]
    assert "./croody" in found[0] or "CROODY_" in found[0]


def test_a_part_that_waits_for_another_is_not_blamed() -> None:
    assert len(wrong(parts=(Answer("broker", False), Answer("bridge", False, waits_for="broker")))) == 1


@pytest.mark.django_db(databases="__all__")
def test_who_configures_robots_sees_it_and_nobody_else_is_led_there() -> None:
    organisation = Organisation.objects.create(name="Mine", slug="mine")
    for role in Membership.Role:
        user = User.objects.create_user(role.value)
        Membership.objects.create(user=user, organisation=organisation, role=role)
        client = Client()
        client.force_login(user)
        may = role in (Membership.Role.MAINTAINER, Membership.Role.OWNER)
        assert client.get("/es/console/system/").status_code == (200 if may else 403)
        assert ('href="/es/console/system/"' in client.get("/es/console/").content.decode()) == may


@pytest.mark.django_db(databases="__all__")
def test_the_page_is_whole_in_both_languages_while_much_is_away() -> None:
    root = User.objects.create_superuser("root")
    client = Client()
    client.force_login(root)
    assert "no responde: ./croody logs --tail 50 broker" in client.get("/es/console/system/").content.decode()
    assert "does not answer: ./croody logs --tail 50 broker" in client.get("/en/console/system/").content.decode()


@pytest.mark.django_db(databases="__all__")
def test_an_owner_without_the_servers_shell_is_told_who_can_and_no_commands_of_it() -> None:
    user = User.objects.create_user("olga")
    Membership.objects.create(user=user, organisation=Organisation.objects.create(name="Mine", slug="mine"), role="owner")
    client = Client()
    client.force_login(user)
    for code, wrong_, who in (
        ("es", "Broker MQTT no responde", "Avisa a quien lo administra"),
        ("en", "does not answer", "Tell who runs it"),
    ):
        text = client.get(f"/{code}/console/system/").content.decode()
        assert wrong_ in text
        assert who in text
        assert "./croody" not in text
        assert "CROODY_" not in text


@pytest.mark.django_db
def test_jobs_have_a_row_each_and_what_is_no_job_any_more_goes() -> None:
    job_runs.note([Run("a", 2, NOW, NOW, 0.1), Run("b", 2)], NOW)
    job_runs.note([Run("a", 2, NOW, NOW, 0.3, 1, "ValueError: x")], NOW)
    row = JobRun.objects.get()
    assert (row.name, row.took_s, row.failures, row.error) == ("a", 0.3, 1, "ValueError: x")


@pytest.mark.django_db
def test_a_bridge_says_its_version_and_what_waits_in_it() -> None:
    note(NOW, version="1.2", waiting=7)
    assert listening() == Listened(NOW, NOW, "1.2", 7)
    note(NOW + timedelta(seconds=3), version="x" * 500, waiting=10**12)
    found = listening()
    assert found is not None
    assert (found.since, len(found.version), found.waiting) == (NOW, 64, 2**31 - 1)


@pytest.mark.django_db(databases="__all__")
def test_what_a_page_asks_is_of_ones_own_robots_alone() -> None:
    from croody.telemetry.models import DeadLetter, Presence

    for name in ("mine", "other"):
        Presence.objects.create(robot_id=name, state="online", queued=40, since=NOW, received_at=NOW)
        DeadLetter.objects.create(robot_id=name, reason="bad", detail="d", body=b"", hash=name, received_at=NOW)
    found = database.counted(NOW, ["mine"])
    assert (found.at_robots, found.dead_letters) == (40, 1)
    assert all(size > 0 for size in database.sizes())


def test_the_worker_tells_how_each_job_went() -> None:
    from croody.worker.runs import Runs

    runs = Runs()
    runs.begin("a", 2, NOW)
    assert runs.all() == [Run("a", 2, NOW)]
    runs.end("a", 0.5, NOW, ValueError("no\nroom"))
    assert (runs.all()[0].failures, runs.all()[0].error) == (1, "ValueError: no room")
    runs.begin("a", 2, timezone.now())
    runs.end("a", 0.5, NOW, None)
    assert (runs.all()[0].failures, runs.all()[0].error) == (0, "")
