"""`./croody restore` refuses what it cannot use before it stops anything. What it does with a real database: tests/stack."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.ops.clone import Clone


def archive(folder: Path) -> Path:
    """A backup of SQLite, as far as anybody sees from outside."""
    path = folder / "croody-20261124T033000Z.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo("croody.db")
        entry.size = 200_000
        packed.addfile(entry, io.BytesIO(bytes(range(250)) * 800))
    return path


def assert_nothing_stopped(clone: Clone, file: Path, why: str, por_que: str) -> None:
    """Both languages say why, and docker was asked to stop or start nothing."""
    english, spanish = clone.run("restore", str(file)), clone.run("restore", str(file), environ={"LANG": "es_ES.UTF-8"})
    assert (english.status, spanish.status) == (1, 1)
    assert why in english.said
    assert por_que in spanish.said
    assert "Nothing was stopped" in english.said
    assert not english.asked(" stop") + english.asked(" up ") + english.asked("createdb")


@pytest.mark.parametrize("name", ["dump.sql", "croody-20261124T033000Z.tar.gz"])
def test_another_kind_of_file_is_refused_where_there_is_postgresql(clone: Clone, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("select 1;")

    assert_nothing_stopped(clone, tmp_path / name, "backups of this system end in .pgdump", "acaban en .pgdump")


def test_a_dump_is_refused_where_there_is_none(clone: Clone, tmp_path: Path) -> None:
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    (tmp_path / "croody-20261124T033000Z.pgdump").write_text("PGDMP")

    assert_nothing_stopped(clone, tmp_path / "croody-20261124T033000Z.pgdump", "end in .tar.gz", "acaban en .tar.gz")


def test_a_damaged_dump_is_refused(clone: Clone, tmp_path: Path) -> None:
    clone.answer("--entrypoint sh backup", "could not read from input file: end of file\n", 1)
    (tmp_path / "croody-20261124T033000Z.pgdump").write_text("PGDMP")

    assert_nothing_stopped(clone, tmp_path / "croody-20261124T033000Z.pgdump", "is damaged, or no backup", "está dañado o no es una copia")


def test_a_damaged_archive_is_refused(clone: Clone, tmp_path: Path) -> None:
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    whole = archive(tmp_path)
    whole.write_bytes(whole.read_bytes()[:-100])

    assert_nothing_stopped(clone, whole, "is damaged, or no backup", "está dañado o no es una copia")


def test_a_disk_without_room_for_a_second_database_is_told_of(clone: Clone, tmp_path: Path) -> None:
    clone.answer("--entrypoint sh backup", f"{2 * 1024**3}\n")
    clone.answer("df -Pk", "Filesystem 1024-blocks Used Available Capacity Mounted\n/dev/x 9 9 3145728 9% /\n")
    (tmp_path / "croody-20261124T033000Z.pgdump").write_text("PGDMP")

    told = clone.run("restore", str(tmp_path / "croody-20261124T033000Z.pgdump"))

    assert told.status == 1
    assert "3072 MB free, and 5184 are needed" in told.said
    assert not told.asked(" stop")


def test_a_file_is_meant_from_where_the_caller_is(clone: Clone, tmp_path: Path) -> None:
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    whole = archive(tmp_path)

    clone.answer("^inspect .*ExitCode", "exited 0\n")
    clone.answer("^logs croody-restore$", "3 robots, 9 readings\n")

    told = clone.run("restore", whole.name, cwd=tmp_path)

    assert told.status == 0, told.said
    assert f"restored from {whole}: 3 robots, 9 readings\n" in told.said


def test_what_cannot_be_loaded_leaves_what_there_was_and_starts_it_again(clone: Clone, tmp_path: Path) -> None:
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    clone.container("one", "croody")
    clone.answer("croody.operations.backup --restore", "backup: croody.db: damaged\n", 1)
    clone.answer("^inspect .*ExitCode", "exited 1\n")
    whole = archive(tmp_path)

    told = clone.run("restore", str(whole))

    assert told.status == 1
    assert "could not be loaded (the cause is above): use another backup. Nothing was restored" in told.said
    assert [call for call in told.calls if " up " in call] == ["compose --progress quiet up -d --wait --no-recreate"]


@pytest.mark.parametrize(("ended", "status", "says"), [("exited 0", 0, "restored from"), ("created 0", 1, "Nothing was restored")])
def test_an_interrupted_one_says_what_was_done(clone: Clone, tmp_path: Path, ended: str, status: int, says: str) -> None:
    """Compose ends with 130, and what it began goes on without it, unless it never began."""
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    clone.answer("croody.operations.backup --restore", "", 130)
    clone.answer("^inspect .*ExitCode", f"{ended}\n")

    told = clone.run("restore", str(archive(tmp_path)))

    assert told.status == status
    assert says in told.said
    assert told.calls.index("wait croody-restore") < told.calls.index(told.asked("ExitCode")[0])
    assert told.calls[-1].startswith("compose up") or status == 1


@pytest.mark.parametrize("healthy", [True, False])
def test_the_former_database_goes_when_the_restored_one_is_known_to_work(clone: Clone, tmp_path: Path, healthy: bool) -> None:
    dump = tmp_path / "croody-20261124T033000Z.pgdump"
    dump.write_text("PGDMP")
    clone.answer("--entrypoint sh backup", "1000\n")
    clone.answer("df -Pk", "Filesystem 1024-blocks Used Available Capacity Mounted\n/dev/x 9 9 3145728 9% /\n")
    clone.answer("from fleet_robot", "3\n")
    clone.answer("from telemetry_record", "9\n")
    if not healthy:
        clone.answer("^compose up -d --wait$", "croody is unhealthy\n", 1)

    told = clone.run("restore", str(dump))
    spanish = clone.run("restore", str(dump), environ={"LANG": "es_ES.UTF-8"})

    assert told.status == (not healthy), told.said
    assert f"restored from {dump}: 3 robots, 9 readings" in told.said
    dropped = told.asked("dropdb -U postgres --if-exists --force croody_before")
    assert bool(dropped) == healthy
    assert not dropped or told.calls.index(dropped[0]) > told.calls.index("compose up -d --wait")
    assert ("the former database is kept as croody_before until the next restore" in told.said) != healthy
    assert ("la base de datos anterior se guarda como croody_before hasta la próxima restauración" in spanish.said) != healthy
