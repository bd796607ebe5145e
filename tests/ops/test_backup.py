"""ops/backup.sh by itself, with programs of PostgreSQL that answer as they are told."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ops.clone import ROOT, Clone


@pytest.fixture
def folder(clone: Clone, tmp_path: Path) -> Path:
    """Where the backups are, in a copy of the script that looks there."""
    place = tmp_path / "backups"
    place.mkdir()
    script = (ROOT / "ops" / "backup.sh").read_text()
    (clone.folder / "ops" / "backup.sh").write_text(script.replace("folder=/backups\n", f"folder=${{FOLDER:-{place}}}\n"))
    for name in ("pg_dump", "pg_restore", "createdb", "dropdb"):
        clone.program(name, f"echo {name} >>{tmp_path}/did")
    clone.program("psql", 'case "$*" in *croody_verify*) echo 3 robots, 9 readings ;; *) echo 5000000 2000000 ;; esac')
    return place


def backup(clone: Clone, *words: str, **environ: str) -> tuple[int, str, str]:
    """Run it; status, output, messages."""
    told = clone.run("/bin/sh", str(clone.folder / "ops" / "backup.sh"), *words, environ={"PGHOST": "db", **environ})
    return told.status, told.printed, told.said


def test_a_backup_that_was_counted_stays(clone: Clone, folder: Path) -> None:
    status, printed, said = backup(clone, "once")

    assert status == 0, said
    (file,) = folder.iterdir()
    assert printed == f"{file.name}: 3 robots, 9 readings\n"


def test_it_lies_on_the_disk_before_an_older_one_goes(clone: Clone, folder: Path, tmp_path: Path) -> None:
    (folder / "croody-20260101T000000Z.pgdump").touch()
    clone.program("sync", f"ls -A {folder} | wc -l >>{tmp_path}/synced; exit 1")

    status, _, said = backup(clone, "once", BACKUP_KEEP="1")

    assert (status, "could not be written to the disk" in said) == (1, True)
    assert [file.name for file in folder.iterdir()] == ["croody-20260101T000000Z.pgdump"]

    clone.program("sync", f"ls -A {folder} | wc -l >>{tmp_path}/synced")
    assert backup(clone, "once", BACKUP_KEEP="1")[0] == 0
    assert (tmp_path / "synced").read_text().split() == ["2", "2", "2"]
    assert len(list(folder.iterdir())) == 1


def test_without_room_to_try_it_nothing_is_tried_and_nothing_stays(clone: Clone, folder: Path, tmp_path: Path) -> None:
    clone.program("psql", "echo 1048576 3145728")

    status, _, said = backup(clone, "once")
    _, _, spanish = backup(clone, "once", LANG="es_ES.UTF-8")

    assert status == 1
    assert "1024 MB free, and trying the backup takes 3072" in said
    assert "hay 1024 MB libres y probar la copia ocupa 3072" in spanish
    assert list(folder.iterdir()) == []
    assert "createdb" not in (tmp_path / "did").read_text()


def test_two_into_different_folders_do_not_try_theirs_at_once(clone: Clone, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    clone.program("pg_restore", f"echo begin >>{tmp_path}/tried; sleep 0.5; echo end >>{tmp_path}/tried")

    with ThreadPoolExecutor() as both:
        scheduled, asked = both.map(lambda place: backup(clone, "once", FOLDER=str(place)), (folder, tmp_path / "usb"))

    assert scheduled[0] == asked[0] == 0, scheduled[2] + asked[2]
    assert (tmp_path / "tried").read_text().split() == ["begin", "end"] * 2


@pytest.mark.parametrize(("words", "left"), [(["once"], 2), (["once", "apart"], 4)])
def test_only_the_folder_of_the_schedule_is_cleared(clone: Clone, folder: Path, words: list[str], left: int) -> None:
    for day in (1, 2, 3):
        (folder / f"croody-2026010{day}T000000Z.pgdump").touch()

    status, _, said = backup(clone, *words, BACKUP_KEEP="2")

    assert status == 0, said
    assert len(list(folder.iterdir())) == left


@pytest.mark.parametrize("at", ["yesterday", "24:00", "3:30", "03:60", "03:30:00", "now"])
def test_a_time_of_day_is_hours_and_minutes(clone: Clone, folder: Path, at: str) -> None:
    status, _, said = backup(clone, "watch", BACKUP_AT=at)

    assert status == 1
    assert re.search(rf"BACKUP_AT={at}: write HH:MM, in UTC", said)
