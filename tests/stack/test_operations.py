"""What an operator of a production system does: restart, update, back up, ask how it is. People and robots go on meanwhile."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stack.load import Load
from tests.stack.system import CLOUD, FIGURES, OWN, PRODUCTION, System, eventually

pytestmark = pytest.mark.stack
ROBOT = "amr-20"
SERVICES = [*CLOUD, "db"]


@contextmanager
def load(system: System, folder: Path, what: str) -> Iterator[Load]:
    """A steady load around a command; afterwards nothing has failed, and what was accepted is in the database, once."""
    secrets = dict(line.split() for line in (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines())
    query = f"select coalesce(max(seq), 0) from telemetry_record where robot_id = '{ROBOT}' and stream = 'http'"
    before = system.sql(query)[0][0]
    with Load(system, ROBOT, secrets[ROBOT]) as asked:
        yield asked
    where = f"robot_id = '{ROBOT}' and stream = 'http' and seq > {before}"
    stored = [int(row[0]) for row in system.sql(f"select (data->>'NUMBER')::numeric::int from telemetry_record where {where}")]
    FIGURES.append(
        f"{what}: {len(asked.outcomes)} requests, {len(asked.failed)} failed, slowest {asked.slowest():.2f} s; "
        f"{len(asked.accepted)} readings accepted, {len(asked.accepted - set(stored))} of them not stored"
    )
    assert not asked.failed, asked.failed[:5]
    assert asked.accepted == set(stored)
    assert len(stored) == len(set(stored)), "a reading is there twice"
    assert len(asked.accepted) > 50, "the load was no load"


@contextmanager
def overlay(system: System, tmp_path: Path, text: str, **environ: str) -> Iterator[None]:
    """Another version: the same files, and one more."""
    (tmp_path / "another.yml").write_text(text)
    before = dict(system.environ)
    system.environ |= {"COMPOSE_FILE": f"{before['COMPOSE_FILE']}:{tmp_path / 'another.yml'}", **environ}
    try:
        yield
    finally:
        system.environ = before


def containers(system: System, service: str) -> list[str]:
    """Ids of all containers of a service, also those that do not run."""
    return system.compose("ps", "-aq", service).split()


def test_a_restart_under_load_fails_no_request(production: System, folder: Path) -> None:
    services = ("croody", "telemetry-gateway")
    before = {service: containers(production, service) for service in services}

    with load(production, folder, "croody and telemetry-gateway restarted"):
        production.croody("restart", *services)

    for service in services:
        assert len(containers(production, service)) == 1, service
        assert containers(production, service) != before[service], service


def test_an_update_under_load_fails_no_request(production: System, folder: Path) -> None:
    before = {service: containers(production, service) for service in SERVICES}

    # It stays: what the next tests look at is a system after its first update.
    production.environ["CROODY_RETENTION_DAYS"] = "31"
    with load(production, folder, "an update that changes croody, telemetry-gateway, ids-ml and worker"):
        production.croody("update", timeout_s=900)

    after = {service: containers(production, service) for service in before}
    # broker and bridge too: their images were built for a project of another name, which is written in them.
    assert {"db", "gateway"} == {service for service in before if before[service] == after[service]} - {"broker", "bridge"}
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


def test_a_backup_that_fails_is_seen(production: System, folder: Path) -> None:
    place = folder / "backups"
    kept = folder / "kept"
    shutil.copytree(place, kept)
    owner = place.stat()
    try:
        for file in backups(folder):
            file.unlink()
        os.chown(place, 0, 0)
        eventually("the service says so", lambda: production.inspect("backup")["State"]["Health"]["Status"] == "unhealthy", 90)
        with pytest.raises(AssertionError, match="exit status 1") as seen:
            production.croody("status")
    finally:
        os.chown(place, owner.st_uid, owner.st_gid)
        for file in kept.iterdir():
            shutil.copy2(file, place / file.name)
            os.chown(place / file.name, owner.st_uid, owner.st_gid)

    said = production.compose("logs", "--no-log-prefix", "--tail", "5", "backup")
    assert "cannot be written by user 1000" in said
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
