"""The connection itself: dead peers, several brokers, refusals, TLS, and bytes that are not MQTT."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from croody_contract import topics
from croody_edge.link.address import BrokerAddress
from croody_edge.link.connection import Down, Message, Up
from tests.edge_agent.doubles import NOBODY, ROBOT, Broker, Cloud, wait_until
from tests.edge_agent.link.lines import Cable, TlsDoor, Watched
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

MakeLink = Callable[..., Watched]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture
def cable(broker: Broker) -> Iterator[Cable]:
    made = Cable(broker.address)
    yield made
    made.close()


def test_a_peer_that_went_silent_is_noticed_within_one_and_a_half_keepalives(link: MakeLink, cable: Cable) -> None:
    one = link(cable.address, keepalive_s=4)
    assert wait_until(lambda: one.saw(Up))
    cable.silent.set()
    began = time.monotonic()
    talking = 0
    while not one.saw(Down) and time.monotonic() - began < PATIENCE_S:
        # A robot that talks all the time must notice as well as a quiet one.
        one.publish(topics.build(topics.UpTelemetry(ROBOT)), b"{}")
        talking += 1
        time.sleep(0.2)
    took_s = time.monotonic() - began
    assert took_s <= 1.5 * 4 + A_BUSY_SECOND_S
    assert talking > 5
    cable.silent.clear()
    assert wait_until(lambda: one.saw(Up) == 2)


def test_an_idle_link_stays_up_for_several_keepalives(link: MakeLink, broker: Broker) -> None:
    one = link(broker.address, keepalive_s=2)
    assert wait_until(lambda: one.saw(Up))
    time.sleep(7)
    assert one.saw(Down) == 0


def test_of_several_brokers_one_that_answers_is_found(link: MakeLink, broker: Broker) -> None:
    began = time.monotonic()
    one = link(NOBODY, NOBODY, broker.address, NOBODY)
    assert wait_until(lambda: one.saw(Up))
    assert time.monotonic() - began < A_BUSY_SECOND_S


def test_ways_to_one_broker_are_tried_in_their_order_and_the_one_that_worked_comes_first(
    link: MakeLink, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "croody.link")
    ways = [Cable(broker.address) for _ in range(3)]
    closed, second, third = ways
    closed.close()
    try:
        one = link(*(way.address for way in ways), in_order=True)
        for times in (1, 2, 3):
            assert wait_until(lambda times=times: one.saw(Up) == times)  # type: ignore[misc]
            second.cut()
        assert wait_until(lambda: one.saw(Up) == 4)
        said = [record.getMessage() for record in caplog.records]
        assert not any(str(third.address) in line for line in said)
        # What did not work is tried once, not at every return.
        assert sum(str(closed.address) in line and "cannot reach" in line for line in said) <= 1
    finally:
        second.close()
        third.close()


def test_a_loss_and_a_return_are_logged_once_each(link: MakeLink, broker: Broker, cable: Cable, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "croody.link")
    one = link(cable.address)
    assert wait_until(lambda: one.saw(Up))
    broker.kill()
    cable.cut()
    assert wait_until(lambda: one.saw(Down))
    time.sleep(1.5)
    broker.start()
    assert wait_until(lambda: one.saw(Up) == 2)
    said = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "croody.link"]
    assert [level for level, _ in said] == ["INFO", "WARNING", "INFO"], said
    assert "lost" in said[1][1]
    assert "back" in said[2][1]


def test_a_wrong_secret_is_said_plainly_and_tried_again_gently(link: MakeLink, broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    one = link(broker.address, secret="wrong")
    assert wait_until(lambda: one.trouble)
    time.sleep(1.5)
    assert one.saw(Up) == 0
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING" and record.name == "croody.link"]
    assert "refused" in warning
    assert f"croody robot rotate {ROBOT}" in warning
    assert warning.endswith("trying again")
    assert one.trouble in warning
    assert one._thread is not None
    assert one._thread.is_alive()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x02\x00\x00\x90\x03\x00\x01\x80",
        b"\x20\x02\x00\x00\x90\xff\xff\xff\xff\xff\xff",
        b"\x20\x02\x00\x00\x30\x02\x00\x50",
        b"\x20\x02\x00\x00\x30\x04\x00\x02\xff\xfe",
        b"\x20\x00",
        b"\x00" * 64,
        b"",
    ],
)
def test_bytes_that_are_not_mqtt_do_not_end_the_link(link: MakeLink, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        one = link(BrokerAddress("127.0.0.1", listener.getsockname()[1]))
        for _ in range(3):
            end, _ = listener.accept()
            with end:
                end.settimeout(5)
                assert end.recv(1000)[:1] == b"\x10", "it tries again with a CONNECT"
                end.sendall(answer)
                # It may have hung up on such an answer before we do.
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    end.recv(1000)
        assert one.saw(Up) in (0, 3)
        assert one.publish(topics.build(topics.UpTelemetry(ROBOT)), b"{}") is None


def test_a_peer_that_accepts_and_says_nothing_does_not_hold_the_link(link: MakeLink, broker: Broker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = link(broker.address, BrokerAddress("127.0.0.1", listener.getsockname()[1]))
        end, _ = listener.accept()
        with end:
            assert wait_until(lambda: one.saw(Up), 14)


def test_a_link_whose_thread_has_ended_is_given_a_new_one(link: MakeLink, broker: Broker) -> None:
    def broken() -> None:
        raise RuntimeError("nobody expects this")

    one = link(broker.address)
    assert wait_until(lambda: one.saw(Up))
    thread = one._thread
    assert thread is not None
    one._on_news = broken
    quiet, threading.excepthook = threading.excepthook, lambda _: None
    try:
        one.publish(topics.build(topics.UpPresence(ROBOT)), b"{}")
        thread.join(5)
    finally:
        threading.excepthook = quiet
    assert not thread.is_alive()
    one._on_news = lambda: None
    one.start()
    assert wait_until(lambda: one.saw(Up) == 2)


def test_what_is_said_to_the_robot_arrives(link: MakeLink, broker: Broker, cloud: Cloud) -> None:
    one = link(broker.address)
    assert wait_until(lambda: one.saw(Up))
    cloud.say(topics.DownAck(ROBOT), b"hello")
    assert wait_until(lambda: one.saw(Message))
    assert Message(topics.build(topics.DownAck(ROBOT)), b"hello") in one.seen


def test_the_will_speaks_when_the_robot_is_lost(link: MakeLink, cable: Cable, cloud: Cloud) -> None:
    one = link(cable.address)
    assert wait_until(lambda: one.saw(Up))
    cable.cut()
    assert wait_until(lambda: [presence.state for presence in cloud.presence] == ["offline"])
    assert not cloud.presence[0].goodbye


@pytest.fixture
def door(broker: Broker, certificate: tuple[Path, Path]) -> Iterator[TlsDoor]:
    made = TlsDoor(broker.address, certificate)
    yield made
    made.close()


def test_over_tls_with_the_right_authority(link: MakeLink, door: TlsDoor, certificate: tuple[Path, Path], cloud: Cloud) -> None:
    one = link(door.address, ca_file=certificate[0])
    assert wait_until(lambda: one.saw(Up))
    cloud.say(topics.DownAck(ROBOT), b"x" * 200_000)
    assert wait_until(lambda: one.saw(Message))


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_certificate_that_nobody_vouches_for_is_refused(link: MakeLink, door: TlsDoor, caplog: pytest.LogCaptureFixture) -> None:
    one = link(door.address)
    time.sleep(1)
    assert one.saw(Up) == 0
    assert "certificate verify failed" in caplog.text
    assert "CROODY_CA_FILE" in caplog.text


def test_what_somebody_has_to_put_right_is_said_also_when_the_broker_was_only_away_before(
    link: MakeLink, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "croody.link")
    address = BrokerAddress("127.0.0.1", free_port())
    one = link(address, secret="wrong")
    time.sleep(0.5)
    front = Cable(broker.address, address.port)
    try:
        assert wait_until(lambda: "croody robot rotate" in caplog.text)
        time.sleep(1)
    finally:
        front.close()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 2, said
    assert "nobody listens" in said[0]
    assert one.trouble
