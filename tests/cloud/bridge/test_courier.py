"""What the API answers decides what happens to a relay."""

import threading
from collections.abc import Callable

import msgspec
import pytest

from croody.bridge import api, courier, handler
from croody_contract import messages, relay


class Cloud:
    """A telemetry API in memory: `rule(relay)` gives a status, or None for no answer; acknowledges what it takes."""

    def __init__(self, rule: Callable[[relay.Relay], int | None]) -> None:
        self.rule = rule
        self.taken: dict[int, bytes] = {}
        self.letters: list[relay.DeadItem] = []
        self.posts = 0
        self.request_ids: list[str] = []

    def post(self, path: str, body: bytes, request_id: str) -> api.Reply:
        self.posts += 1
        self.request_ids.append(request_id)
        sent = relay.decode_relay(body)
        status = self.rule(sent)
        if status is None:
            raise api.Unreachable("refused")
        if status != 200:
            return api.Reply(status, b'{"detail": "because"}')
        acks = []
        for item in sent.batches:
            self.taken.update({item.first + n: bytes(raw) for n, raw in enumerate(item.records)})
            acks.append(relay.RobotAck(item.robot_id, messages.Ack(item.stream, [(item.first, item.first + len(item.records) - 1)])))
        self.letters.extend(sent.dead)
        acks += [relay.RobotAck(i.robot_id, messages.Ack(i.stream, dead=[(i.first, i.last)])) for i in sent.dead if i.stream]
        return api.Reply(200, msgspec.json.encode(relay.Relayed(acks)))


def items(count: int, each: int = 4) -> list[handler.Item]:
    return [
        relay.BatchItem(
            "rover-1", "stream-a", first, [msgspec.Raw(b'{"kind":"reading","data":{"n":%d}}' % (first + n)) for n in range(each)]
        )
        for first in range(1, count * each, each)
    ]


def has(sent: relay.Relay, seq: int) -> bool:
    return any(b'"n":%d}' % seq in bytes(raw) for item in sent.batches for raw in item.records)


def deliver(cloud: Cloud, what: list[handler.Item]) -> list[relay.RobotAck]:
    acked: list[relay.RobotAck] = []
    courier.Courier(cloud.post, acked.extend, threading.Event(), longest_wait_s=0.01).deliver(what)
    return acked


def test_one_relay_one_post():
    cloud = Cloud(lambda sent: 200)
    acked = deliver(cloud, items(10))
    assert (cloud.posts, len(cloud.taken), len(acked)) == (1, 40, 10)


def test_nothing_is_acknowledged_before_the_api_answers_200():
    answers = iter([None, 503, 502, 429, 401, 404, 200])
    acked: list[relay.RobotAck] = []
    cloud = Cloud(lambda sent: next(answers))
    seen = []

    def post(path: str, body: bytes, request_id: str) -> api.Reply:
        seen.append(len(acked))
        return cloud.post(path, body, request_id)

    courier.Courier(post, acked.extend, threading.Event(), longest_wait_s=0.01).deliver(items(2))
    assert seen == [0] * 7
    assert len(acked) == 2


def test_an_answer_that_is_no_relayed_acknowledges_nothing_and_is_tried_again():
    answers = iter([b"<html>", b'{"acks": 3}', b'{"acks": []}'])
    acked: list[relay.RobotAck] = []
    courier.Courier(
        lambda path, body, request_id: api.Reply(200, next(answers)), acked.extend, threading.Event(), longest_wait_s=0.01
    ).deliver(items(1))
    assert acked == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_record_that_the_api_refuses_becomes_a_dead_letter_and_all_others_pass(status):
    cloud = Cloud(lambda sent: status if has(sent, 19) else 200)
    acked = deliver(cloud, items(10))
    assert sorted(cloud.taken) == [seq for seq in range(1, 41) if seq != 19]
    (letter,) = cloud.letters
    assert (letter.reason, letter.first, letter.last, letter.body) == ("refused", 19, 19, b'{"kind":"reading","data":{"n":19}}')
    assert str(status) in letter.detail
    assert relay.RobotAck("rover-1", messages.Ack("stream-a", dead=[(19, 19)])) in acked


def test_a_dead_letter_that_is_refused_too_blocks_nothing():
    letter = relay.DeadItem("bad_topic", "x", "y", b"z")
    cloud = Cloud(lambda sent: 422 if sent.dead else 200)
    deliver(cloud, [*items(2), letter, *items(2)])
    assert len(cloud.taken) == 8
    assert cloud.letters == []


def test_a_record_that_breaks_the_api_is_left_to_its_robot_unacknowledged_and_all_others_pass():
    cloud = Cloud(lambda sent: 500 if has(sent, 19) else 200)
    acked = deliver(cloud, items(10))
    assert sorted(cloud.taken) == [seq for seq in range(1, 41) if seq != 19]
    assert cloud.letters == []
    spans = [span for ack in acked for span in (*ack.ack.stored, *ack.ack.dead)]
    assert all(not first <= 19 <= last for first, last in spans)


def test_an_api_that_answers_500_to_everything_loses_nothing_once_it_is_well():
    answers = iter([500] * 60)
    cloud = Cloud(lambda sent: next(answers, 200))
    deliver(cloud, items(10))
    assert sorted(cloud.taken) == list(range(1, 41))
    assert cloud.letters == []


def test_told_to_stop_it_returns_at_once_and_acknowledges_nothing():
    stop = threading.Event()
    acked: list[relay.RobotAck] = []
    cloud = Cloud(lambda sent: None)
    running = threading.Thread(target=courier.Courier(cloud.post, acked.extend, stop, longest_wait_s=0.01).deliver, args=(items(1),))
    running.start()
    stop.set()
    running.join(1)
    assert not running.is_alive()
    assert acked == []


def test_each_relay_has_an_id_of_its_own_and_the_log_says_which_readings_went_under_it(caplog: pytest.LogCaptureFixture):
    cloud = Cloud(lambda sent: 422 if has(sent, 5) else 200)
    with caplog.at_level("DEBUG", logger="croody.bridge"):
        deliver(cloud, items(2, each=4))

    assert len(set(cloud.request_ids)) == cloud.posts > 2
    lines = [record.getMessage() for record in caplog.records]
    relayed = [text for text in lines if text.startswith("relayed ")]
    assert [text.rpartition("request_id=")[2] for text in relayed] == cloud.request_ids
    first = next(text for text in lines if cloud.request_ids[0] in text)
    assert first.startswith("relayed rover-1/stream-a/1-4 rover-1/stream-a/5-8 422 ")
    assert any("becomes a dead letter" in text and "request_id=" in text for text in lines)


def test_a_relay_of_many_items_is_named_by_the_first_of_them():
    assert handler.named(items(30, each=1)).endswith(" rover-1/stream-a/20-20 and 9 more")
