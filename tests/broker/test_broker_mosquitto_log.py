"""Mosquitto's log of every packet -> the few lines for a person, and the publishes that it refused."""

from croody_broker.mosquitto_log import MosquittoLog, Refusal

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
            passed, found = log.feed(LOG[start : start + size])
            lines += passed
            refusals += found
        assert (lines, refusals) == (LINES, REFUSALS)


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    log = MosquittoLog()
    assert log.feed(b"x" * 200_000) == ("x" * 200_000 + "\n", [])
