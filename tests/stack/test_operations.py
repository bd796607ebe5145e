"""What an operator of a production system does: restart, update, back up, ask how it is. People and robots go on meanwhile."""

import os
import re
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stack.load import load
from tests.stack.system import CLOUD, OWN, PRODUCTION, System, eventually, overlay

pytestmark = pytest.mark.stack
SERVICES = [*CLOUD, "db"]


def containers(system: System, service: str) -> list[str]:
    """Ids of all containers of a service, also those that do not run."""
    return system.compose("ps", "-aq", service).split()


def test_a_start_of_what_runs_already_replaces_nothing(production: System) -> None:
    before = {service: containers(production, service) for service in [*SERVICES, "backup"]}

    production.croody("up")

    assert {service: containers(production, service) for service in before} == before


def test_a_restart_under_load_fails_no_request_and_clears_away_what_a_killed_one_left(production: System, folder: Path) -> None:
    services = ("croody", "telemetry-gateway")
    before = {service: containers(production, service) for service in services}
    production.compose("up", "--no-start", "--no-deps", "--no-recreate", "--scale", "croody=2", "croody")
    (left,) = set(containers(production, "croody")) - set(before["croody"])
    production.run("docker", "network", "disconnect", f"{production.project}_back", left)
    production.run("docker", "start", left)

    with load(production, folder, "croody and telemetry-gateway restarted"):
        production.croody("restart", *services)

    for service in services:
        assert len(containers(production, service)) == 1, service
        assert not {*before[service], left} & {*containers(production, service)}, service


@pytest.mark.parametrize("met", [False, True], ids=["before the new one is met", "after it"])
def test_a_restart_that_is_interrupted_fails_no_request_and_leaves_one(production: System, folder: Path, met: bool) -> None:
    (before,) = containers(production, "croody")

    def fresh_one() -> str:
        """The second container."""
        return next((container for container in containers(production, "croody") if container != before), "")

    command = ["./croody", "restart", "croody"]
    options: dict[str, Any] = {"cwd": production.folder, "env": production.environ, "stdin": subprocess.DEVNULL, "start_new_session": True}
    with (
        load(production, folder, f"a restart of croody that is interrupted {'after' if met else 'before'} the new one is met"),
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options) as restart,
    ):
        assert restart.stderr is not None
        fresh = eventually("the new one", fresh_one, 60, every_s=0.1)
        heard = next((line for line in restart.stderr if "the new one serves" in line), "") if met else ""
        os.killpg(restart.pid, signal.SIGINT)
        said = restart.stderr.read()
        assert restart.wait(60) == 130, said

    assert bool(heard) == met
    # On a busy machine the old one may have left before the signal came: then none is too many, and nothing is said of it.
    assert "croody: interrupted; the one too many is removed" in said or (met and not said)
    assert containers(production, "croody") == [fresh if met else before]
    assert production.get("/").status == 200


def test_a_secret_that_changed_reaches_what_reads_it_and_nothing_else_is_replaced(production: System, folder: Path) -> None:
    before = {service: containers(production, service) for service in SERVICES}
    token = "a-token-of-another-day-" * 2
    for name, value in (("TG_INGEST_TOKEN", token), ("BRIDGE_TOKEN", "the-bridge-of-another-day-" * 2)):
        fresh = folder / "secrets" / f".{name}.new"
        fresh.write_text(f"{value}\n")
        fresh.rename(folder / "secrets" / name)

    with pytest.raises(AssertionError) as seen:
        production.croody("status")
    with load(production, folder, "two secrets changed"):
        production.croody("up")

    assert "✗ the secret TG_INGEST_TOKEN has changed since croody, telemetry-gateway started: ./croody up" in str(seen.value)
    assert "✗ the secret BRIDGE_TOKEN has changed since bridge, telemetry-gateway started: ./croody up" in str(seen.value)
    assert {service for service in SERVICES if containers(production, service) != before[service]} == {
        "bridge",
        "croody",
        "telemetry-gateway",
    }
    assert production.post("/api/telemetry/ingest", {"robot_id": "amr-01", "data": {"TEMP": 20.5}}, X_API_Key=token).status == 201
    robot_id, secret = (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines()[0].split()
    production.publishes(robot_id, secret)


def test_status_names_the_container_that_a_killed_restart_left_and_up_removes_it(production: System) -> None:
    (before,) = containers(production, "croody")
    command = ["./croody", "restart", "croody"]
    options: dict[str, Any] = {"cwd": production.folder, "env": production.environ, "stdin": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options) as restart:
        assert restart.stderr is not None
        assert next((line for line in restart.stderr if "the new one serves" in line), "")
        os.killpg(restart.pid, signal.SIGKILL)

    with pytest.raises(AssertionError) as seen:
        production.croody("status")
    production.croody("up")

    assert f"✗ croody: container {before[:12]} is one too many, left by a command that was killed: ./croody up" in str(seen.value)
    (after,) = containers(production, "croody")
    assert after != before
    assert production.get("/").status == 200


def test_an_update_under_load_fails_no_request(production: System, folder: Path) -> None:
    before = {service: containers(production, service) for service in SERVICES}

    with load(production, folder, "an update that changes two of croody, telemetry-gateway, ids-ml and worker"):
        production.croody("up", "--scale", "croody=2")
        # It stays: what the next tests look at is a system after its first update.
        production.environ["CROODY_RETENTION_DAYS"] = "31"
        production.croody("update", timeout_s=900)
        two = containers(production, "croody")
        production.croody("up", "--scale", "croody=1")

    after = {service: containers(production, service) for service in before}
    assert len(two) == 2, "as many as there were before it"
    # broker, bridge and certificate too: their images were built for a project of another name, which is written in them.
    assert {"db", "gateway"} == {service for service in before if before[service] == after[service]} - {"broker", "bridge", "certificate"}
    assert all(len(found) == 1 for found in after.values())
    assert production.inside("croody", "sh", "-c", "echo $CROODY_RETENTION_DAYS").strip() == "31"


@pytest.mark.parametrize("command", ["echo this version is broken >&2; exit 3", "echo this version never listens >&2; sleep 900"])
def test_a_version_that_does_not_become_healthy_leaves_the_old_one_serving(
    production: System, folder: Path, tmp_path: Path, command: str
) -> None:
    before = containers(production, "croody")
    text = f"services:\n  croody:\n    command: !override [sh, -c, '{command}']\n"

    with (
        overlay(production, tmp_path, text, CROODY_PATIENCE_S="15"),
        load(production, folder, "an update to a version that fails"),
        pytest.raises(AssertionError) as refused,
    ):
        production.croody("update", timeout_s=900)

    assert "this version" in str(refused.value), "its log says why"
    assert "the old one goes on serving" in str(refused.value)
    assert containers(production, "croody") == before
    assert production.get("/").status == 200


def backups(folder: Path) -> list[Path]:
    return sorted((folder / "backups").glob("croody-*"))


def test_a_backup_is_made_by_itself_and_again_when_it_is_due(production: System, folder: Path) -> None:
    # Of a server without robots and people there is none by the clock.
    production.croody("robot", "add", "worth-a-backup")
    first = eventually("the first backup", lambda: backups(folder), 60)[-1]
    told = production.compose("logs", "--no-log-prefix", "backup")
    assert re.search(rf"{first.name}: \d+ robots, \d+ readings", told), "restored and counted"
    assert first.stat().st_mode & 0o077 == 0, "nobody else may read it"

    day_ago = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    for file in backups(folder):
        os.utime(file, (day_ago, day_ago))
    second = eventually("the second backup", lambda: backups(folder)[-1] if backups(folder)[-1] != first else None, 60)

    assert second.stat().st_size > 10_000


def test_old_backups_make_room_for_new_ones(production: System, folder: Path) -> None:
    production.environ["BACKUP_KEEP"] = "2"
    try:
        made = [production.croody("backup").split(":")[0] for _ in range(3)]
    finally:
        del production.environ["BACKUP_KEEP"]

    assert [str(file) for file in backups(folder)] == made[1:]


def test_a_backup_that_cannot_be_used_costs_nothing(production: System, folder: Path, tmp_path: Path) -> None:
    def state() -> tuple[object, ...]:
        return [containers(production, service) for service in SERVICES], production.sql("select count(*) from telemetry_record")

    cut, strange = tmp_path / "cut.pgdump", tmp_path / "strange.pgdump"
    cut.write_bytes(backups(folder)[-1].read_bytes()[:-5000])
    make = "createdb -U postgres strange; psql -U postgres -d strange -qc 'create table nothing ()'; pg_dump -U postgres -Fc strange"
    dump = subprocess.run(
        ["docker", "exec", production.container("db"), "sh", "-c", f"{make}; dropdb -U postgres strange"], capture_output=True, check=True
    ).stdout
    strange.write_bytes(dump)
    before, started = state(), production.inspect("gateway")["State"]["StartedAt"]

    with pytest.raises(AssertionError, match="Nothing was stopped"):
        production.croody("restore", str(cut))
    assert production.inspect("gateway")["State"]["StartedAt"] == started
    with pytest.raises(AssertionError, match="Nothing was restored, and what there was is still there"):
        production.croody("restore", str(strange))

    assert state() == before
    assert production.sql("select datname from pg_database where datname like 'croody%'") == [["croody"]]
    assert production.get("/").status == 200


def test_a_backup_that_fails_is_seen(production: System, folder: Path) -> None:
    place = folder / "backups"
    kept = [file.rename(folder / file.name) for file in backups(folder)]
    try:
        place.chmod(0o500)
        eventually("the service says so", lambda: production.inspect("backup")["State"]["Health"]["Status"] == "unhealthy", 90)
        with pytest.raises(AssertionError, match="exit status 1") as seen:
            production.croody("status")
    finally:
        place.chmod(0o700)
        for file in kept:
            file.rename(place / file.name)

    said = production.compose("logs", "--no-log-prefix", "--tail", "5", "backup")
    assert f"cannot be written by user {place.stat().st_uid}" in said
    assert "BACKUP_USER" in said
    assert "✗ backup is unhealthy: ./croody logs" in str(seen.value)
    assert "✗ there is no backup in" in str(seen.value)
    production.croody("restart", "backup")


def test_status_tells_what_an_operator_asks_first_in_two_languages(production: System, folder: Path) -> None:
    eventually("all is well", lambda: "everything is well" in production.croody("status", check=False), 60, every_s=2)
    english = production.croody("status")
    production.environ["LANG"] = "es_ES.UTF-8"
    try:
        spanish = production.croody("status")
        helped = production.croody("help")
    finally:
        production.environ["LANG"] = "C.UTF-8"

    rows = dict(re.findall(r"^(\S.*?)  +(.*)$", english, re.MULTILINE))
    assert {"version", "croody", "db", "robots", "readings", "waiting", "certificate", "disk", "last backup"} <= set(rows)
    assert re.fullmatch(r"healthy +for \d+ .+", rows["bridge"])
    assert int(re.findall(r"(\d+) days left", rows["certificate"])[0]) > 14
    assert re.search(r"todo va bien", spanish)
    assert re.search(r"^última copia +hace \d+", spanish, re.MULTILINE)
    assert "arranca" in helped


def test_status_says_what_is_wrong_and_ends_with_1(production: System, folder: Path) -> None:
    newest = backups(folder)[-1]
    old = newest.with_name("croody-20200101T000000Z.pgdump")
    aside = [file.rename(folder / file.name) for file in backups(folder)[:-1]]
    newest.rename(old)
    production.compose("stop", "bridge")
    try:
        with pytest.raises(AssertionError, match="exit status 1") as seen:
            production.croody("status")
    finally:
        production.compose("start", "bridge")
        old.rename(newest)
        for file in aside:
            file.rename(folder / "backups" / file.name)

    said = str(seen.value)
    assert "✗ bridge does not run (exited): ./croody logs" in said
    assert re.search(r"✗ the last backup is \d+ days old, and there should be one every 24 h", said)


def test_status_says_when_what_runs_is_not_what_the_files_say(production: System, tmp_path: Path) -> None:
    text = "services:\n  worker:\n    environment: { NEW: '2' }\n"
    said = "✗ worker: running with another image or configuration"
    with overlay(production, tmp_path, text), pytest.raises(AssertionError, match=said):
        production.croody("status")


def test_plain_compose_refuses_bad_secrets_before_it_makes_a_database(images: None, tmp_path: Path) -> None:
    system = System(f"{OWN}-refused", PRODUCTION, SECRETS_DIR=str(tmp_path), CROODY_DOMAIN="localhost")
    system.croody("secrets", "init")
    (tmp_path / "SECRET_KEY").write_text("change-me-in-prod")
    (tmp_path / "POSTGRES_PASSWORD").write_text("")
    (tmp_path / "ADMIN_PASSWORD").write_text("short")
    try:
        with pytest.raises(AssertionError) as refused:
            system.compose("up", "-d")
        said = system.compose("logs", "--no-log-prefix", "secrets")
        states = system.compose("ps", "-a", "--format", "{{.Service}} {{.State}}").split("\n")
    finally:
        system.down()

    assert 'service "secrets"' in str(refused.value)
    assert "SECRET_KEY: a placeholder" in said
    assert "POSTGRES_PASSWORD: missing" in said
    assert "ADMIN_PASSWORD: 5 characters, and 12 or more are needed" in said
    assert "./croody secrets init" in said
    assert "secrets exited" in states
    assert not [state for state in states if state.endswith("running")]


def test_plain_compose_names_a_secret_file_that_is_not_there(images: None, tmp_path: Path) -> None:
    system = System(f"{OWN}-refused", PRODUCTION, SECRETS_DIR=str(tmp_path), CROODY_DOMAIN="localhost")
    system.croody("secrets", "init")
    (tmp_path / "BRIDGE_TOKEN").unlink()
    try:
        with pytest.raises(AssertionError) as refused:
            system.compose("up", "-d")
    finally:
        system.down()

    assert str(tmp_path / "BRIDGE_TOKEN") in str(refused.value)
