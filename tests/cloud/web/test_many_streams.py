"""Hundreds of open streams, as a fair full of people or one rude program opens them: pages are answered, and nothing piles up."""

from contextlib import ExitStack

import httpx
import psutil
import pytest

from tests.cloud.web.server import Web

STREAMS = 150
#: Ten threads were measured, and 40 files of 15 connections or fewer, with 150 streams as with 400: SQLite closes some a little later.
MOST_THREADS, MOST_DATABASE_FILES = 30, 80


@pytest.mark.parametrize("path", ["/robots/monitor/stream", "/api/telemetry/stream"])
def test_open_streams_hold_neither_threads_nor_database_connections(web: Web, path: str) -> None:
    process = psutil.Process(web.process.pid)
    with ExitStack() as stack:
        statuses = [web.stream(stack, path, **{"X-API-Key": web.secrets["alice"]}).status_code for _ in range(STREAMS)]
        files = [file.path for file in process.open_files() if ".db" in file.path]

        assert statuses == [200] * STREAMS
        assert process.num_threads() < MOST_THREADS
        assert len(files) < MOST_DATABASE_FILES
        assert httpx.get(f"{web.url}/robots/monitor/").status_code == 200
