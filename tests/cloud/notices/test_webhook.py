"""A receiver that fails in every way, and addresses that are traps."""

import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from croody.notices import webhook
from croody.notices.spec import BadRule
from croody.notices.webhook import Failed
from tests.patience import A_BUSY_SECOND_S

LOCAL = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
Receiver = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Starts a receiver that does whatever it is told with one connection after the other; gives its address."""
    doors: list[socket.socket] = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)

        def serve() -> None:
            while True:
                try:
                    connection, _address = door.accept()
                except OSError:
                    return
                with connection:
                    try:
                        behave(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{door.getsockname()[1]}/hook?a=1"

    yield start
    for door in doors:
        door.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _gap, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answers(status: str, *lines: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines])
        connection.sendall(head.encode() + b"\r\n\r\n" + body)

    return behave


def send(url: str, within_s: float = 2.0) -> str:
    return webhook.post(url, b'{"a":1}', {"X-Test": "1"}, allowed=LOCAL, within_s=within_s)


def test_what_arrives_is_whole_and_signed(receiver: Receiver):
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        heard.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    url = receiver(behave)
    body = b'{"title":"\xc3\xb1"}'
    assert webhook.post(url, body, {"Croody-Signature": webhook.signature("s3cret", 1000, body)}, allowed=LOCAL).startswith("204")
    head, _gap, got = heard[0].partition(b"\r\n\r\n")
    assert got == body
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1")
    signed = hmac.new(b"s3cret", b"1000." + got, hashlib.sha256).hexdigest()
    assert f"Croody-Signature: t=1000,v1={signed}".encode() in head


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("500 Oops", False), ("503 Busy", False), ("429 Slow", False), ("408 Late", False),
        ("400 Bad", True), ("404 None", True), ("410 Gone", True),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_2xx_says_whether_to_try_again(receiver: Receiver, status: str, final: bool):
    with pytest.raises(Failed, match=status[:3]) as failed:
        send(receiver(answers(status, body=b"no")))
    assert failed.value.final is final


def test_a_redirect_is_not_followed_wherever_it_leads(receiver: Receiver):
    asked: list[bytes] = []
    inner = receiver(lambda connection: asked.append(read_request(connection)))
    with pytest.raises(Failed, match="302") as failed:
        send(receiver(answers("302 Found", f"Location: {inner}")))
    assert failed.value.final
    assert asked == []


def test_a_receiver_that_asks_for_time_gets_it_within_an_hour(receiver: Receiver):
    for told, expected in (("120", 120.0), ("99999", 3600.0), ("soon", 0.0), ("-5", 0.0)):
        with pytest.raises(Failed) as failed:
            send(receiver(answers("503 Busy", f"Retry-After: {told}")))
        assert failed.value.wait_s == expected


def drip(connection: socket.socket) -> None:
    read_request(connection)
    for _ in range(200):
        connection.sendall(b"H")
        time.sleep(0.1)


def drip_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.1)


def say_nothing(connection: socket.socket) -> None:
    time.sleep(20)


@pytest.mark.parametrize("behave", [say_nothing, drip, drip_headers])
def test_a_receiver_that_takes_his_time_costs_a_moment(receiver: Receiver, behave: Callable[[socket.socket], None]):
    begun = time.monotonic()
    with pytest.raises(Failed) as failed:
        send(receiver(behave), within_s=1.0)
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    assert not failed.value.final


def hang_up(connection: socket.socket) -> None:
    read_request(connection)


def talk_nonsense(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"\x00\xff nonsense\r\n\r\n")


def send_without_end(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 500 Oops\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 65536)


@pytest.mark.parametrize("behave", [hang_up, talk_nonsense, send_without_end])
def test_a_receiver_that_misbehaves_is_a_failure_with_words(receiver: Receiver, behave: Callable[[socket.socket], None]):
    with pytest.raises(Failed) as failed:
        send(receiver(behave))
    assert 0 < len(str(failed.value)) < 400


def test_nobody_listening_is_a_failure_and_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(Failed) as failed:
        send(f"http://127.0.0.1:{port}/")
    assert not failed.value.final


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "[::ffff:127.0.0.1]",
        "[2002:7f00:1::]", "0.0.0.0", "224.0.0.1", "100.64.0.1", "2130706433", "0x7f.1",
    ],
)  # fmt: skip
def test_an_address_of_our_own_network_is_never_reached(receiver: Receiver, host: str):
    asked: list[bytes] = []
    url = receiver(lambda connection: asked.append(read_request(connection)))
    port = url.split(":")[2].split("/")[0]
    with pytest.raises(Failed):
        webhook.post(f"http://{host}:{port}/", b"{}", {}, within_s=2.0)
    assert asked == []


def test_the_connection_goes_to_the_address_that_was_judged_whatever_the_name_says_now(receiver: Receiver):
    place = webhook._Place("http", "rebinding.example.org", 0, "/")
    url = receiver(answers("200 OK", body=b"here"))
    port = int(url.split(":")[2].split("/")[0])
    connection = webhook._Pinned(webhook._Place(place.scheme, place.host, port, "/"), "127.0.0.1", 2.0)
    connection.request("POST", "/", body=b"{}")
    assert connection.getresponse().read() == b"here"
    connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.org/", "http://", "http://user:pass@example.org/", "http://example.org:99999/", "http://exa mple.org/",
        "http://example.org/\r\nX: 1", "javascript:alert(1)", "http://[::1", "http://example.org/" + "x" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver_is_refused(url: str):
    with pytest.raises(BadRule):
        webhook.check(url)


@pytest.mark.parametrize("page", ["be-told-of-alarms.md", "be-told-of-alarms.es.md"])
def test_what_the_manual_gives_a_receiver_proves_a_notice(page: str):
    text = (Path(__file__).parents[3] / "docs/how-to" / page).read_text()
    given: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], given)
    now, body = int(time.time()), b'{"type":"test"}'
    assert given["is_croodys"]("s3cret", webhook.signature("s3cret", now, body), body)
    assert not given["is_croodys"]("other", webhook.signature("s3cret", now, body), body)
    assert not given["is_croodys"]("s3cret", webhook.signature("s3cret", now, body), body + b" ")
    assert not given["is_croodys"]("s3cret", webhook.signature("s3cret", now - 301, body), body)
