"""What those who never log in can cost the broker: memory, places, lines of its log. Robots come in meanwhile."""

import resource
import shutil
import socket
import ssl
import time
from pathlib import Path

import pytest

from croody_contract.connection_limits import PATIENCE_S, Crowd, Visitor, one_address
from croody_contract.limits import KIB, MIB
from tests.broker.house import ALICE, House, closed_within, free_ports, wait_until
from tests.broker.test_broker_tls import Authority, lets_in_without_certificate, tls_house


def visitor(address: str = "a", since_s: float = 0.0, *, shaking: bool = False) -> Visitor:
    return Visitor(address, since_s, lambda: None, shaking)


def test_an_address_that_is_full_makes_room_among_its_own_the_oldest_first() -> None:
    crowd = Crowd(most=10, most_of_one=2)
    other, oldest, second = visitor("b"), visitor(), visitor()
    assert [crowd.enter(each) for each in (other, oldest, second)] == [None, None, None]
    assert crowd.enter(visitor()) is oldest
    assert crowd.enter(visitor()) is second
    assert len(crowd) == 3


def test_where_all_is_full_the_address_with_the_most_makes_room() -> None:
    crowd = Crowd(most=4, most_of_one=3)
    many = [visitor("many") for _ in range(3)]
    for each in (visitor("few"), *many):
        assert crowd.enter(each) is None
    assert crowd.enter(visitor("another")) is many[0]


def test_a_handshake_that_has_begun_is_left_alone_for_a_moment_and_the_newcomer_of_its_address_goes() -> None:
    crowd = Crowd(most=10, most_of_one=2)
    shaking = [visitor(shaking=True), visitor(shaking=True)]
    for each in shaking:
        crowd.enter(each)
    newcomer = visitor(since_s=PATIENCE_S / 2)
    assert crowd.enter(newcomer) is newcomer
    assert crowd.enter(visitor(since_s=PATIENCE_S + 0.1)) is shaking[0]


def test_handshakes_of_one_crowded_address_do_not_keep_another_address_out() -> None:
    crowd = Crowd(most=2, most_of_one=2)
    first, second = visitor(shaking=True), visitor(shaking=True)
    crowd.enter(first)
    crowd.enter(second)
    assert crowd.enter(visitor("robot")) is first


def test_who_left_counts_no_more_and_may_leave_twice() -> None:
    crowd = Crowd(most=10, most_of_one=1)
    one = visitor()
    crowd.enter(one)
    crowd.leave(one)
    crowd.leave(one)
    assert crowd.enter(visitor()) is None
    assert len(crowd) == 1


@pytest.mark.parametrize(
    ("text", "counted"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::"), ("fe80::1%eth0", "fe80::")],
)
def test_of_ipv6_a_network_counts_as_one_address(text: str, counted: str) -> None:
    assert one_address(text) == counted


def client_hello() -> bytes:
    context = ssl.create_default_context()
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def connect(house: House, port: int, address: str, said: bytes) -> None:
    """A stranger at `address`, who says this and waits."""
    stranger = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
    house.sockets.append(stranger)
    stranger.sendall(said)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt install openssl")
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize("said", [b"", client_hello()], ids=["nothing", "half a handshake"])
def test_a_thousand_strangers_of_several_addresses_cost_little_and_keep_no_robot_out(
    said: bytes, tmp_path: Path, authority: Authority
) -> None:
    [port] = free_ports(1)
    with tls_house("amqtt", tmp_path, port, *authority.issue("broker", "server")) as house:
        assert isinstance(house, House)
        assert lets_in_without_certificate(authority, port)
        before, most = house.rss_bytes(), 0
        for number in range(1000):
            connect(house, port, f"127.0.1.{number % 4}", said)
            if number % 100 == 99:
                most = max(most, house.rss_bytes())
                assert lets_in_without_certificate(authority, port)
        assert most - before < 48 * MIB, f"{(most - before) / MIB:.0f} MiB"
        assert closed_within(house.sockets[0])


def test_a_log_line_a_minute_says_that_no_connection_can_be_taken(tmp_path: Path, authority: Authority) -> None:
    [port] = free_ports(1)
    with tls_house("amqtt", tmp_path, port, *authority.issue("broker", "server")) as house:
        assert isinstance(house, House)
        limit = len(list(Path(f"/proc/{house.process.pid}/fd").iterdir())) + 20
        resource.prlimit(house.process.pid, resource.RLIMIT_NOFILE, (limit, 20_000))
        for at in (port, house.port) * 30:
            house.sockets.append(socket.create_connection(("127.0.0.1", at)))
        assert wait_until(lambda: "raise the limit of open files" in house.log())
        time.sleep(2.5)
        assert house.log().count("raise the limit of open files") == 1
        assert len(house.log()) < 4 * KIB
        for each in house.sockets:
            each.close()
        assert wait_until(lambda: lets_in_without_certificate(authority, port))
        house.client(ALICE).up()
