"""Fifty buyers of the last five, in two processes on a real database: five get one, none is sold twice, numbers have no holes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

BUYERS = Path(__file__).with_name("buyers.py")
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", "--skip-checks", verbosity=0)
from tests.cloud.shop.conftest import make_shop
make_shop()
"""
COUNT = """
import django; django.setup()
from croody.shop.models import Order, Product, StockMove
board = Product.objects.get(slug="mini")
moves = sum(StockMove.objects.filter(product=board).values_list("change", flat=True))
print(board.stock, moves, *sorted(Order.objects.values_list("number", flat=True)))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    url = request.getfixturevalue("postgres_database") if request.param == "postgres" else f"sqlite:///{tmp_path / 'shop.db'}"
    environ = {**os.environ, "DATABASE_URL": url, "CROODY_STATE_DIR": str(tmp_path)}
    environ.pop("TG_DB_PATH", None)
    subprocess.run([sys.executable, "-c", PREPARE], env=environ, check=True, capture_output=True)
    return environ


def test_of_fifty_buyers_five_get_one_and_each_of_them_once(database: dict[str, str]):
    start_at = str(time.time() + 4)
    running = [
        subprocess.Popen(
            [sys.executable, str(BUYERS), start_at, "25", first], env=database, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for first in ("100", "200")
    ]
    outputs = [process.communicate(timeout=200) for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    said = [word for out, _errors in outputs for word in out.split()]
    bought = [word for word in said if word != "sold-out"]
    assert len(said) == 100, outputs
    # Each of the five was told the same number both times.
    assert sorted(bought) == sorted(2 * [f"2026-{number:06d}" for number in range(1, 6)])
    counted = subprocess.run([sys.executable, "-c", COUNT], env=database, check=True, capture_output=True, text=True).stdout
    assert counted.split() == ["0", "0", "1", "2", "3", "4", "5"]
