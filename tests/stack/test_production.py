"""Base and production overlay: PostgreSQL, secrets as files, twenty robots under load while parts are killed, and an audit by SQL."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.stack.hardening import assert_hardened, assert_no_secret_shows, published, read_secrets
from tests.stack.system import CLOUD, FIGURES, OWN, PRODUCTION, ROBOTS, ROOT, System, eventually

pytestmark = pytest.mark.stack
SERVICES = [*CLOUD, "db", "backup"]
#: Six kills and a minute without a database lie within it.
LOAD_S = 120
MEMORY_LIMIT_BYTES = 2 * 1024**3


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
            system.compose("run", "--rm", "--no-deps", "-T", "migrate")
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


@pytest.mark.parametrize("service", [*SERVICES, "migrate", "secrets"])
def test_every_container_is_hardened_and_its_limits_are_in_force(production: System, service: str) -> None:
    assert_hardened(production, service)


def test_no_secret_stands_in_docker_inspect(production: System, folder: Path) -> None:
    secrets = read_secrets(folder / "secrets")
    secrets.pop("ROBOTS_SIM", None)

    assert len(secrets) >= 7
    assert_no_secret_shows(production, [*SERVICES, "migrate"], secrets)


def test_database_and_apis_are_not_reached_from_outside(production: System) -> None:
    assert published(production, [*SERVICES, "migrate"]) == {production.http, production.https, production.mqtts}


def test_port_80_leads_to_443_and_browsers_are_told_to_stay_there(production: System) -> None:
    page = production.plain("/robots/monitor/")
    api = production.plain("/api/telemetry/healthz")
    secure = production.get("/")

    assert (page.status, page.headers["location"]) == (302, "https://localhost/robots/monitor/")
    assert api.status == 308
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


def test_nothing_is_lost_while_parts_are_killed_and_the_database_is_away(production: System, folder: Path) -> None:
    command = [
        "docker",
        "compose",
        "--progress",
        "quiet",
        "--profile",
        "sim",
        "run",
        "--rm",
        "--name",
        f"{OWN}-load",
        "--no-deps",
        "-T",
        "robot-sim",
    ]
    command += ["croody-sim", "--credentials", "/run/secrets/ROBOTS_SIM", "--state", "/data/load", "--no-tcp", "--rate", "5"]
    command += ["--duration", str(LOAD_S), "--settle", "120", "--witness", "/data/witness"]
    load = subprocess.Popen(
        command, cwd=ROOT, env=production.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        eventually("readings", lambda: int(production.sql("select count(*) from telemetry_record")[0][0]) > 200, 60)
        memory_bytes = memory_of(production, [*SERVICES]) + memory_in(f"{OWN}-load")
        for service in ("broker", "bridge", "telemetry-gateway", "worker", "bridge", "broker"):
            production.kill(service)
            time.sleep(3)
        production.compose("stop", "-t", "10", "db")
        time.sleep(60)
        production.compose("start", "db")
        said, _ = load.communicate(timeout=240)
    finally:
        load.kill()
        load.wait()
    assert load.returncode == 0, said.decode()[-2000:]

    listing = production.compose("--profile", "sim", "run", "--rm", "--no-deps", "-T", "robot-sim", "cat", "/data/witness")
    witnessed = {tuple(line.split()[:3]) for line in listing.splitlines()}
    rows = production.sql("select robot_id, stream, seq from telemetry_record where stream not in ('http', 'mqtt')")
    stored = [tuple(row) for row in rows]
    dead = int(production.sql("select count(*) from telemetry_deadletter")[0][0])
    books = production.sql("select robot_id, dropped::text, known_last, have::text from telemetry_stream")
    lost = witnessed - set(stored)
    FIGURES.append(
        f"{len(ROBOTS)} robots under six kills and a database away for a minute: {len(witnessed)} published, {len(stored)} stored, "
        f"{dead} dead, {len(lost)} lost, {len(stored) - len(set(stored))} doubled; memory of the whole {memory_bytes / 1024**2:.0f} MiB"
    )

    assert len(witnessed) > 20 * 5 * LOAD_S * 0.5, "the load was no load"
    assert len({robot for robot, _, _ in witnessed}) == len(ROBOTS)
    assert len(stored) == len(set(stored)), "a reading is there twice"
    assert dead == 0
    assert all(dropped == "{}" for _, dropped, _, _ in books)
    assert lost == set()
    for robot_id in ROBOTS[:3]:
        streams = production.get(f"/api/telemetry/streams?robot_id={robot_id}").json
        assert [stream["missing"] for stream in streams] == [[] for _ in streams]
    assert memory_bytes <= MEMORY_LIMIT_BYTES


def memory_of(system: System, services: list[str]) -> int:
    """What the services use now, from their own cgroups, bytes."""
    return sum(memory_in(system.container(service)) for service in services)


def memory_in(container: str) -> int:
    """Memory of one container without what the kernel could drop at once, bytes."""
    script = (
        "if [ -f /sys/fs/cgroup/memory.current ]; then cat /sys/fs/cgroup/memory.current; grep ^inactive_file /sys/fs/cgroup/memory.stat; "
        "else cat /sys/fs/cgroup/memory/memory.usage_in_bytes; grep ^total_inactive_file /sys/fs/cgroup/memory/memory.stat; fi"
    )
    done = subprocess.run(["docker", "exec", container, "sh", "-c", script], capture_output=True, text=True, check=True)
    used, _, cached = done.stdout.split()
    return int(used) - int(cached)


def test_a_migration_that_fails_leaves_the_old_version_serving(production: System) -> None:
    before = production.container("croody")
    production.sql("alter table django_migrations rename to moved_away")
    production.sql("create view django_migrations as select 1 as nothing")
    try:
        with pytest.raises(AssertionError, match="the old version goes on serving"):
            production.croody("update")
        assert production.get("/").status == 200
        assert production.container("croody") == before
    finally:
        production.sql("drop view django_migrations")
        production.sql("alter table moved_away rename to django_migrations")


def test_a_backup_brings_everything_back_after_down_v(production: System, folder: Path) -> None:
    def count() -> int:
        return int(production.sql("select count(*) from telemetry_record")[0][0])

    stored = count()
    told = production.croody("backup")
    file = max((folder / "backups").iterdir())

    production.down()
    production.croody("up")
    assert count() == 0
    production.croody("restore", str(file))

    assert stored > 0
    assert re.search(rf"{len(ROBOTS)} robots, {stored} readings", told)
    assert count() == stored
    secret = (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines()[0].split()[1]
    eventually("a robot with its old secret", lambda: production.lets_in("amr-01", secret), 30)


def test_everything_stops_within_fifteen_seconds(production: System) -> None:
    began = time.monotonic()
    production.compose("stop")
    took_s = time.monotonic() - began

    codes = {service: production.inspect(service)["State"]["ExitCode"] for service in SERVICES}
    assert not [service for service, code in codes.items() if code == 137], codes
    assert took_s < 15
