"""What the bench makes of its figures: percentiles, rows, ratios, goals, schedules."""

from datetime import UTC, datetime

import pytest

from croody_contract.messages import Telemetry, decode_record, decode_telemetry
from tools.bench.offer import Result
from tools.bench.readings import Stamp, batch
from tools.bench.row import OURS, Goal, Row, number, play
from tools.bench.schedule import Schedule, steady
from tools.bench.stats import longest_run, percentile, sustained, within
from tools.bench.work import wire


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed():
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0, 0.0)] == [50, 99, 100, 1]
    assert percentile([7], 0.99) == 7
    with pytest.raises(ValueError, match="nothing arrived"):
        percentile([], 0.5)


def test_moments_are_counted_in_a_window_that_holds_its_start_and_not_its_end():
    assert within([0.0, 1.0, 1.0, 2.0, 3.0], 1.0, 3.0) == 3


def _queue(capacity: float, rising: Schedule, *, stalled_until: float = 0.0) -> list[tuple[float, float]]:
    """Due and duration of messages that one server takes one by one, after a stall at the start."""
    found, free = [], stalled_until
    for index in range(rising.count):
        due = rising.at(index)
        free = max(free, due) + 1 / capacity
        found.append((due, free - due))
    return found


def test_the_ceiling_is_what_is_served_once_an_offer_that_rises_is_too_much():
    rising = Schedule(100, 1_900, 10)
    assert sustained(_queue(1_000, rising), 10) == pytest.approx(1_000, rel=0.01)
    assert sustained(_queue(1_000, rising, stalled_until=2), 10) == pytest.approx(1_000, rel=0.01), "a stall that is over does not count"
    assert sustained(_queue(1_400, rising), 10) == pytest.approx(1_400, rel=0.01)
    assert sustained(_queue(9_999, rising), 10) == pytest.approx(1_630, rel=0.01), "who keeps up is measured by the last of the offer"
    assert sustained([], 10) == 0


def test_a_burst_after_a_stall_is_no_ceiling():
    rising = Schedule(100, 1_900, 10)
    dues = [due for due, _ in _queue(9_999, rising)]
    caught_up = [(due, max(9.5 - due, 0.01) if due > 5 else 0.01) for due in dues]
    assert sustained(caught_up, 10) == pytest.approx(1_630, rel=0.01)
    too_late = [(due, 15 + due / 1000 - due if due > 5 else 0.01) for due in dues]
    assert sustained(too_late, 10) == pytest.approx(725, rel=0.01), "7,250 in the ten seconds from its last timely one to the end"


def test_a_hold_ends_when_somebody_else_was_seen_between():
    samples = [(0.0, True), (0.1, True), (0.2, False), (0.3, True), (0.7, True), (0.8, False)]
    assert longest_run(samples) == pytest.approx(0.4)
    assert longest_run([(0.0, False)]) == 0


def test_contenders_take_turns_and_nobody_is_always_first():
    order: list[str] = []

    def contender(name: str, value: float) -> dict[str, float]:
        order.append(name)
        return {"rate": value + len(order)}

    outcome = play({OURS: lambda: contender("ours", 10), "peer": lambda: contender("peer", 20)}, 3)
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert outcome.row("x", "rate", "/s").values == {OURS: [11, 14, 15], "peer": [22, 23, 26]}


def test_a_figure_that_a_peer_has_not_is_left_out_of_its_row():
    outcome = play({OURS: lambda: {"rate": 1.0, "lost": 0.0}, "peer": lambda: {"rate": 2.0}}, 1)
    assert outcome.row("x", "lost", "").values == {OURS: [0.0]}


@pytest.mark.parametrize(
    ("goal", "met", "text"),
    [
        (Goal(100), True, "at most 100 ms"),
        (Goal(20), False, "at most 20 ms"),
        (Goal(0.9, most=False, of="peer"), False, "at least 0.9 x peer"),
        (Goal(3, of="peer"), True, "at most 3 x peer"),
        (Goal(3, of="absent"), None, "at most 3 x absent"),
    ],
)
def test_a_goal_is_met_by_the_medians(goal: Goal, met: bool | None, text: str):
    row = Row("x", "ms", {OURS: [10, 30, 50], "peer": [40, 40, 1]}, goal)
    assert row.met is met
    assert goal.text("ms") == text


def test_large_numbers_are_shown_whole_and_small_ones_with_three_digits():
    assert [number(value) for value in (12_345.6, 99.95, 0.123456, 0.0)] == ["12,346", "100", "0.123", "0"]


def test_an_open_load_is_due_by_the_clock_alone():
    flat = steady(1_000, 10)
    assert (flat.count, flat.due(0), flat.due(0.0995), flat.due(99)) == (10_000, 1, 100, 10_000)
    rising = Schedule(0.0001, 2_000, 10)
    assert rising.count == 10_000
    for index in (0, 1, 5_000, 9_999):
        assert rising.due(rising.at(index) + 1e-9) == index + 1, "a message is due at its moment and not before"


def test_what_was_never_stored_counts_as_later_than_all_that_was():
    result = Result(
        seconds=10,
        offered=4,
        sent=4,
        confirmed=4,
        lost=2,
        doubled=0,
        commits=[1.0, 12.0],
        served=[(0.9, 0.1), (1, 11.0)],
        late_p99_ms=0,
        busy=0,
    )
    assert result.latency_ms(0.25) == 100
    assert result.latency_ms(0.99) == 11_000
    assert result.kept_up == 0.25
    assert result.goodput(skip_s=0) == 0.1


def test_readings_are_valid_different_numbered_and_about_as_large_as_the_page_says():
    stamp = Stamp()
    bodies = [stamp.body(index, 1_764_000_000 + index) for index in range(50)]
    decoded = [decode_telemetry(body) for body in bodies]
    assert all(isinstance(one, Telemetry) for one in decoded)
    assert [one.data["n"] for one in decoded] == list(range(50))
    assert decoded[3].ts == datetime.fromtimestamp(1_764_000_003, UTC)
    assert len(set(bodies)) == 50
    assert 220 < sum(map(len, bodies)) / 50 < 290


def test_the_records_of_a_batch_are_spaced_and_end_now():
    now = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
    times = [decode_record(raw).ts for raw in batch(3, 1, newest=now, spacing_s=20)]
    assert [(now - at).total_seconds() for at in times if at is not None] == [40, 20, 0]


def test_the_load_generators_packets_are_mqtts():
    packet = wire.publish("a/b", b"x" * 200, 513)
    assert packet[:3] == b"\x32\xcf\x01", "PUBLISH at QoS 1, 207 bytes in two length bytes"
    assert packet[3:10] == b"\x00\x03a/b\x02\x01"
    assert wire.puback(packet[3:]) == b"\x40\x02\x02\x01"
    assert wire.message(b"\x00\x03a/bhello") == ("a/b", b"hello")


def test_packets_are_parted_wherever_a_read_ends():
    whole = wire.publish("a/b", b"x" * 200, 7) + b"\x40\x02\x00\x07"
    for end in range(len(whole)):
        found, used = wire.parted(whole[:end])
        assert used <= end
        rest, _ = wire.parted(whole[used:])
        assert [kind for kind, _ in [*found, *rest]] == [3, 4]
