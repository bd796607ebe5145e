"""What `./croody` does before and around docker: settings, paths, versions, one at a time."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ops.clone import Clone

SPANISH = {"LANG": "es_ES.UTF-8"}


def test_it_is_found_through_a_link(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "croody"
    link.symlink_to(clone.folder / "croody")

    told = clone.run(str(link), "help", cwd=tmp_path)

    assert told.status == 0, told.said
    assert "./croody up" in told.printed


@pytest.mark.parametrize("version", ["2.24.3", "v2.23.4", "1.29.2", "2.24.3+ds1-0ubuntu1"])
def test_a_compose_that_is_too_old_is_named(clone: Clone, version: str) -> None:
    clone.answer("^compose version", f"{version}\n")

    english, spanish = clone.run("up"), clone.run("up", environ=SPANISH)

    assert (english.status, spanish.status) == (1, 1)
    assert english.said == f"croody: Compose {version} is too old, and 2.24.4 or later is needed: bring the Compose plugin up to date\n"
    assert f"Compose {version} es demasiado antiguo" in spanish.said
    assert not english.asked(" up ")


@pytest.mark.parametrize("version", ["2.24.4", "v2.24.4", "2.24.6+ds1-0ubuntu2", "2.40.0-desktop.1", "5.6.1", "dev"])
def test_a_compose_that_is_new_enough_is_let_through(clone: Clone, version: str) -> None:
    clone.answer("^compose version", f"{version}\n")

    assert clone.run("ps").status == 0


def compose_here() -> bool:
    """Whether the real Compose is on this machine; reading a file takes no engine."""
    return (
        bool(shutil.which("docker")) and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not compose_here(), reason="no Docker Compose on this machine")
def test_settings_mean_what_they_mean_to_compose(clone: Clone) -> None:
    real = shutil.which("docker")
    clone.program("docker", f'case "$*" in compose\\ -f*) exec {real} "$@" ;; *) exec python3 {clone.bin}/fake_docker.py "$@" ;; esac')
    text = """\
export SECRETS_DIR="./my ${KIND} & 'best' secrets" # where they are
KIND='$old'
CROODY_VERSION=2.0 # a tag
"""
    (clone.folder / ".env").write_text('KIND="old"\n' + text.replace("KIND='$old'\n", ""))

    told = clone.run("secrets", "init")

    assert told.status == 0, told.said
    assert (clone.folder / "my old & 'best' secrets" / "SECRET_KEY").is_file()


def test_an_environment_variable_is_a_setting_too(clone: Clone, tmp_path: Path) -> None:
    told = clone.run("secrets", "init", environ={"SECRETS_DIR": f'{tmp_path}/a "b" $c'})

    assert told.status == 0, told.said
    assert (tmp_path / 'a "b" $c' / "SECRET_KEY").is_file()


@pytest.mark.parametrize("command", [["up"], ["update"], ["restart"], ["restore", "x.pgdump"]])
def test_who_comes_second_is_turned_away_at_once(clone: Clone, command: list[str]) -> None:
    (clone.folder / ".run").mkdir()
    with (clone.folder / ".run" / "croody.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        english, spanish = clone.run(*command), clone.run(*command, environ=SPANISH)
        asks = clone.run("ps")

    assert (english.status, spanish.status) == (1, 1)
    assert "another command (up, update, restart or restore) is changing this system" in english.said
    assert "espera a que termine" in spanish.said
    assert not english.asked("compose up")
    assert asks.status == 0


def test_two_systems_in_one_folder_do_not_wait_for_each_other(clone: Clone) -> None:
    (clone.folder / ".run").mkdir()
    with (clone.folder / ".run" / "croody.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = clone.run("up", environ={"COMPOSE_PROJECT_NAME": "another"})

    assert told.status == 0, told.said


def test_a_restart_of_nothing_says_how_to_start(clone: Clone) -> None:
    english, spanish = clone.run("restart"), clone.run("restart", environ=SPANISH)

    assert english.status == 1
    assert english.said == "croody: nothing runs here: ./croody up starts it\n"
    assert "./croody up arranca" in spanish.said


def test_a_folder_for_a_backup_is_meant_from_where_the_caller_is(clone: Clone, tmp_path: Path) -> None:
    clone.answer("backup once", "croody-20261124T033000Z.pgdump: 3 robots, 9 readings\n")

    here, named = clone.run("backup"), clone.run("backup", "mine", cwd=tmp_path)

    assert here.printed == f"{clone.folder}/backups/croody-20261124T033000Z.pgdump: 3 robots, 9 readings\n"
    assert here.asked("backup once")[0].endswith("backup once")
    assert named.printed == f"{tmp_path}/mine/croody-20261124T033000Z.pgdump: 3 robots, 9 readings\n"
    assert named.asked("backup once")[0].endswith("backup once apart"), "nothing is removed there"


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="croody-ops-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("closed", ["secrets", "secrets/SECRET_KEY"])
def test_secrets_that_are_closed_are_not_called_missing(public: Path, closed: str) -> None:
    clone = Clone(public)
    # Another user may not read what the other tests' docker is made of.
    clone.program("docker", 'case "$*" in *version*) echo 2.24.4 ;; *) echo "{}" ;; esac')
    assert clone.run("secrets", "init").status == 0
    (clone.folder / "secrets").chmod(0o755)
    (clone.folder / closed).chmod(0o000)
    for name in ("answers", "calls"):
        (clone.bin / name).chmod(0o666)
    another: dict[str, Any] = {"user": 65534} if os.getuid() == 0 else {}

    told = clone.run("secrets", "check", **another)
    spanish = clone.run("secrets", "check", environ=SPANISH, **another)

    owner = (clone.folder / "secrets").owner()
    assert told.status == 1
    assert f"{closed} belongs to {owner}" in told.said
    assert "sudo chown -R" in told.said
    assert "missing" not in told.said
    assert f"es de {owner}" in spanish.said
    (clone.folder / closed).chmod(0o755)


@pytest.mark.parametrize("command", ["up", "update", "ps", "down"])
def test_the_containers_of_another_clone_are_left_alone(clone: Clone, tmp_path: Path, command: str) -> None:
    (tmp_path / "another" / "croody").mkdir(parents=True)
    (tmp_path / "another" / "croody" / "docker-compose.yml").touch()
    clone.container("one", "croody", folder=tmp_path / "another" / "croody")

    english, spanish = clone.run(command), clone.run(command, environ=SPANISH)
    named = clone.run("ps", environ={"COMPOSE_PROJECT_NAME": "croody"})

    assert (english.status, spanish.status, named.status) == (1, 1, 0)
    assert f"the system of {tmp_path}/another/croody is called croody on this machine already" in english.said
    assert "COMPOSE_PROJECT_NAME=croody-2" in spanish.said
    assert not [call for call in english.calls if call.startswith(f"compose {command}")]


def test_a_clone_that_was_moved_is_still_itself(clone: Clone, tmp_path: Path) -> None:
    clone.container("one", "croody", folder=tmp_path / "where" / "it" / "was")

    assert clone.run("ps").status == 0


def test_a_system_that_an_earlier_version_called_croody_keeps_its_name(clone: Clone) -> None:
    clone.folder = clone.folder.rename(clone.folder.with_name("Robots of the plant"))
    assert "label=com.docker.compose.project=robotsoftheplant " in " ".join(clone.run("update").asked("prune")) + " "

    clone.container("one", "bridge")
    told = clone.run("update")

    assert told.asked("prune") == ["image prune -f --filter label=com.docker.compose.project=croody"]
    assert "write COMPOSE_PROJECT_NAME=croody into .env" in told.said


@pytest.mark.parametrize(
    ("hosts", "told"),
    [("localhost,127.0.0.1", True), ("robots.example.org.evil", True), ("localhost, robots.example.org", False), ("", False)],
)
def test_allowed_hosts_without_the_sites_own_name_are_told(clone: Clone, hosts: str, told: bool) -> None:
    clone.answer("^compose config --format json$", '"CROODY_DEMO": "0"')
    assert clone.run("secrets", "init").status == 0

    environ = {"ALLOWED_HOSTS": hosts, "CROODY_DOMAIN": "robots.example.org"}
    english, spanish = clone.run("up", environ=environ), clone.run("update", environ={**environ, **SPANISH})

    assert (english.status, spanish.status) == (0, 0), english.said
    assert ("lacks the site's own name, robots.example.org" in english.said) == told
    assert ("le falta el nombre del sitio, robots.example.org" in spanish.said) == told


@pytest.mark.parametrize(
    ("built", "told"), [("0123abc", False), ("0123abcdef0123abcdef0123abcdef0123abcdef", False), ("", False), ("fedcba9", True)]
)
def test_images_of_another_commit_are_told_of(clone: Clone, built: str, told: bool) -> None:
    clone.program("git", "echo 0123abc")
    clone.answer("^image inspect .*image.revision.* croody-cloud:dev$", f"{built}\n")

    english, spanish = clone.run("up"), clone.run("up", environ=SPANISH)

    assert (english.status, spanish.status) == (0, 0), english.said
    assert ("croody-cloud:dev is of fedcba9, and this folder is at 0123abc: ./croody update builds it anew" in english.said) == told
    assert ("es de fedcba9 y esta carpeta está en 0123abc" in spanish.said) == told
