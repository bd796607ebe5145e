"""The fixture that everybody's PostgreSQL tests lean on."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tools.stack import Ports, Process
from tools.stack.postgres import Server, binary, installed

pytestmark = pytest.mark.skipif(
    not installed(), reason="no PostgreSQL server here: apt-get install postgresql, or run make test, which does"
)


def test_the_server_is_a_real_one_that_does_not_run_as_root(postgres: Server, postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as connection:
        version = connection.execute("SHOW server_version_num").fetchone()
        connection.execute("CREATE TABLE t (r int8multirange)")
        connection.execute("INSERT INTO t VALUES ('{[1,5),[7,9)}')")
    assert version is not None
    assert int(version[0]) >= 150000
    assert (postgres.data / "postmaster.pid").stat().st_uid != 0


@contextmanager
def running(server: Server) -> Iterator[psycopg.Connection]:
    process = Process(server.spec(), server.data.parent)
    process.start()
    try:
        assert process.wait_ready(time.monotonic() + 60), process.log_tail()
        with psycopg.connect(server.url(), autocommit=True) as connection:
            yield connection
    finally:
        process.stop()


def own(connection: psycopg.Connection) -> tuple[object, ...]:
    found = connection.execute("SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    return found.fetchone() or ()


def test_the_role_of_a_system_owns_its_database_and_is_no_superuser_and_the_superuser_has_no_way_in(scratch: Path) -> None:
    folder = scratch / f"roles-{secrets.token_hex(4)}"
    folder.mkdir()
    server = Server(folder / "postgres", Ports.free().web, "a-password-of-the-test")
    with running(server) as connection:
        assert own(connection) == (False, False, False, False)
        connection.execute("CREATE TABLE t (n int PRIMARY KEY)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY t FROM PROGRAM 'id'")
        for who in ("postgres", "somebody"):
            with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
                psycopg.connect(server.url().replace("//croody:", f"//{who}:"))


def test_an_earlier_versions_directory_keeps_its_data_and_its_role_is_no_superuser(scratch: Path, unprivileged: str | None) -> None:
    folder = scratch / f"older-{secrets.token_hex(4)}"
    folder.mkdir()
    server = Server(folder / "postgres", Ports.free().web, "a-password-of-the-test")
    _as_earlier(server, unprivileged)
    with running(server) as connection:
        assert own(connection) == (False, False, False, False)
        assert connection.execute("INSERT INTO t (word) VALUES ('new') RETURNING n").fetchone() == (2,)
        assert connection.execute("SELECT word FROM t ORDER BY n").fetchall() == [("old",), ("new",)]
        connection.execute("ALTER TABLE t ADD COLUMN more int")
        assert connection.execute(
            "SELECT count(*) FROM pg_class WHERE relname IN ('t', 't_n_seq') AND relowner::regrole::text <> 'croody'"
        ).fetchone() == (0,)
    with running(server) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,), "and it starts again"


def _as_earlier(server: Server, account: str | None) -> None:
    """What the version before made: its role is the one that initdb makes."""
    server.data.mkdir(mode=0o700)
    drop = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups"] if account else []
    if account:
        shutil.chown(server.data, account, account)

    def run(program: str, *arguments: str, said: str = "") -> None:
        command = [*drop, str(binary(program)), *arguments]
        subprocess.run(command, input=said, text=True, check=True, capture_output=True, cwd="/", env=os.environ)

    run("initdb", "-D", str(server.data), "-U", "croody", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    run("postgres", "--single", "-D", str(server.data), "postgres", said="CREATE DATABASE croody\n")
    table = "CREATE TABLE t (n serial PRIMARY KEY, word text)\nINSERT INTO t (word) VALUES ('old')\n"
    run("postgres", "--single", "-D", str(server.data), "croody", said=table)
    (server.data / "ready").touch()
