"""Backups of SQLite files: in which order they are copied, and that all of them are put back or none."""

import io
import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from croody.operations import backup


def fill(path: Path, robots: int) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE fleet_robot (robot_id text)")
        connection.executemany("INSERT INTO fleet_robot VALUES (?)", [(str(number),) for number in range(robots)])


def robots(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM fleet_robot").fetchone()
    return int(count)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The system's file and telemetry's, on two disks as it were."""
    found = [tmp_path / "one" / "croody.db", tmp_path / "two" / "telemetry.db"]
    for path in found:
        path.parent.mkdir()
        fill(path, 1)
    return found


def archive(files: list[Path]) -> io.BytesIO:
    out = io.BytesIO()
    backup.save(files, out)
    out.seek(0)
    return out


def test_telemetry_is_copied_first_for_its_jobs_write_in_the_other_one(files: list[Path]) -> None:
    with tarfile.open(fileobj=archive(files), mode="r|gz") as packed:
        assert [member.name for member in packed] == ["telemetry.db", "croody.db"]


def test_all_are_put_back_and_nothing_else_stays(files: list[Path]) -> None:
    saved = archive(files)
    for path in files:
        fill(path, 5)
        path.with_name(path.name + "-wal").write_bytes(b"of the old one")
    assert backup.restore(files, saved) == "1 robots, 1 robots"
    assert [robots(path) for path in files] == [1, 1]
    assert [[entry.name for entry in path.parent.iterdir()] for path in files] == [["croody.db"], ["telemetry.db"]]


def test_what_fails_at_the_second_leaves_both_as_they_were_with_their_logs(files: list[Path], monkeypatch: Any) -> None:
    saved, move = archive(files), os.replace
    for path in files:
        fill(path, 5)
    log = files[0].with_name("croody.db-wal")
    log.write_bytes(b"of the old one")

    def fails(source: Any, target: Any) -> None:
        if Path(target) == files[1] and Path(source).name == files[1].name:
            raise OSError("no room")
        move(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no room"):
        backup.restore(files, saved)
    assert log.read_bytes() == b"of the old one"
    log.unlink()
    assert [robots(path) for path in files] == [5, 5]
    assert [len(list(path.parent.iterdir())) for path in files] == [1, 1]
