"""The fixture that everybody's PostgreSQL tests lean on."""

import psycopg

from tools.stack.postgres import Server


def test_the_server_is_a_real_one_that_does_not_run_as_root(postgres: Server, postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as connection:
        version = connection.execute("SHOW server_version_num").fetchone()
        connection.execute("CREATE TABLE t (r int8multirange)")
        connection.execute("INSERT INTO t VALUES ('{[1,5),[7,9)}')")
    assert version is not None
    assert int(version[0]) >= 150000
    assert (postgres.data / "postmaster.pid").stat().st_uid != 0
