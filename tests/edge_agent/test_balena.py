"""What a service becomes on a board under balenaOS, from the variables of the board alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from croody_edge.balena import open_lock_folder, plan, write
from croody_edge.variables import BadSetting

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def test_the_agent_is_the_agent_with_the_boards_variables() -> None:
    ready = plan("agent", {"ROBOT_ID": "amr-01"})
    assert (tuple(ready.command), dict(ready.environ), dict(ready.files)) == (("croody-edge", "run"), {"ROBOT_ID": "amr-01"}, {})


def test_a_boards_serial_is_the_beginning_of_its_balena_id_unless_it_has_one() -> None:
    assert plan("agent", {"BALENA_DEVICE_UUID": "cb6f09d18ab4c08556f54a5b"}).environ["CROODY_SERIAL"] == "cb6f09d18ab4"
    assert plan("agent", {"BALENA_DEVICE_UUID": "cb6f09d18ab4", "CROODY_SERIAL": "A-7"}).environ["CROODY_SERIAL"] == "A-7"


@pytest.mark.parametrize("written", [PEM, PEM.replace("\n", "\\n"), f"\n{PEM}\n"])
def test_an_authority_in_a_variable_becomes_the_file_that_the_agent_reads(written: str) -> None:
    ready = plan("agent", {"CROODY_CA_PEM": written})
    assert dict(ready.environ) == {"CROODY_CA_FILE": "/tmp/ca.pem"}
    assert dict(ready.files) == {"/tmp/ca.pem": PEM + "\n"}


def test_sources_in_a_variable_become_the_file_that_the_agent_reads() -> None:
    ready = plan("agent", {"CROODY_SOURCES_TOML": "[[source]]\nkind = 'host'\n"})
    assert dict(ready.environ) == {"CROODY_SOURCES": "/tmp/sources.toml"}
    assert dict(ready.files) == {"/tmp/sources.toml": "[[source]]\nkind = 'host'\n"}


@pytest.mark.parametrize("written", ["ca.pem", PEM[:-9], "-----BEGIN PRIVATE KEY-----\nsecret"])
def test_what_is_no_certificate_is_refused(written: str) -> None:
    with pytest.raises(BadSetting, match="CROODY_CA_PEM is"):
        plan("agent", {"CROODY_CA_PEM": written})


@pytest.mark.parametrize("value", [None, "", " \n , "])
def test_the_simulator_sleeps_unless_robots_are_named(value: str | None) -> None:
    ready = plan("simulator", {} if value is None else {"CROODY_SIMULATOR": value})
    assert ready.command[0] == "sh"
    assert ready.files == {}


def test_the_simulator_runs_the_robots_that_are_named_and_shows_their_secrets_to_nobody() -> None:
    ready = plan("simulator", {"CROODY_SIMULATOR": "v-01 s3cret, v-02 other\n"})
    assert tuple(ready.command) == ("croody-sim", "--credentials", "/tmp/robots", "--state", "/data")
    assert dict(ready.files) == {"/tmp/robots": "v-01 s3cret\nv-02 other\n"}
    assert "s3cret" not in str(ready.command) + str(ready.environ)


def test_a_robot_without_a_secret_is_refused_and_no_secret_is_shown() -> None:
    with pytest.raises(BadSetting) as refused:
        plan("simulator", {"CROODY_SIMULATOR": "v-01 s3cret, v-02"})
    assert "ID SECRET" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_another_service_is_refused_by_its_name() -> None:
    with pytest.raises(BadSetting, match="'cloud' is not a service: agent, simulator"):
        plan("cloud", {})


@pytest.mark.parametrize("command", ["status", "doctor", "bundle"])
def test_whoever_enters_the_container_asks_as_the_agents_user(command: str) -> None:
    assert tuple(plan(command, {}, ["--json"]).command) == ("croody-edge", command, "--json")


def test_files_are_for_the_user_alone_and_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    write({str(tmp_path / "a"): "secret\n"})
    assert (tmp_path / "a").read_text() == "secret\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "a")
    write({str(tmp_path / "link"): "x"})
    assert ((tmp_path / "a").read_text(), (tmp_path / "link").read_text()) == ("secret\n", "x")
    assert len(list(tmp_path.iterdir())) == 2


def test_the_lock_folder_is_opened_by_its_owner_and_a_missing_one_is_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "balena"
    folder.mkdir(mode=0o755)
    open_lock_folder(str(folder / "updates.lock"))
    assert folder.stat().st_mode & 0o7777 == 0o1777
    open_lock_folder(str(tmp_path / "nowhere" / "updates.lock"))
    open_lock_folder("")


def test_it_clears_a_dead_runs_lock_says_so_and_says_what_is_wrong(tmp_path: Path) -> None:
    lock = tmp_path / "updates.lock"
    lock.touch()
    if os.geteuid() == 0:
        # The one who steps down is 10001: a file of theirs, in a folder that they may look into.
        os.chown(lock, 10001, 10001)
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o755)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "CROODY_UPDATE_LOCK": str(lock)}
    command = [sys.executable, "-m", "croody_edge.balena", "cloud"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78, done.stderr
    assert "was left by a run that died" in done.stderr
    assert "is not a service" in done.stderr
    assert not lock.exists()
