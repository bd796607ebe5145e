"""What the broker tells detection of who comes to it: on both engines, through MQTT itself, to the bridge alone.

Each test has a broker of its own: what others left is told to the next bridge, and Mosquitto's log of packets rests after a flood.
"""

import contextlib
import time

import pytest

from croody_broker.mosquitto_visitors import Visit, Visitors
from croody_broker.noticed import MOMENT_S, Notices
from croody_contract import security
from croody_contract.security import Kind, Noticed, Report
from tests.broker.house import ALICE, BOB, CARLOS, Client, House, wait_until

LOG = b"""2026-11-30T17:09:44: New connection from 10.0.0.9:39437 on port 1883.
2026-11-30T17:09:44: New connection from 10.0.0.7:11111 on port 1883.
2026-11-30T17:09:44: Sending CONNACK to 10.0.0.7 (0, 5)
2026-11-30T17:09:44: Client <unknown> disconnected, not authorised.
2026-11-30T17:09:45: New client connected from 10.0.0.9:39437 as rover-1 (p2, c1, k60, u'rover-1').
2026-11-30T17:09:45: Denied PUBLISH from rover-1 (d0, q1, r0, m1, 'croody/v1/rover-2/up/telemetry', ... (2 bytes))
2026-11-30T17:09:46: Received SUBSCRIBE from rover-1
2026-11-30T17:09:46: \tcroody/v1/rover-1/down/# (QoS 1)
2026-11-30T17:09:46: \t# (QoS 0)
2026-11-30T17:09:47: New connection from 2001:db8:1:2::3:4000 on port 8883.
2026-11-30T17:09:47: Client <unknown> disconnected due to protocol error.
2026-11-30T17:09:48: Client rover-1 already connected, closing old connection.
2026-11-30T17:09:49: Client <unknown> disconnected, not authorised.
2026-11-30T17:09:50: New connection from 172.18.0.3:4000 on port 1883.
2026-11-30T17:09:50: Sending CONNACK to probe (0, 5)
2026-11-30T17:09:50: Client probe disconnected, not authorised.
"""


def reports_of(bridge: Client) -> list[Report]:
    return [security.decode_report(payload) for topic, payload in bridge.drain() if topic == security.TOPIC]


def hears(bridge: Client, noticed: list[Noticed], *kinds: Kind) -> bool:
    noticed += [one for report in reports_of(bridge) for one in report.noticed]
    return set(kinds) <= {one.kind for one in noticed}


def refused_client(house: House, user: str, secret: str) -> None:
    client = house.client(user, secret=secret)
    assert client.refused()
    client.close()


def test_wrong_secrets_are_told_with_their_address_and_never_themselves(changing_house: House) -> None:
    house = changing_house
    bridge = house.bridge()
    bridge.subscribe(security.TOPIC, 0)
    for secret in ("wrong-1", "wrong-2", "wrong-2"):
        refused_client(house, ALICE, secret)
    refused_client(house, "rover-nobody", "wrong-3")
    noticed: list[Noticed] = []
    assert wait_until(
        lambda: hears(bridge, noticed, Kind.WRONG_SECRET) and sum(one.times for one in noticed if one.kind is Kind.WRONG_SECRET) == 4, 10
    )
    wrong = [one for one in noticed if one.kind is Kind.WRONG_SECRET]
    assert {one.address for one in wrong} == {"127.0.0.1"}
    assert "wrong-" not in repr(noticed)
    if house.engine == "amqtt":
        assert {one.account: one.known for one in wrong} == {ALICE: True, "rover-nobody": False}
        assert len({one.secret for one in wrong if one.account == ALICE}) == 2, "which are the same is told"


def test_what_is_not_the_accounts_is_told(changing_house: House) -> None:
    house = changing_house
    bridge = house.bridge()
    bridge.subscribe(security.TOPIC, 0)
    carlos = house.client(CARLOS).up()
    with contextlib.suppress(AssertionError):
        carlos.subscribe(f"croody/v1/{ALICE}/down/#")
    with contextlib.suppress(RuntimeError):
        carlos.publish(f"croody/v1/{ALICE}/up/telemetry", b"{}", 0)
    noticed: list[Noticed] = []
    assert wait_until(lambda: hears(bridge, noticed, Kind.DENIED_PUBLISH, Kind.DENIED_SUBSCRIBE), 10)
    mine = {one.kind: one for one in noticed if one.account == CARLOS}
    assert mine[Kind.DENIED_PUBLISH].topic == f"croody/v1/{ALICE}/up/telemetry"
    assert mine[Kind.DENIED_SUBSCRIBE].topic == f"croody/v1/{ALICE}/down/#"
    assert mine[Kind.DENIED_PUBLISH].address == "127.0.0.1"
    carlos.close()


def test_a_robot_can_neither_read_nor_write_it(changing_house: House) -> None:
    house = changing_house
    bridge = house.bridge()
    bridge.subscribe(security.TOPIC, 0)
    bob = house.client(BOB).up()
    bob.subscribe(security.TOPIC, 0)
    refused_client(house, ALICE, "wrong")
    noticed: list[Noticed] = []
    assert wait_until(lambda: hears(bridge, noticed, Kind.WRONG_SECRET), 10)
    assert bob.drain() == []
    with contextlib.suppress(RuntimeError):
        bob.publish(security.TOPIC, b"forged", 0)
    refused_client(house, ALICE, "wrong again")
    end = time.monotonic() + 10
    heard: list[bytes] = []
    while time.monotonic() < end and len(heard) < 1:
        heard += [payload for topic, payload in bridge.drain() if topic == security.TOPIC]
        time.sleep(0.05)
    assert heard
    assert b"forged" not in heard
    bob.close()


def test_what_came_while_no_bridge_listened_is_told_to_the_next_one(changing_house: House) -> None:
    house = changing_house
    if house.engine == "mosquitto":
        pytest.skip("Mosquitto keeps nothing for a bridge that was never there")
    refused_client(house, ALICE, "while nobody listens")
    time.sleep(2 * MOMENT_S)
    bridge = house.bridge()
    bridge.subscribe(security.TOPIC, 0)
    reports: list[Report] = []
    assert wait_until(lambda: bool(reports.extend(reports_of(bridge)) or reports), 10)
    assert reports[0].ago_s >= MOMENT_S / 2
    assert any(one.kind is Kind.WRONG_SECRET for one in reports[0].noticed)


def test_a_flood_of_different_things_is_counted_and_not_kept() -> None:
    notices = Notices()
    for number in range(100_000):
        notices.take(0.0, Kind.WRONG_SECRET, address=f"10.0.{number % 200}.{number % 250}", account=f"robot-{number}", secret=str(number))
    assert not notices.close(0.5)
    assert notices.close(MOMENT_S)
    (payload,) = notices.hand_over(MOMENT_S)
    report = security.decode_report(payload)
    assert len(report.noticed) == security.MOST
    assert sum(one.times for one in report.noticed) + report.left_out == 100_000
    assert not notices.close(9.0)


def test_hours_without_a_bridge_are_bounded_and_what_went_is_counted() -> None:
    notices = Notices()
    for second in range(1_000):
        notices.take(float(second), Kind.MALFORMED, address="10.0.0.1")
        notices.close(second + MOMENT_S)
    reports = [security.decode_report(payload) for payload in notices.hand_over(2_000.0)]
    assert len(reports) == security.MOST_REPORTS
    assert reports[0].left_out == 1_000 - security.MOST_REPORTS
    assert reports[0].ago_s > reports[-1].ago_s


def test_text_that_somebody_chose_fits_its_limits() -> None:
    notices = Notices()
    notices.take(0.0, Kind.DENIED_PUBLISH, address="x" * 999, account="\x1b" * 999, topic="é\n" * 999)
    notices.close(MOMENT_S)
    (one,) = security.decode_report(notices.hand_over(MOMENT_S)[0]).noticed
    assert one.account.startswith("\\x1b")
    assert len(one.account) == security.ACCOUNT_CHARS
    assert len(one.topic) == security.TOPIC_CHARS


def test_mosquittos_log_names_who_was_refused_and_who_asked_for_what_is_not_theirs() -> None:
    visitors = Visitors()
    visits = [visit for line in LOG.splitlines(keepends=True) for visit in visitors.read(line)]
    assert visits == [
        Visit(Kind.WRONG_SECRET, "10.0.0.7"),
        Visit(Kind.CONNECTED, "10.0.0.9", "rover-1"),
        Visit(Kind.DENIED_PUBLISH, "10.0.0.9", "rover-1", "croody/v1/rover-2/up/telemetry"),
        Visit(Kind.DENIED_SUBSCRIBE, "10.0.0.9", "rover-1", "#"),
        Visit(Kind.MALFORMED, "2001:db8:1:2::"),
        Visit(Kind.TAKEN_OVER, "10.0.0.9", "rover-1"),
    ]


def test_connections_of_which_nothing_more_is_heard_are_forgotten() -> None:
    visitors = Visitors()
    for port in range(20_000):
        list(visitors.read(b"2026-11-30T17:09:44: New connection from 10.0.0.9:%d on port 1883.\n" % port))
    assert len(visitors._waiting) <= 4096
