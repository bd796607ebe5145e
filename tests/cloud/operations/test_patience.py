"""Clients that send their request slowly, or not at all: they cost a connection for a while, and nobody else a thread."""

import asyncio
import errno
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from croody.serve.incoming import HEAD_S, MOST_BYTES, Incoming
from croody.serve.request_timeout import Patient
from croody_contract.limits import KIB, MIB
from tests.patience import PATIENCE_S

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"


def of(data: bytes) -> Incoming:
    return Incoming(100.0, data)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"", False),
        (b"GET / HT", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (HEAD + b"Content-Length: 3\r\n\r\nab", False),
        (HEAD + b"content-length:3\r\n\r\nabc", True),
        (HEAD + b"Content-Length: 3\r\n\r\nabcGET / HT", True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", False),
        (HEAD + b"Transfer-Encoding: gzip, Chunked\r\n\r\n3\r\nabc\r\n", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", True),
        (b"x" * 65 * KIB, True),
    ],
)
def test_a_request_is_whole_when_its_body_is_there(data: bytes, whole: bool):
    assert of(data).whole() == whole
    drop_by_drop = of(b"")
    for at in range(len(data)):
        drop_by_drop.add(data[at : at + 1])
    assert drop_by_drop.whole() == whole
    assert drop_by_drop.take() == data


def test_a_head_gains_no_time_by_coming_slowly_and_a_body_does():
    head, body = of(HEAD), of(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100 * KIB)
    assert [each.late(100 + HEAD_S + 1) for each in (head, body)] == [True, False]
    assert body.late(100 + HEAD_S + 60)


def test_a_body_that_is_announced_too_large_is_known_at_once_and_who_asks_first_is_answered():
    assert of(HEAD + b"Content-Length: %d\r\n\r\n" % (MOST_BYTES + 1)).too_large
    asking = of(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert (asking.asks, asking.whole()) == (True, False)
    asking.add(b"abc")
    assert (asking.whole(), asking.take()) == (True, HEAD + b"Content-Length: 3\r\n\r\nabc")


APP = """
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [b"x" * 30_000_000 if environ["PATH_INFO"] == "/large" else str(len(body)).encode()]
"""


@pytest.fixture
def api(tmp_path: Path, free_port: int) -> Iterator[int]:
    """Gunicorn as the API roles run it, with two threads and an application that takes no time."""
    (tmp_path / "small.py").write_text(APP)
    command = [sys.executable, "-m", "gunicorn", "small:application", "-k", "croody.serve.whole_requests.Worker", "--threads", "2"]
    command += ["--bind", f"127.0.0.1:{free_port}", "--chdir", str(tmp_path), "--no-control-socket", "--graceful-timeout", "2"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", free_port), 1):
                break
            time.sleep(0.1)
        yield free_port
        process.terminate()


@pytest.mark.parametrize(
    ("slow", "reads"),
    [
        (b"", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", True),
        (HEAD + b"Content-Length: 1000\r\n\r\nhalf", True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal", True),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", True),
        (HEAD + b"Content-Length: 1\r\n\r\nxGET / HTTP/1.1\r\nHo", True),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "asks first", "a request and a half"],
)
def test_a_dozen_of_slow_clients_keep_nobody_out(api: int, slow: bytes, reads: bool):
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(socket.create_connection(("127.0.0.1", api), PATIENCE_S)).sendall(slow)
        time.sleep(0.3)
        began = time.monotonic()
        for size in (0, 10, 2 * MIB):
            assert httpx.post(f"http://127.0.0.1:{api}/", content=b"x" * size, timeout=PATIENCE_S).text == str(size)
        assert time.monotonic() - began < 0.8 * HEAD_S


def test_a_kept_connection_serves_on_and_what_is_too_large_is_refused_unread(api: int):
    with httpx.Client(base_url=f"http://127.0.0.1:{api}") as client:
        assert [client.post("/", content=b"x" * size).text for size in (1, 100_000, 3)] == ["1", "100000", "3"]
        chunks: Any = (b"x" * 1000 for _ in range(5))
        assert client.post("/", content=chunks).text == "5000"
        assert client.get("/").text == "0"
    with socket.create_connection(("127.0.0.1", api), PATIENCE_S) as sock:
        sock.sendall(HEAD + b"Content-Length: 100000000\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")


class Hasty(Patient):
    """As the web role's, with a minute's patience in a second."""

    head_s = 0.4
    body_s = 0.4


async def _small(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(1.0 if scope["path"] == "/long" else 0.0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("slow", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-", HEAD + b"Content-Length: 10\r\n\r\nhalf"])
async def test_the_web_closes_connections_whose_request_does_not_come_and_no_others(slow: bytes):
    server = uvicorn.Server(uvicorn.Config(_small, port=0, http=Hasty, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(slow)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/long")).text == "ok", "an answer may take longer than a request"
        assert (await client.get("/")).text == "ok", "on the same connection"
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()
    server.should_exit = True
    await serving


async def test_many_who_come_at_once_are_all_answered():
    """As after a restart, through one gateway. The web keeps fewer than these waiting."""
    server = uvicorn.Server(uvicorn.Config(_small, port=0, http=Patient, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    all_at_once = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(430)]
    for connection in all_at_once:
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
    for connection in all_at_once:
        reader, writer = await asyncio.open_connection(sock=connection)
        assert (await asyncio.wait_for(reader.read(), PATIENCE_S)).startswith(b"HTTP/1.1 200 ")
        writer.close()
    server.should_exit = True
    await serving


@pytest.mark.parametrize("announced", [True, False])
async def test_the_web_takes_no_body_larger_than_a_form(announced: bool):
    from croody.serve.asgi import application

    pieces = [b"x" * 64 * KIB] * 100
    left, told = list(pieces), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    headers = [(b"host", b"testserver"), *([(b"content-length", b"%d" % sum(map(len, pieces)))] if announced else [])]
    scope = {"type": "http", "method": "POST", "path": "/cuenta/acceder/", "query_string": b"", "headers": headers, "http_version": "1.1"}
    await application({**scope, "asgi": {"version": "3.0"}, "scheme": "http"}, receive, send)
    assert told[0]["status"] == 413
    assert len(left) > 70, "the rest was not even read"


class _Peer(asyncio.Transport):
    """The server's side of somebody who takes the first message and no more: the second stays in the buffer, the third waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.transport = self
        self.aborted = asyncio.Event()
        self.taken = 0
        self.waiting = 0

    async def send(self, message: dict[str, Any]) -> None:
        self.taken += 1
        if self.taken > 1:
            self.waiting += len(message["body"])
        if self.taken > 2:
            await self.aborted.wait()

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted.set()


async def test_a_stream_whose_reader_takes_nothing_is_cut_off_in_time():
    from croody.serve.asgi import _stream

    peer = _Peer()

    async def endless(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        while not peer.aborted.is_set():
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    began = time.monotonic()
    await asyncio.wait_for(_stream({}, peer.send, peer.send, endless, 0.2), PATIENCE_S)
    assert time.monotonic() - began > 0.15
    assert peer.taken == 3


async def test_a_lack_of_file_handles_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture):
    from croody.serve.asgi import Complaints

    complain, loop = Complaints(), asyncio.get_running_loop()
    for _ in range(500):
        complain(loop, {"message": "socket.accept() out of system resource", "exception": OSError(errno.EMFILE, "Too many open files")})
    complain(loop, {"message": "something else", "exception": ValueError("else")})
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "connections cannot be taken now: Too many open files",
        "something else",
    ]
