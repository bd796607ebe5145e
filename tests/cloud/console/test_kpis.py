"""`/console/kpis/`: weeks of the fleet, its sites and its robots, added up from a row a robot and day."""

import csv
import io
from contextlib import ExitStack
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.console.kpis.facts import Sums
from croody.console.kpis.selection import Selection
from croody.console.kpis.words import row
from croody.fleet.models import Robot, Site
from croody.telemetry.models import RobotDay

pytestmark = pytest.mark.django_db(databases="__all__")
PAGE, FILE = "/es/console/kpis/", "/es/console/kpis/export/"


@pytest.fixture
def world() -> SimpleNamespace:
    today = timezone.now().date()
    mine, other = (Organisation.objects.create(name=name, slug=name.lower()) for name in ("Mine", "Other"))
    bob, carlos = (User.objects.create_user(name) for name in ("bob", "carlos"))
    Membership.objects.create(user=bob, organisation=mine, role=Membership.Role.VIEWER)
    Membership.objects.create(user=carlos, organisation=other, role=Membership.Role.OWNER)
    north = Site.objects.create(organisation=mine, name="Norte", slug="norte")
    for name, organisation, site in (("rover-1", mine, north), ("rover-2", mine, None), ("carlos-1", other, None)):
        Robot.objects.create(robot_id=name, organisation=organisation, site=site)
        for days in range(14):
            RobotDay.objects.create(
                robot_id=name,
                day=today - timedelta(days=days),
                possible=1440,
                minutes=1440 if name == "rover-1" else 720,
                readings=1000,
                failures=1 if days == 0 else 0,
                repairs=1 if days == 0 else 0,
                repair_s=600 if days == 0 else 0,
                distance_m=500 if name == "rover-1" else None,
                computed_at=timezone.now(),
            )
    return SimpleNamespace(bob=bob, carlos=carlos, mine=mine, today=today)


def get(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()  # type: ignore[attr-defined]


def test_the_page_adds_up_ones_own_robots_and_nobody_elses(world: SimpleNamespace) -> None:
    text = get(world.bob, PAGE)
    assert "Hubo lecturas el 75,000\u00a0% del tiempo en 4 semanas" in text
    assert "carlos-1" not in text
    # Who was there least stands first.
    assert text.index(">rover-2<") < text.index(">rover-1<")
    assert "Norte" in text
    assert "sin sitio" in text
    assert "There were readings 75.000\u00a0% of the time in 4 weeks" in get(world.bob, "/en/console/kpis/")


def test_a_site_and_a_robot_can_be_looked_at_alone(world: SimpleNamespace) -> None:
    assert "el 100\u00a0% del tiempo" in get(world.bob, f"{PAGE}?site=norte")
    assert "el 50,000\u00a0% del tiempo" in get(world.bob, f"{PAGE}?robot=rover-2")
    assert "Ninguno con estos filtros" in get(world.bob, f"{PAGE}?robot=carlos-1")


def test_the_file_has_a_row_a_robot_and_day(world: SimpleNamespace) -> None:
    rows = list(csv.DictReader(io.StringIO(get(world.bob, f"{FILE}?weeks=52"))))
    assert len(rows) == 28
    assert {one["robot_id"] for one in rows} == {"rover-1", "rover-2"}
    assert rows[0]["minutes"] == "1440"
    assert list(csv.DictReader(io.StringIO(get(world.carlos, f"{FILE}?robot=rover-1")))) == []


def test_what_is_not_known_is_no_zero() -> None:
    shown = row("x", Sums(), "es")
    assert (shown.uptime, shown.mtbf, shown.mttr, shown.distance, shown.cycles) == ("\u2014",) * 5
    both = Sums(distance_m=1500.0, minutes=60, failures=2) + Sums(cycles=0.5, minutes=60)
    assert (both.distance_m, both.cycles, both.mtbf_s) == (1500.0, 0.5, 3600.0)


def test_weeks_begin_on_monday_and_an_address_that_means_nothing_is_the_usual() -> None:
    assert Selection().days(date(2026, 11, 26)) == (date(2026, 11, 2), date(2026, 11, 26))
    assert Selection.of({"weeks": "7", "page": "x", "site": "\x00"}) == Selection()
    assert Selection.of({"weeks": "52"}).address(robot="r") == "?weeks=52&robot=r"


def test_a_page_asks_as_often_however_many_robots_and_days_there_are(world: SimpleNamespace) -> None:
    client = Client()
    client.force_login(world.bob)

    def asked() -> int:
        with ExitStack() as stack:
            counts = [stack.enter_context(CaptureQueriesContext(connection)) for connection in connections.all()]
            client.get(f"{PAGE}?weeks=52")
        return sum(len(one) for one in counts)

    few = asked()
    Robot.objects.bulk_create([Robot(robot_id=f"many-{number}", organisation=world.mine) for number in range(150)])
    RobotDay.objects.bulk_create(
        RobotDay(robot_id=f"many-{number}", day=world.today - timedelta(days=days), possible=1440, computed_at=timezone.now())
        for number in range(150)
        for days in range(20)
    )
    assert asked() <= few
