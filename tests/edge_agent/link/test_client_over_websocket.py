"""An agent that reaches its broker over WebSocket: deliveries, cuts, large batches, and every refusal with its remedy."""

import os
import socket
import subprocess
import sys
import threading
import time
from base64 import b85encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.frames import Opcode

from croody_contract import topics
from croody_contract.messages import Reading
from croody_edge.link.address import BrokerAddress
from croody_edge.link.connection import Down, Message, Up
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import NOBODY, ROBOT, SECRET, Broker, Cloud, Counting, Silent, reading, settings, wait_until
from tests.edge_agent.link.gateways import Gateway, Peer, Talk, read_head, refusal
from tests.edge_agent.link.lines import Cable, TlsDoor, Watched
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

Drive = Callable[..., Driven]
MakeLink = Callable[..., Watched]


@pytest.fixture(params=["amqtt", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path, free_ports: Callable[[int], list[int]]) -> Iterator[Broker]:
    """A real broker of either engine, with a listener for WebSockets."""
    folder = tmp_path / "broker"
    folder.mkdir()
    port, websocket_port = free_ports(2)
    made = Broker(folder, port, request.param, websocket_port)
    yield made
    made.kill()


only_amqtt = pytest.mark.parametrize("broker", ["amqtt"], indirect=True)


def everything_arrived(driven: Driven, cloud: Cloud) -> bool:
    return driven.agent.pending() == 0 and all(cloud.ledger.accounts_for(stream, seq) for stream, seq, _ in list(driven.published))


def large(number: int) -> Reading:
    """About 60 KiB that compression makes little smaller."""
    return reading(number, **{f"t{index}": b85encode(os.urandom(800)).decode() for index in range(60)})


def test_readings_arrive_and_are_acknowledged(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    source = Counting(0.01)
    driven = drive(settings(tmp_path / "edge", broker.websocket), source, None)
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) >= 50)
    driven.stop()
    assert everything_arrived(driven, cloud)
    assert [record.data["n"] for record in cloud.ledger.of(Reading)] == list(range(1, source.count + 1))
    assert wait_until(lambda: [presence.state for presence in cloud.presence][-1:] == ["offline"])


def test_a_cut_in_the_middle_and_a_killed_broker_lose_nothing(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    cable = Cable(broker.websocket)
    try:
        driven = drive(settings(tmp_path / "edge", cable.address), Counting(0.005), None)
        for round_ in range(4):
            count = len(cloud.ledger.records)
            assert wait_until(lambda count=count: len(cloud.ledger.records) > count + 30)
            if round_ % 2:
                broker.kill()
                broker.start()
            else:
                cable.cut()
        count = len(cloud.ledger.records)
        assert wait_until(lambda: len(cloud.ledger.records) > count + 30)
        driven.pause()
        driven.agent.stop(5.0)
    finally:
        cable.close()
    assert wait_until(lambda: everything_arrived(driven, cloud))
    assert cloud.ledger.conflicts == []
    assert cloud.ledger.missing() == {}


def test_large_batches_pass(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    away = drive(settings(tmp_path / "edge"), Silent(), None)
    for number in range(9):
        away.agent.publish(large(number))
    away.stop(0.0)
    driven = drive(settings(tmp_path / "edge", broker.websocket), Silent(), None)
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert all(cloud.ledger.has(stream, seq) for stream, seq, _ in away.published)
    assert max(size for _, size in cloud.publishes) > 180_000


def test_large_batches_pass_through_tls(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive, certificate: tuple[Path, Path]) -> None:
    door = TlsDoor(broker.websocket, certificate)
    try:
        driven = drive(settings(tmp_path / "edge", door.address, ca_file=certificate[0]), Silent(), None)
        with driven.agent._guard:
            for number in range(9):
                driven.agent.publish(large(number))
        assert wait_until(lambda: driven.agent.pending() == 0)
        assert everything_arrived(driven, cloud)
        assert max(size for _, size in cloud.publishes) > 180_000
        driven.stop()
    finally:
        door.close()


@only_amqtt
def test_a_large_message_for_the_robot_arrives(link: MakeLink, broker: Broker, cloud: Cloud) -> None:
    one = link(broker.websocket)
    assert wait_until(lambda: one.saw(Up))
    payload = os.urandom(200_000)
    cloud.say(topics.DownAck(ROBOT), payload)
    assert wait_until(lambda: one.saw(Message))
    assert Message(topics.build(topics.DownAck(ROBOT)), payload) in one.seen


@only_amqtt
def test_a_peer_that_went_silent_is_noticed_within_one_and_a_half_keepalives(link: MakeLink, broker: Broker) -> None:
    cable = Cable(broker.websocket)
    try:
        one = link(cable.address, keepalive_s=4)
        assert wait_until(lambda: one.saw(Up))
        cable.silent.set()
        began = time.monotonic()
        while not one.saw(Down) and time.monotonic() - began < PATIENCE_S:
            one.publish(topics.build(topics.UpTelemetry(ROBOT)), b"x" * 100_000)
            time.sleep(0.2)
        assert time.monotonic() - began <= 1.5 * 4 + A_BUSY_SECOND_S
        cable.silent.clear()
        # It may have asked again while nobody listened.
        cable.cut()
        assert wait_until(lambda: one.saw(Up) == 2)
    finally:
        cable.close()


@only_amqtt
def test_an_idle_link_stays_up_for_several_keepalives(link: MakeLink, broker: Broker) -> None:
    one = link(broker.websocket, keepalive_s=2)
    assert wait_until(lambda: one.saw(Up))
    time.sleep(5)
    assert one.saw(Down) == 0


def test_a_wrong_secret_is_said_as_it_is_without_a_websocket(link: MakeLink, broker: Broker) -> None:
    one = link(broker.websocket, secret="wrong")
    assert wait_until(lambda: f"croody robot rotate {ROBOT}" in one.trouble)
    assert one.saw(Up) == 0


@pytest.mark.parametrize(
    ("status", "headers", "path", "said"),
    [
        ("404 Not Found", (), "/", "refused: 404 Not Found: this address has no MQTT: the path is /mqtt as a rule"),
        ("404 Not Found", (), "/mqtt", "this address has no MQTT: look which path of 127.0.0.1 has it"),
        ("502 Bad Gateway", (), "/mqtt", "refused: 502 Bad Gateway: the broker behind the gateway is away: is it up?"),
        ("503 Service Unavailable", (), "/mqtt", "the broker behind the gateway is away"),
        ("426 Upgrade Required", ("Upgrade: websocket",), "/mqtt", "a proxy on the way passes no WebSocket on"),
        ("200 OK", (), "/", "this address has no MQTT, or a proxy on the way passes no WebSocket on: the path is /mqtt as a rule"),
        ("301 Moved", ("Location: https://robots.example/mqtt",), "/mqtt", "give wss://robots.example/mqtt in CROODY_BROKER_URL"),
        ("302 Found", (), "/mqtt", "the gateway sends to nowhere: give another address"),
        ("400 Bad Request", (), "/mqtt", "a port with TLS takes wss:// in CROODY_BROKER_URL"),
        ("407 Proxy Authentication Required", (), "/mqtt", "have 127.0.0.1 let through"),
        ("429 Too Many Requests", (), "/mqtt", "refused: 429 Too Many Requests: the gateway takes no more connections from here"),
        ("418 I'm a teapot", (), "/mqtt", "refused: 418 I'm a teapot; trying again"),
    ],
)
def test_a_refused_upgrade_names_its_remedy_once_and_is_tried_again_gently(
    link: MakeLink, caplog: pytest.LogCaptureFixture, status: str, headers: tuple[str, ...], path: str, said: str
) -> None:
    with Gateway(refusal(status, *headers), path=path) as gateway:
        one = link(gateway.address)
        assert wait_until(lambda: gateway.visits >= 3)
        began, before = time.monotonic(), gateway.visits
        time.sleep(0.6)
        assert (gateway.visits - before) / (time.monotonic() - began) < 6, "it backs off"
        (warning,) = [record.getMessage() for record in caplog.records if record.name == "croody.link"]
        assert said in warning
        assert f"cannot reach {gateway.address}" in warning
        assert one.trouble in warning


def after_the_request(answer: bytes) -> Talk:
    def talk(end: socket.socket) -> None:
        end.recv(1000)
        end.sendall(answer)

    return talk


@pytest.mark.parametrize(
    ("tls", "answer", "said"),
    [
        (False, b"", "closed before an answer: this port may have no gateway: a port with TLS takes wss://"),
        (False, b"\x15\x03\x01\x00\x02\x02\x16", "a port with TLS takes wss://"),
        (True, b"", "the broker's own, 8883 as a rule, takes mqtts://"),
    ],
)
def test_a_port_that_is_no_gateways_is_told(link: MakeLink, certificate: tuple[Path, Path], tls: bool, answer: bytes, said: str) -> None:
    with Gateway(after_the_request(answer), certificate=certificate if tls else None) as gateway:
        one = link(gateway.address, ca_file=certificate[0])
        assert wait_until(lambda: said in one.trouble), one.trouble


def test_a_gateway_without_tls_is_told_from_one_that_is_down(link: MakeLink) -> None:
    with Gateway(after_the_request(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as gateway:
        one = link(BrokerAddress(gateway.address.host, gateway.address.port, tls=True, path="/mqtt"))
        assert wait_until(lambda: "wss:// takes the port with TLS, 443 as a rule" in one.trouble), one.trouble


def test_a_certificate_that_nobody_vouches_for_is_refused(link: MakeLink, certificate: tuple[Path, Path]) -> None:
    with Gateway(refusal("404 Not Found"), certificate=certificate) as gateway:
        one = link(gateway.address)
        assert wait_until(lambda: "CROODY_CA_FILE" in one.trouble), one.trouble


def dribble(end: socket.socket) -> None:
    """A letter now and then, and never all of them: no wait for the next letter may be the limit."""
    for byte in b"HTTP/1.1 101 Switching Protocols" * 10:
        end.sendall(bytes([byte]))
        time.sleep(1)


@only_amqtt
def test_of_several_addresses_one_that_answers_is_found_whatever_the_others_do(link: MakeLink, broker: Broker) -> None:
    nobody = BrokerAddress("127.0.0.1", NOBODY.port, path="/mqtt")
    with Gateway(refusal("502 Bad Gateway")) as away:
        one = link(NOBODY, away.address, nobody, broker.websocket)
        assert wait_until(lambda: one.saw(Up))
        two = link(away.address, broker.address, nobody)
        assert wait_until(lambda: two.saw(Up))


@pytest.mark.slow
def test_an_answer_that_never_ends_does_not_hold_the_link(link: MakeLink) -> None:
    with Gateway(dribble) as gateway:
        one = link(gateway.address)
        assert wait_until(lambda: "the upgrade took longer than 10 s: no answer from 127.0.0.1" in one.trouble), one.trouble


def test_whoever_closes_does_not_wait_for_a_silent_gateway() -> None:
    def silent(end: socket.socket) -> None:
        read_head(end)
        end.recv(1)

    with Gateway(silent) as gateway:
        one = Watched(gateway.address)
        one.start()
        assert wait_until(lambda: gateway.visits)
        began = time.monotonic()
        one.close(wait_s=0)
        assert time.monotonic() - began < 8
        assert one._thread is not None
        assert not one._thread.is_alive()


def let_in(end: socket.socket) -> Peer:
    """What a broker says to a CONNECT and a SUBSCRIBE; the latter is not on its way yet."""
    peer = Peer(end)
    peer.next()
    peer.protocol.send_binary(b"\x20\x02\x00\x00")
    peer.flush()
    subscribe = bytes(peer.next().data)
    peer.protocol.send_binary(b"\x90\x03" + subscribe[2:4] + b"\x00")
    return peer


def test_many_messages_in_one_piece_are_all_read_at_once(link: MakeLink) -> None:
    def talk(end: socket.socket) -> None:
        peer = let_in(end)
        for number in range(50):
            peer.protocol.send_binary(b"\x30\x06\x00\x01t" + f"{number:03}".encode())
        peer.flush()
        peer.next()

    with Gateway(talk) as gateway:
        one = link(gateway.address, keepalive_s=60)
        assert wait_until(lambda: one.saw(Message) == 50)
        assert [happening.payload for happening in one.seen if isinstance(happening, Message)] == [b"%03d" % n for n in range(50)]


def test_a_ping_is_answered_also_by_a_link_that_has_nothing_to_say(link: MakeLink) -> None:
    answered = threading.Event()

    def talk(end: socket.socket) -> None:
        peer = let_in(end)
        peer.protocol.send_ping(b"you there?")
        peer.flush()
        if peer.next().opcode is Opcode.PONG:
            answered.set()

    with Gateway(talk) as gateway:
        link(gateway.address, keepalive_s=60)
        assert answered.wait(PATIENCE_S)


def test_the_reason_with_which_a_broker_closes_is_told(link: MakeLink, caplog: pytest.LogCaptureFixture) -> None:
    def talk(end: socket.socket) -> None:
        peer = let_in(end)
        peer.protocol.send_close(1012, "service restart")
        peer.flush()
        peer.next()

    with Gateway(talk) as gateway:
        one = link(gateway.address)
        assert wait_until(lambda: one.saw(Down))
        lost = next(record.getMessage() for record in caplog.records if record.levelname == "WARNING")
        assert f"lost {gateway.address}: the WebSocket was closed: 1012 service restart; trying again" in lost


@only_amqtt
def test_virtual_robots_come_the_same_way(tmp_path: Path, broker: Broker, cloud: Cloud) -> None:
    (tmp_path / "credentials").write_text(f"{ROBOT} {SECRET}\n", encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ROBOT_", "CROODY_", "LC_", "TELEMETRY_"))}
    command = [str(Path(sys.executable).with_name("croody-sim")), "--credentials", tmp_path / "credentials", "--state", tmp_path / "state"]
    command += ["--broker", str(broker.websocket), "--rate", "10", "--duration", "3", "--no-tcp"]
    done = subprocess.run(command, env=environ | {"LANG": "en"}, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"1 robots to {broker.websocket}" in done.stdout
    assert len(cloud.ledger.of(Reading)) > 5
