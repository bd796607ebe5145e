"""Fixtures for everybody: free ports, a real PostgreSQL, and the environment under which the cloud's tests run.

`CROODY_TEST_DB=postgres pytest tests/cloud` runs the cloud's tests on a real PostgreSQL server, without it on SQLite.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tools.stack import Ports, Process
from tools.stack.postgres import Server, drop_to, installed

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes is the machine's doing, and says nothing of the code.
hypothesis.settings.register_profile("croody", deadline=None)
hypothesis.settings.load_profile("croody")

_SCRATCH = Path(tempfile.mkdtemp(prefix="croody-tests-"))
# PostgreSQL's account has to pass through it.
_SCRATCH.chmod(0o755)
_running: list[tuple[Server, Process]] = []


def _end() -> None:
    for _, process in _running:
        process.stop()
    shutil.rmtree(_SCRATCH, ignore_errors=True)


atexit.register(_end)


def _postgres() -> Server:
    """The one PostgreSQL server of this run, started when first asked for. It survives no power cut, and need not."""
    if not _running:
        server = Server(_SCRATCH / "postgres", Ports.free().web, secrets.token_urlsafe(16), durable=False)
        process = Process(server.spec(), _SCRATCH)
        process.start()
        import time

        if not process.wait_ready(time.monotonic() + 60):
            pytest.exit(f"PostgreSQL did not start:\n{process.log_tail()}", returncode=3)
        _running.append((server, process))
    return _running[0][0]


def _cloud_environment() -> None:
    """What `croody.settings` reads; set here, before pytest-django asks for the settings."""
    defaults = {
        "DJANGO_SETTINGS_MODULE": "croody.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BRIDGE_TOKEN": secrets.token_urlsafe(32),
        "BRIDGE_MQTT_PASSWORD": secrets.token_urlsafe(32),
        "CROODY_STATE_DIR": str(_SCRATCH / "state"),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    (_SCRATCH / "state").mkdir(exist_ok=True)
    if os.environ.get("CROODY_TEST_DB", "sqlite") == "postgres":
        os.environ["DATABASE_URL"] = _postgres().url()
        os.environ.pop("TG_DB_PATH", None)
    else:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{_SCRATCH / 'state' / 'croody.db'}")
        os.environ.setdefault("TG_DB_PATH", str(_SCRATCH / "state" / "telemetry.db"))


_cloud_environment()
# pytest-django looked for the settings before this file could name them.
import django  # noqa: E402

django.setup()
from django.db import connections  # noqa: E402

from tests import quick  # noqa: E402

quick.begin()

for _alias, _database in connections.databases.items():
    if _database["ENGINE"].endswith("sqlite3"):
        # A file, as the real ones are: in the memory that Django would take, a table that another thread writes is refused at once.
        _database["TEST"]["NAME"] = str(_SCRATCH / f"test-{_alias}.db")
        # It survives no power cut, and need not.
        _database["OPTIONS"]["init_command"] = _database["OPTIONS"]["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds."""
    return Ports.free().web


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """A function that gives n different free ports."""

    def take(count: int) -> list[int]:
        chosen: set[int] = set()
        while len(chosen) < count:
            chosen.add(Ports.free().web)
        return list(chosen)

    return take


@pytest.fixture(scope="session")
def postgres() -> Server:
    """A real PostgreSQL server of this run: `.url()` for libpq, `.port`, `.password`; its database is `croody`.

    Skipped with the remedy where no server is installed; `make test` installs one first.
    """
    if not installed():
        pytest.skip("no PostgreSQL server here: apt-get install postgresql, or run make test, which does")
    return _postgres()


@pytest.fixture
def postgres_database(postgres: Server) -> Iterator[str]:
    """The URL of an empty database of its own, dropped afterwards."""
    import psycopg
    from psycopg import sql

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres.url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def unprivileged() -> str | None:
    """The account to which a test drops root, None when it is not root."""
    return drop_to()


@pytest.fixture(scope="session")
def scratch() -> Path:
    """A directory of this run that every account may pass through, unlike pytest's own."""
    return _SCRATCH


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Pytest-django's, and what `croody setup` does beyond tables: on PostgreSQL readings need a partition for their day."""
    from django.db import connection
    from django.utils import timezone

    from croody.audit import triggers
    from croody.telemetry.jobs import make_partitions

    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            # Between tests Django empties each table row by row, which the audit log's refuses: its own tests put this back.
            triggers.drop(connection)
        make_partitions(timezone.now())


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Headless Chromium, Debian's own; one for all, since Playwright allows one loop a process."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium, or run make test, which does")
    quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses root.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=[*quiet, *sandbox])
        yield browser
        browser.close()
