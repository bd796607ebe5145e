"""What is asked of a gateway, and which answers say no; the protocol itself is `websockets`', and has tests of its own."""

import logging

import pytest
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from croody_edge.link.address import BrokerAddress
from croody_edge.link.websocket import NotHttp, Refused, ask, take_answer

BROKER = BrokerAddress("robots.example.org", 443, tls=True, path="/mqtt")


def asked(broker: BrokerAddress = BROKER) -> tuple[ClientProtocol, Request, Response]:
    """Our half, what a server makes of its request, and what it answers."""
    ours, server = ask(broker), ServerProtocol(subprotocols=[Subprotocol("mqtt")])
    server.receive_data(b"".join(ours.data_to_send()))
    (request,) = server.events_received()
    assert isinstance(request, Request)
    return ours, request, server.accept(request)


@pytest.mark.parametrize(
    ("broker", "host"),
    [
        (BROKER, "robots.example.org"),
        (BrokerAddress("robots.example.org", 8443, tls=True, path="/a/b;c"), "robots.example.org:8443"),
        (BrokerAddress("10.0.0.7", 80, path="/mqtt"), "10.0.0.7"),
        (BrokerAddress("10.0.0.7", 443, path="/mqtt"), "10.0.0.7:443"),
        (BrokerAddress("::1", 9001, path="/mqtt"), "[::1]:9001"),
        (BrokerAddress("fábrica.example", 443, tls=True, path="/mqtt"), "xn--fbrica-pta.example"),
    ],
)
def test_a_server_is_called_by_its_name_and_its_answer_is_taken(broker: BrokerAddress, host: str) -> None:
    ours, request, response = asked(broker)
    assert (request.path, request.headers["Host"], response.status_code) == (broker.path, host, 101)
    take_answer(ours, response.serialize())


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        (
            "Sec-WebSocket-Accept",
            "bm90IHRoaXM=",
            r"^refused: 101 Switching Protocols \(invalid Sec-WebSocket-Accept header: bm90IHRoaXM=\)$",
        ),
        ("Upgrade", "\udc9b31m", r"\(invalid Upgrade header: .*\)"),
        ("Sec-WebSocket-Protocol", "", r"\(not for MQTT\)$"),
        ("Sec-WebSocket-Protocol", "chat", r"\(unsupported subprotocol: chat\)$"),
        ("Sec-WebSocket-Extensions", "permessage-deflate", r"\(no extensions supported\)$"),
    ],
)
def test_a_yes_that_is_not_to_this_request_or_not_for_mqtt_is_a_refusal(name: str, value: str, why: str) -> None:
    ours, _, response = asked()
    kept = [pair for pair in response.headers.raw_items() if pair[0] != name]
    response.headers = Headers([*kept, *([(name, value)] if value else [])])
    head = b"HTTP/1.1 101 Switching Protocols\r\n" + "".join(f"{n}: {v}\r\n" for n, v in response.headers.raw_items()).encode(
        "ascii", "surrogateescape"
    )
    with pytest.raises(Refused, match=why) as refused:
        take_answer(ours, head + b"\r\n")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("head", "said", "location"),
    [
        ("HTTP/1.1 404 Not\x1b[31m Found", r"refused: 404 Not?[31m Found", ""),
        ("HTTP/1.1 502", "refused: 502", ""),
        ("HTTP/1.0 503 ", "refused: 503", ""),
        ("HTTP/1.1 301 Moved\r\nServer: x\r\nlocation:   https://there/\r\nX: y", "refused: 301 Moved", "https://there/"),
        ("HTTP/1.1 302 Found\r\nLocation: /ü\r\nnonsense", "refused: 302 Found", "/ü"),
        ("HTTP/1.1 400 Bad Request" + "\r\nX: y" * 1000, "refused: 400 Bad Request", ""),
    ],
)
def test_a_no_tells_its_status_and_where_it_sends(head: str, said: str, location: str) -> None:
    with pytest.raises(Refused) as refused:
        take_answer(ask(BROKER), f"{head}\r\n\r\n".encode("latin-1"))
    assert (str(refused.value), refused.value.status, refused.value.location) == (said, int(said[9:12]), location)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2", b"HTTP/1.1", b"HTTP/1.1 OK", b"HTTP/1.1 1e2 OK", b"HTTP/2 101"])
def test_what_is_no_answer_of_a_web_server_is_none(answer: bytes) -> None:
    with pytest.raises(NotHttp):
        take_answer(ask(BROKER), answer + b"\r\n\r\n")


def test_a_secret_is_in_no_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ours, _, response = asked()
    caplog.clear()
    take_answer(ours, response.serialize())
    ours.send_binary(b"\x10 what a CONNECT begins with, and then the secret")
    assert b"".join(ours.data_to_send())
    assert caplog.records == []
