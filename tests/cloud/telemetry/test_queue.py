"""Before SQLite, which has one writer, threads and processes that ingest wait in a queue, and the next is woken at once."""

import fcntl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from croody.web.turns import Turn


def test_another_process_that_ingests_is_waited_for_and_woken_at_once(tmp_path: Path) -> None:
    path = tmp_path / "db.turn"
    entered: list[float] = []

    def enter() -> None:
        with Turn(str(path)):
            entered.append(time.monotonic())

    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=enter)
        thread.start()
        time.sleep(0.1)
        assert not entered
    freed = time.monotonic()
    thread.join(5)
    assert entered[0] - freed < 0.5


def test_a_turn_within_a_turn_is_the_same_and_ends_with_the_outer_one(tmp_path: Path) -> None:
    path = tmp_path / "db.turn"
    turn = Turn(str(path))
    with turn:
        with turn:
            pass
        with path.open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_turn_that_ends_with_an_error_is_over(tmp_path: Path) -> None:
    path = tmp_path / "db.turn"
    with suppress(KeyError), Turn(str(path)):
        raise KeyError
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
