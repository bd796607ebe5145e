"""Mosquitto's log of every packet -> the few lines for a person, and the publishes that it refused."""

import pytest

from croody_broker.mosquitto_log import Attention, MosquittoLog, Refusal
from tests.broker.house import ALICE, House, wait_until

LOG = b"""2026-11-29T20:25:56: New client connected from 127.0.0.1:49609 as rover-1 (p2, c1, k60, u'rover-1').
2026-11-29T20:25:56: Will message specified (1 bytes) (r0, q0).
2026-11-29T20:25:56: \tcroody/v1/rover-1/up/presence
2026-11-29T20:25:56: Sending CONNACK to rover-1 (0, 0)
2026-11-29T20:25:56: Received SUBSCRIBE from rover-1
2026-11-29T20:25:56: Denied PUBLISH from rover-1 (d0, q1, r0, m2, 'croody/v1/rover-2/up/telemetry', ... (1 bytes))
2026-11-29T20:25:56: Sending PUBACK to rover-1 (m2, rc135)
2026-11-29T20:25:56: Denied PUBLISH from rover-1 (d0, q0, r0, m0, 'croody/v1/rover-2/up/it's, (x', ... (1 bytes))
2026-11-29T20:25:57: Client rover-1 \x1b[2J disconnected.
"""
LINES = (
    "2026-11-29T20:25:56: New client connected from 127.0.0.1:49609 as rover-1 (p2, c1, k60, u'rover-1').\n"
    "2026-11-29T20:25:57: Client rover-1 \\x1b[2J disconnected.\n"
)
REFUSALS = [Refusal("rover-1", "croody/v1/rover-2/up/telemetry"), Refusal("rover-1", "croody/v1/rover-2/up/it's, (x")]


def test_what_passes_is_for_a_person_and_refusals_are_found_however_it_is_cut() -> None:
    for size in (1, 7, 100, len(LOG)):
        log, lines, refusals = MosquittoLog(), "", []
        for start in range(0, len(LOG), size):
            passed, found, _visits = log.feed(LOG[start : start + size])
            lines += passed
            refusals += found
        assert (lines, refusals) == (LINES, REFUSALS)


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    log = MosquittoLog()
    assert log.feed(b"x" * 200_000) == ("x" * 200_000 + "\n", [], [])


def test_under_load_the_log_of_every_packet_is_rested_from_and_looked_at_again_a_minute_later() -> None:
    attention = Attention()
    attention.heard(10_000)
    assert not attention.look(1.0)
    assert attention.on
    attention.heard(100_000)
    assert attention.look(1.2)
    assert not attention.on
    assert not attention.look(60.0)
    assert attention.look(61.3)
    assert attention.on
    assert not attention.look(61.5), "it is quiet again"


@pytest.mark.parametrize("changing_house", ["mosquitto"], indirect=True)
def test_a_flood_is_not_logged_packet_by_packet(changing_house: House) -> None:
    conf = changing_house.folder / "mosquitto.conf"
    assert "log_type debug" in conf.read_text()
    flood = changing_house.client(ALICE).up()
    for _ in range(3000):
        flood.paho.publish(f"croody/v1/{ALICE}/up/telemetry", b"x", 0)
    flood.publish(f"croody/v1/{ALICE}/up/telemetry", b"x")
    assert wait_until(lambda: "log_type debug" not in conf.read_text())
    # Whoever has a connection keeps it.
    flood.publish(f"croody/v1/{ALICE}/up/telemetry", b"x")
    assert not flood.gone.is_set()
