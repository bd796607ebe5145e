"""Base and production overlay: PostgreSQL, secrets as files, twenty robots under load while parts are killed, and an audit by SQL."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.stack.audit import audit
from tests.stack.hardening import assert_hardened, assert_no_secret_shows, published, read_secrets
from tests.stack.load import load
from tests.stack.memory import peak_bytes
from tests.stack.robot import robot
from tests.stack.system import CLOUD, FIGURES, OWN, PRODUCTION, ROBOTS, ROOT, System, eventually, overlay

pytestmark = pytest.mark.stack
SERVICES = [*CLOUD, "db", "backup"]
#: Under load, one after the other; then the database is away for a minute, all of it within LOAD_S seconds.
KILLED = ("broker", "bridge", "gateway", "telemetry-gateway", "croody", "ids-ml", "worker", "bridge", "broker")
LOAD_S = 120
MEMORY_LIMIT_BYTES = 2 * 1024**3
#: Each step is committed by itself, and the second may fail.
HALF_WAY = """
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fleet", "{last}")]
    operations = [
        migrations.RunSQL("alter table fleet_robot add column if not exists half_way integer"),
        migrations.RunSQL("{then}"),
    ]
"""


def test_without_secrets_nothing_starts_and_each_one_is_named(images: None, tmp_path: Path) -> None:
    environ = {"SECRETS_DIR": str(tmp_path / "none"), "CROODY_DOMAIN": "localhost"}
    system = System(f"{OWN}-refused", PRODUCTION, **environ)

    with pytest.raises(AssertionError) as refused:
        system.croody("up")

    said = str(refused.value)
    for name in (
        "SECRET_KEY",
        "BRIDGE_TOKEN",
        "BRIDGE_MQTT_PASSWORD",
        "POSTGRES_PASSWORD",
        "DATABASE_URL",
        "IDS_API_TOKEN",
        "ADMIN_PASSWORD",
    ):
        assert f"{name} is missing" in said
    assert "./croody secrets init" in said
    assert not system.compose("ps", "-aq").split()


def test_placeholders_are_refused_by_the_system_itself(images: None, tmp_path: Path) -> None:
    system = System(f"{OWN}-refused", PRODUCTION, SECRETS_DIR=str(tmp_path), CROODY_DOMAIN="localhost")
    system.croody("secrets", "init")
    (tmp_path / "SECRET_KEY").write_text("change-me-in-prod")
    (tmp_path / "BRIDGE_TOKEN").write_text("short")
    (tmp_path / "DATABASE_URL").write_text("postgres://croody:croody@db:5432/croody")
    try:
        with pytest.raises(AssertionError) as refused:
            system.compose("run", "--rm", "--no-deps", "-T", "secrets")
    finally:
        system.down()

    said = str(refused.value)
    assert "SECRET_KEY: a placeholder" in said
    assert "BRIDGE_TOKEN: 5 characters" in said
    assert "DATABASE_URL (its password): a placeholder" in said


def test_a_site_without_a_name_does_not_start() -> None:
    system = System(f"{OWN}-refused", PRODUCTION)

    with pytest.raises(AssertionError, match="CROODY_DOMAIN"):
        system.compose("config", "-q")


@pytest.mark.parametrize("service", [*SERVICES, "migrate", "roles", "secrets"])
def test_every_container_is_hardened_and_its_limits_are_in_force(production: System, service: str) -> None:
    assert_hardened(production, service)


def test_no_secret_stands_in_docker_inspect(production: System, folder: Path) -> None:
    secrets = read_secrets(folder / "secrets")
    secrets.pop("ROBOTS_SIM", None)

    assert len(secrets) >= 7
    assert_no_secret_shows(production, [*SERVICES, "migrate", "roles"], secrets)


def test_each_container_has_the_secrets_that_it_needs_and_no_others(production: System) -> None:
    database = {"DATABASE_URL", "TG_DB_URL"}
    needed = {
        "croody": {"SECRET_KEY", "TG_INGEST_TOKEN"} | database,
        "telemetry-gateway": {"BRIDGE_TOKEN", "TG_INGEST_TOKEN"} | database,
        "ids-ml": {"IDS_API_TOKEN"} | database,
        "worker": {"BRIDGE_MQTT_PASSWORD"} | database,
        "migrate": {"BRIDGE_MQTT_PASSWORD"} | database,
        "bridge": {"BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD"},
        "db": {"POSTGRES_PASSWORD"},
        "roles": {"POSTGRES_PASSWORD", "TG_DB_URL"},
        "backup": {"TG_DB_URL"},
    }
    found = {
        service: {
            Path(mount["Destination"]).name for mount in production.inspect(service)["Mounts"] if "/run/secrets/" in mount["Destination"]
        }
        for service in [*SERVICES, "migrate", "roles"]
    }
    assert found == {service: needed.get(service, set()) for service in found}


def test_database_and_apis_are_not_reached_from_outside(production: System) -> None:
    assert published(production, [*SERVICES, "migrate"]) == {production.http, production.https, production.mqtts}


def test_port_80_leads_to_443_and_browsers_are_told_to_stay_there(production: System) -> None:
    page = production.plain("/robots/monitor/")
    api = production.plain("/api/telemetry/healthz")
    secure = production.get("/")

    at = f"https://localhost:{production.https}"
    assert (page.status, page.headers["location"]) == (302, f"{at}/robots/monitor/")
    assert (api.status, api.headers["location"]) == (308, f"{at}/api/telemetry/healthz")
    assert secure.status == 200
    assert secure.headers["strict-transport-security"].startswith("max-age=31536000")
    assert "secure" in production.get("/cuenta/acceder/").headers["set-cookie"].lower()


def test_nothing_is_open_without_a_credential(production: System) -> None:
    assert production.post("/api/telemetry/ingest", {"robot_id": "amr-01", "data": {"TEMP": 1.0}}).status == 401
    assert production.post("/api/ids/predict", {"rows": [{"src_bytes": 10}]}).status == 401
    assert production.post("/api/telemetry/demo/robots", {"prefix": "sim", "count": 1}).status in {401, 403, 404}


def test_the_first_login_of_a_site_is_printed(production: System) -> None:
    link = production.croody("login-link", "--user", "alice", "--create", "--superuser").strip()

    assert link.startswith(f"https://localhost:{production.https}/cuenta/entrar/")
    assert production.get("/" + link.split("/", 3)[3]).status == 200


def test_virtual_robots_are_a_service_when_they_are_asked_for(production: System, folder: Path) -> None:
    sim = ("--profile", "sim")
    newest = "select coalesce(max(id), 0), count(distinct robot_id) from telemetry_record where stream <> 'http' and id > "
    before, _ = production.sql(newest + "0")[0]
    production.compose(*sim, "up", "-d", "--wait", "robot-sim")
    try:
        assert_hardened(production, "robot-sim")
        assert published(production, ["robot-sim"]) == {production.robot}
        with robot(production.robot) as admin:
            assert admin.ask(f"LOGIN ADMIN {(folder / 'secrets' / 'ADMIN_PASSWORD').read_text().strip()}") == "LOGIN_SUCCESS ADMIN"
            assert re.fullmatch(r"USER_LIST (\S+:\d+;)", admin.ask("LIST_USERS"))
            assert admin.ask("MOVE UP") in {"MOVE_SUCCESS UP", "MOVE_FAIL UP OBSTACLE"}
        eventually("readings of all of them", lambda: production.sql(newest + before)[0][1] == str(len(ROBOTS)), 30)
    finally:
        production.compose(*sim, "rm", "-sf", "robot-sim")


def test_nothing_is_lost_while_parts_are_killed_and_the_database_is_away(production: System, tmp_path: Path) -> None:
    once = ["--profile", "sim", "run", "--rm", "--no-deps", "-T"]
    publish = ["croody-sim", "--credentials", "/run/secrets/ROBOTS_SIM", "--state", "/data/load", "--no-tcp", "--rate", "5"]
    notes = ["--duration", str(LOAD_S), "--settle", "120", "--witness", "/data/witness", "--witness-hashes"]
    name = f"{OWN}-load"
    robots = subprocess.Popen(
        ["docker", "compose", "--progress", "quiet", *once, "--name", name, "robot-sim", *publish, *notes],
        cwd=production.folder,
        env=production.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peaks: dict[str, int] = {}
    try:
        eventually("readings", lambda: int(production.sql("select count(*) from telemetry_record")[0][0]) > 200, 60)
        for service in KILLED:
            peaks[service] = max(peaks.get(service, 0), peak_bytes(production.container(service)))
            production.kill(service)
            time.sleep(2)
        production.compose("stop", "-t", "10", "db")
        time.sleep(60)
        production.compose("start", "db")
        assert robots.poll() is None, "the load ended before the last fault"
        while robots.poll() is None:
            peaks[name] = max(peaks.get(name, 0), peak_bytes(name))
            time.sleep(1)
        said, _ = robots.communicate()
    finally:
        robots.kill()
        robots.wait()
    assert robots.returncode == 0, said.decode()[-2000:]

    for service in SERVICES:
        eventually(f"{service} in good health", lambda service=service: health(production, service) == "healthy", 60)
        peaks[service] = max(peaks.get(service, 0), peak_bytes(production.container(service)))
    (tmp_path / "witness").write_text(production.compose(*once, "robot-sim", "cat", "/data/witness"))
    found = audit(production, tmp_path / "witness")
    FIGURES.append(
        f"{len(ROBOTS)} robots under {len(KILLED)} kills and a database away for a minute: {len(found.published)} published, "
        f"{len(found.stored)} stored, {found.dead} dead, {len(found.lost)} lost, {len(found.altered)} altered, {found.doubled} doubled; "
        f"peaks of memory {sum(peaks.values()) / 1024**2:.0f} MiB in all "
        f"({', '.join(f'{name} {peak / 1024**2:.0f}' for name, peak in sorted(peaks.items(), key=lambda item: -item[1]))})"
    )

    assert len(found.published) > len(ROBOTS) * 5 * LOAD_S * 0.5, "the load was no load"
    assert {robot_id for robot_id, _, _ in found.published} == set(ROBOTS)
    assert (found.lost, found.altered, found.doubled, found.dead) == (set(), set(), 0, 0)
    assert all(dropped == "{}" for (dropped,) in production.sql("select dropped::text from telemetry_stream"))
    for robot_id in ROBOTS[:3]:
        streams = production.get(f"/api/telemetry/streams?robot_id={robot_id}").json
        assert [stream["missing"] for stream in streams] == [[] for _ in streams]
    assert min(peaks.values()) > 0
    assert sum(peaks.values()) <= MEMORY_LIMIT_BYTES


def health(system: System, service: str) -> str:
    state: str = system.inspect(service)["State"]["Health"]["Status"]
    return state


def test_a_migration_that_fails_leaves_the_old_version_serving(production: System, folder: Path) -> None:
    before = production.container("croody")
    production.sql("alter table django_migrations rename to moved_away")
    production.sql("create view django_migrations as select 1 as nothing")
    try:
        with (
            load(production, folder, "an update whose migration cannot begin"),
            pytest.raises(AssertionError, match="the old version goes on serving"),
        ):
            production.croody("update")
    finally:
        production.sql("drop view django_migrations")
        production.sql("alter table moved_away rename to django_migrations")
    assert production.container("croody") == before


def test_a_migration_that_fails_half_way_leaves_the_old_version_serving_and_goes_on_once_it_is_mended(
    production: System, folder: Path, tmp_path: Path
) -> None:
    before = [production.container(service) for service in SERVICES]
    last = max((ROOT / "cloud" / "croody" / "fleet" / "migrations").glob("0*.py")).stem
    path = tmp_path / "9000_half_way.py"
    mount = f"services:\n  migrate:\n    volumes: ['{path}:/opt/app/croody/fleet/migrations/{path.name}:ro']\n"

    with overlay(production, tmp_path, mount), load(production, folder, "an update whose migration fails half-way, and its repair"):
        path.write_text(HALF_WAY.format(last=last, then="select 1 / 0"))
        with pytest.raises(AssertionError, match="the old version goes on serving") as refused:
            production.croody("update")
        assert "division by zero" in str(refused.value)
        assert columns(production) == ["half_way"]
        assert [production.container(service) for service in SERVICES] == before
        production.croody("robot", "add", "half-way-01")  # the old version does not know of the column

        path.write_text(HALF_WAY.format(last=last, then="alter table fleet_robot drop column half_way"))
        production.croody("update")

    assert columns(production) == []
    production.sql("delete from django_migrations where name = '9000_half_way'")


def columns(system: System) -> list[str]:
    """Those that the migration of the test has made and not taken away again."""
    found = system.sql("select column_name from information_schema.columns where table_name = 'fleet_robot' and column_name = 'half_way'")
    return [name for (name,) in found]


def test_a_backup_brings_everything_back_after_down_v(production: System, folder: Path) -> None:
    def count() -> int:
        return int(production.sql("select count(*) from telemetry_record")[0][0])

    secret = (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines()[0].split()[1]
    assert production.post("/api/telemetry/ingest", {"robot_id": "amr-01", "data": {"TEMP": 20.5}}, X_API_Key=secret).status == 201
    stored, robots = count(), production.sql("select count(*) from fleet_robot")[0][0]
    told = production.croody("backup")
    file = max((folder / "backups").iterdir())

    production.down()
    production.croody("up")
    assert count() == 0
    production.croody("restore", str(file))

    assert stored > 0
    assert re.search(rf"\b{robots} robots, {stored} readings", told)
    assert count() == stored
    eventually("a robot with its old secret", lambda: production.lets_in("amr-01", secret), 30)


def test_readings_move_to_a_second_database_by_the_steps_that_a_refusal_says_and_backups_hold_both(
    production: System, folder: Path
) -> None:
    def readings(database: str) -> int:
        query = "select count(*) from telemetry_record"
        return int(production.inside("db", "psql", "-U", "croody", "-d", database, "-Atc", query))

    def send() -> None:
        assert production.post("/api/telemetry/ingest", {"robot_id": "amr-01", "data": {"TEMP": 20.5}}, X_API_Key=secret).status == 201

    secret = (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines()[0].split()[1]
    password = (folder / "secrets" / "POSTGRES_PASSWORD").read_text().strip()
    (folder / "secrets" / "TG_DB_URL").write_text(f"postgres://croody:{password}@db:5432/telemetry\n")
    send()
    stored, robots = readings("croody"), production.sql("select count(*) from fleet_robot")[0][0]
    second = {"TG_DB_URL_FILE": str(folder / "secrets" / "TG_DB_URL")}

    production.environ |= second
    try:
        with pytest.raises(AssertionError, match="names a database without readings"):
            production.croody("up")
    finally:
        del production.environ["TG_DB_URL_FILE"]
    assert production.get("/").status == 200
    production.croody("up")
    production.croody("stop", "bridge", "croody", "telemetry-gateway", "worker")
    one = production.croody("backup").split(":")[0]
    production.environ |= second
    production.croody("restore", one)

    assert readings("telemetry") == stored > 0
    assert production.sql("select tablename from pg_tables where tablename like 'telemetry%'") == []
    send()
    told = production.croody("backup")
    assert re.search(rf"\.pgdump\.tar: {robots} robots, {stored + 1} readings", told)
    send()
    production.croody("restore", told.split(":")[0])
    assert readings("telemetry") == stored + 1
    send()
    cut = folder / "cut.pgdump.tar"
    cut.write_bytes(Path(told.split(":")[0]).read_bytes()[:-30_000])
    with pytest.raises(AssertionError, match="is damaged, or no backup"):
        production.croody("restore", str(cut))


def test_everything_stops_within_fifteen_seconds(production: System) -> None:
    began = time.monotonic()
    production.compose("stop")
    took_s = time.monotonic() - began

    codes = {service: production.inspect(service)["State"]["ExitCode"] for service in SERVICES}
    assert not [service for service, code in codes.items() if code == 137], codes
    assert took_s < 15
