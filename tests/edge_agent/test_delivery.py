"""A robot, a real broker and a cloud: what is published arrives once, whatever breaks on the way."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from croody_contract import topics
from croody_contract.messages import Ack, Born, Event, Reading, Tombstone, encode
from tests.edge_agent.conftest import Driven
from tests.edge_agent.doubles import ROBOT, Broker, Cloud, Counting, Silent, reading, settings, wait_until
from tests.patience import A_BUSY_SECOND_S

Drive = Callable[..., Driven]


def everything_arrived(driven: Driven, cloud: Cloud) -> bool:
    return driven.agent.pending() == 0 and all(cloud.ledger.accounts_for(stream, seq) for stream, seq, _ in list(driven.published))


def test_readings_arrive_in_order_and_leave_the_outbox(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    source = Counting(0.01)
    driven = drive(settings(tmp_path / "edge", broker.address), source, None)
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) >= 100)
    driven.stop()
    assert driven.agent.pending() == 0
    assert [record.data["n"] for record in cloud.ledger.of(Reading)] == list(range(1, source.count + 1))
    assert not any(historical for *_, historical in cloud.ledger.records)
    stream, seq, first, _ = cloud.ledger.records[0]
    assert isinstance(first, Born)
    assert (seq, first.capabilities) == (1, ["resend", "logs"])
    assert cloud.ledger.missing() == {}
    assert source.closed
    assert wait_until(lambda: cloud.presence[-1].state == "offline")
    assert cloud.presence[-1].goodbye, "told to stop, not lost"
    assert cloud.presence[0].state == "online"
    assert not cloud.presence[0].goodbye
    assert cloud.presence[0].stream == stream


@pytest.mark.parametrize("qos", [0, 1])
def test_through_mosquitto_as_well_and_whatever_the_qos(
    tmp_path: Path, free_port: int, drive: Drive, qos: int, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "broker").mkdir()
    broker = Broker(tmp_path / "broker", free_port, "mosquitto")
    cloud = Cloud(broker.port)
    request.addfinalizer(cloud.close)
    request.addfinalizer(broker.kill)
    driven = drive(settings(tmp_path / "edge", broker.address, qos=qos), Counting(0.005), None)
    for kills_left in (2, 1, 0):
        before = len(cloud.ledger.records)
        assert wait_until(lambda before=before: len(cloud.ledger.records) > before + 50)
        if kills_left:
            broker.kill()
            broker.start()
    driven.stop()
    assert everything_arrived(driven, cloud)
    assert cloud.ledger.missing() == {}


def test_fast_readings_travel_many_in_a_publish(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    driven = drive(settings(tmp_path / "edge", broker.address), Counting(0.0005), None)
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) >= 2000, 20)
    driven.stop()
    assert len(cloud.publishes) < len(cloud.ledger.records) / 3
    assert everything_arrived(driven, cloud)


def test_an_outage_of_the_cloud_loses_nothing_and_live_readings_overtake(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive
) -> None:
    cloud.up = False
    driven = drive(settings(tmp_path / "edge", broker.address, batch_records=20, in_flight=2, drain_rate=200), Counting(0.005), None)
    assert wait_until(lambda: driven.agent.pending() > 300)
    assert cloud.ledger.records == []
    assert len(cloud.publishes) < 30, "without acknowledgements the window stays shut: no hot loop"
    cloud.up = True
    newest = driven.published[-1][1]
    assert wait_until(lambda: any(seq >= newest for _, seq, _, _ in list(cloud.ledger.records)))
    assert driven.agent.pending() > 50, "live readings were to come before the backlog"
    assert wait_until(lambda: everything_arrived(driven, cloud), 20)
    driven.stop()
    backlog = [record for *_, record, historical in cloud.ledger.records if historical]
    assert len(backlog) > 100
    assert cloud.ledger.conflicts == []
    assert cloud.ledger.missing() == {}


def test_a_killed_broker_loses_nothing(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    driven = drive(settings(tmp_path / "edge", broker.address), Counting(0.005), None)
    for _ in range(3):
        assert wait_until(lambda: len(cloud.ledger.records) > 20)
        broker.kill()
        time.sleep(0.2)
        broker.start()
        back = time.monotonic()
        count = len(cloud.ledger.records)
        assert wait_until(lambda count=count: len(cloud.ledger.records) > count + 20)
        assert time.monotonic() - back < 2 * A_BUSY_SECOND_S
    driven.stop()
    assert wait_until(lambda: everything_arrived(driven, cloud))
    assert cloud.ledger.missing() == {}


def test_records_of_an_earlier_start_drain_under_their_own_stream(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    away = drive(settings(tmp_path / "edge"), Silent(), None)
    kept = [away.agent.publish(reading(number)) for number in range(30)]
    away.stop(0.0)
    driven = drive(settings(tmp_path / "edge", broker.address), Silent(), None)
    driven.agent.publish(reading(99))
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert all(cloud.ledger.has(*key) for key in kept)
    (first,) = {stream for stream, _ in kept}
    births = {stream: record for stream, _, record, _ in cloud.ledger.records if isinstance(record, Born)}
    (second,) = births.keys() - {first}
    assert (births[second].prev, births[second].prev_last) == (first, 31)
    assert cloud.ledger.missing() == {}


def test_an_acknowledgement_of_what_was_never_sent_deletes_nothing(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    cloud.up = False
    driven = drive(settings(tmp_path / "edge", broker.address, batch_records=1, in_flight=1, ack_timeout_s=60), Silent(), None)
    assert wait_until(lambda: cloud.publishes)
    stream, _ = driven.agent.publish(reading(1))
    driven.agent.publish(reading(2))
    sent, _ = cloud.publishes[0]
    for payload in (
        encode(Ack(stream=stream, stored=[(1, 2**50)])),
        encode(Ack(stream="another1", stored=[(1, 9)])),
        b'{"stream":"' + stream.encode() + b'","stored":[[9,1]]}',
        b'{"stream":"' + stream.encode() + b'","stored":[[0,3]]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
    ):
        cloud.say(topics.DownAck(ROBOT), payload)
    assert wait_until(lambda: driven.agent.pending() == 2)
    time.sleep(0.3)
    assert sent.first == sent.last == 1
    assert driven.agent.pending() == 2, "only the birth was sent, so only the birth may go"
    assert driven.error is None


def test_a_request_is_answered_once_and_declares_nothing_lost_by_itself(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    driven = drive(settings(tmp_path / "edge", broker.address), Silent(), None)
    stream, _ = driven.agent.publish(reading(1))
    assert wait_until(lambda: driven.agent.pending() == 0)
    cloud.ask(7, "resend", {"stream": stream, "ranges": [[1, 500]]})
    cloud.ask(7, "resend", {"stream": stream, "ranges": [[1, 500]]})
    cloud.ask(8, "resend", {"stream": "longlost1", "ranges": [[3, 4], [8, 9]]})
    assert wait_until(lambda: len(cloud.answers) >= 3)
    assert [(number, answer.state, answer.detail) for number, answer in cloud.answers] == [
        (7, "done", "0 sent again, 2 not here, 0 of them declared lost"),
        (7, "done", "0 sent again, 2 not here, 0 of them declared lost"),
        (8, "done", "0 sent again, 4 not here, 0 of them declared lost"),
    ]
    assert driven.agent.pending() == 0
    assert cloud.ledger.of(Tombstone) == []


def test_what_waits_in_the_outbox_is_sent_again_when_asked_for(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    cloud.up = False
    driven = drive(settings(tmp_path / "edge", broker.address, batch_records=1, in_flight=2, ack_timeout_s=60), Silent(), None)
    assert wait_until(lambda: cloud.publishes)
    for number in range(6):
        stream, seq = driven.agent.publish(reading(number))
    assert wait_until(lambda: len(cloud.publishes) == 2)
    on_their_way = [topic for topic, _ in cloud.publishes]
    cloud.up = True
    cloud.ask(1, "resend", {"stream": stream, "ranges": [[1, seq]]})
    for topic in on_their_way:  # Which ones depends on how fast they were published.
        cloud.say(topics.DownAck(ROBOT), encode(Ack(stream=stream, stored=[(topic.first, topic.last)])))
    assert wait_until(lambda: driven.agent.pending() == 0)
    assert cloud.ledger.of(Tombstone) == []
    assert cloud.answers[0][1].detail == "7 sent again, 0 not here, 0 of them declared lost"


@pytest.mark.parametrize(
    ("kind", "payload", "expires", "state"),
    [
        ("dance", {}, 2100, "refused"),
        ("resend", {"stream": "x"}, 2100, "refused"),
        ("resend", {"stream": "longlost1", "ranges": [[5, 1]]}, 2100, "refused"),
        ("resend", {"stream": "longlost1", "ranges": [[1, 1]]}, 1999, "done"),
    ],
)
def test_every_request_gets_an_answer(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive, kind: str, payload: dict[str, object], expires: int, state: str
) -> None:
    driven = drive(settings(tmp_path / "edge", broker.address), Silent(), None)
    assert wait_until(lambda: driven.agent.pending() == 0 and cloud.presence)
    cloud.ask(3, kind, payload, datetime(expires, 1, 1, tzinfo=UTC))
    assert wait_until(lambda: cloud.answers)
    number, answer = cloud.answers[0]
    assert (number, answer.state) == (3, state)
    assert answer.detail


def test_a_record_that_breaks_a_rule_is_refused_and_named(tmp_path: Path, drive: Drive) -> None:
    agent = drive(settings(tmp_path / "edge"), Silent(), None).agent
    before = agent.pending()
    for bad, field in (
        (Reading(data={"TEMP": float("nan")}), "TEMP"),
        (Reading(data={"TEMP": "a\x00b"}), "TEMP"),
        (Reading(data={"x" * 65: 1}), "key"),
        (Reading(data={str(number): "y" * 1000 for number in range(100)}), "65536"),
        (Reading(data={"a": 2**70}), "64 bits"),
        (Event(code="NOT A CODE"), "code"),
        (Reading(data={"t": {}}), "data"),  # type: ignore[dict-item]
    ):
        with pytest.raises(ValueError, match=field):
            agent.publish(bad)
    assert agent.pending() == before


def test_a_broken_source_is_said_once_and_its_return_too(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    class Loose(Counting):
        broken = True

        def read(self, now: float) -> Reading | None:
            if self.broken:
                raise OSError("the cable is loose")
            return super().read(now)

    source = Loose(0.01)
    drive(settings(tmp_path / "edge", broker.address), source, None)
    time.sleep(0.2)
    source.broken = False
    assert wait_until(lambda: cloud.ledger.of(Event) and cloud.ledger.of(Reading))
    (event,) = cloud.ledger.of(Event)
    assert event.code == "source_failed"
    assert event.detail["cause"] == "the cable is loose"
    assert event.detail["count"] > 1


def test_a_bad_reading_of_a_source_does_not_cost_the_good_ones(tmp_path: Path, broker: Broker, cloud: Cloud, drive: Drive) -> None:
    class Sometimes(Counting):
        def read(self, now: float) -> Reading | None:
            self.count += 1
            return reading(self.count, t=float("inf") if self.count % 5 == 0 else 1.0)

    source = Sometimes(0.002)
    drive(settings(tmp_path / "edge", broker.address), source, None)
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 50 and cloud.ledger.of(Event))
    numbers = [record.data["n"] for record in cloud.ledger.of(Reading)]
    assert numbers == [number for number in range(1, max(numbers) + 1) if number % 5]
    assert cloud.ledger.of(Event)[0].code == "reading_refused"
