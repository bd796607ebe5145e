"""A container of `docker compose run`, such as that of a backup that somebody asked for, is not the service."""

import pytest

from tests.ops.clone import Clone
from tests.ops.test_restore import archive


@pytest.fixture
def system(clone: Clone) -> Clone:
    """One croody and one backup, as the files say; beside them, newer, those of `./croody backup` and of a `createsuperuser`."""
    clone.container("current", "croody")
    clone.container("scheduled", "backup")
    clone.container("asked", "backup", of_run=True)
    clone.container("person", "croody", of_run=True)
    clone.container("ended", "croody", "exited", of_run=True)
    clone.answer("^inspect .*IPAddress.* (current|new)$", "croody_back 10.0.0.5\n")
    clone.answer("^inspect .*config-hash.* (asked|person|ended)$", "of-run image croody-cloud:dev\n")
    clone.answer("^inspect .*config-hash.* current$", "hash image croody-cloud:dev\n")
    clone.answer("^image inspect", "image\n")
    return clone


def test_a_start_leaves_it_alone_and_does_not_count_it(system: Clone) -> None:
    told = system.run("up")

    assert told.status == 0, told.said
    assert [call for call in told.calls if " up " in call] == ["compose up -d --wait"]
    assert not told.asked("migrate") + told.asked("stop ") + told.asked("rm -f")
    assert told.said == ""


def test_a_restart_makes_one_for_the_service_and_removes_no_other(system: Clone) -> None:
    told = system.run("restart", "croody")

    assert told.asked("--no-start") == ["compose --progress quiet up --no-start --no-deps --no-recreate --scale croody=2 croody"]
    assert not [call for call in told.calls if call.split()[0] in {"stop", "rm"}]


def test_a_restart_of_all_is_not_of_what_only_runs_by_itself(clone: Clone) -> None:
    clone.container("person", "croody", of_run=True)

    told = clone.run("restart")

    assert told.status == 1
    assert "nothing runs here" in told.said


def test_a_restore_that_fails_starts_nothing_for_it(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone.answer("^compose config --services$", "gateway\ncroody\n")
    clone.answer("croody.operations.backup --restore", "backup: croody.db: damaged\n", 1)
    clone.container("person", "croody", of_run=True)

    told = clone.run("restore", str(archive(tmp_path_factory.mktemp("backups"))))

    assert told.status == 1
    assert "Nothing was restored" in told.said
    assert not told.asked(" up ")
