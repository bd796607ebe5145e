"""Several processes at once on a real database: no row is claimed twice, no alarm is opened twice."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUSH = Path(__file__).with_name("rush.py")
PREPARE = """
import django; django.setup()
from datetime import datetime, timedelta, UTC
from django.core.management import call_command
call_command("migrate", "--skip-checks", verbosity=0)
from croody.fleet import services
from croody.accounts.models import Organisation
from croody.commands.services import send
robot, _ = services.add_robot("rover-1", organisation=Organisation.objects.create(name="A", slug="a"))
now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
for _ in range(100): send(robot, "stop", {}, now + timedelta(seconds=60), now=now)
"""
COUNT = """
import django; django.setup()
from croody.alarms.models import Alarm
print(*[(row.count, row.resolved_at) for row in Alarm.objects.all()])
"""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    url = request.getfixturevalue("postgres_database") if request.param == "postgres" else f"sqlite:///{tmp_path / 'rush.db'}"
    environ = {**os.environ, "DATABASE_URL": url, "CROODY_STATE_DIR": str(tmp_path)}
    environ.pop("TG_DB_PATH", None)
    subprocess.run([sys.executable, "-c", PREPARE], env=environ, check=True, capture_output=True)
    return environ


def test_four_processes_claim_every_row_once_and_open_one_alarm(database: dict[str, str]):
    start_at = str(time.time() + 2.5)
    running = [
        subprocess.Popen(
            [sys.executable, str(RUSH), start_at, "25"], env=database, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0], outputs
    claimed = [int(number) for out, _ in outputs for number in out.split()]
    assert len(claimed) == 100
    assert len(set(claimed)) == 100
    alarms = subprocess.run([sys.executable, "-c", COUNT], env=database, check=True, capture_output=True, text=True).stdout
    assert alarms.strip() == "(100, None)"
