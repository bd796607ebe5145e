"""Poison, as the bridge hands it over: dead-lettered with a reason and acknowledged, and the next good message is stored."""

import dataclasses
import gzip
import json
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.bridge import handler
from croody_contract import batch, messages, relay, topics
from tests.cloud.telemetry.helpers import account, reading, stored


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(100)) + packer.flush()


def one(record: bytes) -> bytes:
    return b'{"records":[' + record + b"]}"


POISON = {
    "bad-json": b'{"records":[{"kind":',
    "nan": one(b'{"kind":"reading","data":{"x":NaN}}'),
    "one-megabyte": one(b'{"kind":"reading","data":{"x":"' + b"x" * 2**20 + b'"}}'),
    "one-megabyte-packed": gzip.compress(one(b'{"kind":"reading","data":{"x":"' + b"x" * 2**20 + b'"}}')),
    "bad-utf8": one(b'{"kind":"reading","data":{"x":"\xff\xfe"}}'),
    "nul": one(b'{"kind":"reading","data":{"x":"\\u0000"}}'),
    "nul-in-a-name": one(b'{"kind":"reading","data":{"\\u0000":1}}'),
    "lone-surrogate": one(b'{"kind":"reading","data":{"x":"\\ud800"}}'),
    "deep": one(b"[" * 100_000 + b"]" * 100_000),
    "deep-in-data": one(b'{"kind":"reading","data":{"x":' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}}"),
    "gzip-bomb": bomb(),
    "broken-gzip": gzip.compress(one(b"{}"))[:-4],
    "empty": b"",
    "huge-number": one(b'{"kind":"reading","data":{"x":1e99999}}'),
    "huge-integer": one(b'{"kind":"reading","data":{"x":' + b"9" * 5000 + b"}}"),
    "wrong-types": one(b'{"kind":"reading","data":[false],"position":"here"}'),
}


@pytest.fixture
def relay_to_api(telemetry: str, fleet: SimpleNamespace, settings: Any) -> Any:
    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    settings.ENV = dataclasses.replace(settings.ENV, bridge_token="b" * 40)
    client = Client()

    def run(items: list[handler.Item]) -> list[relay.RobotAck]:
        response = client.post(
            "/api/telemetry/bridge/relay", data=handler.encode(items), content_type="application/json", headers={"X-API-Key": "b" * 40}
        )
        assert response.status_code == 200, response.content[:300]
        return relay.decode_relayed(response.content).acks

    return run


@pytest.mark.parametrize("name", POISON)
def test_poison_in_a_batch_is_dead_and_acknowledged_and_what_came_with_it_is_stored(relay_to_api: Any, name: str):
    from croody.telemetry.models import DeadLetter

    poison = topics.build(topics.UpBatch("rover-1", "stream-a", 1, 1))
    good = topics.build(topics.UpBatch("rover-1", "stream-a", 2, 2))
    other = topics.build(topics.UpBatch("rover-2", "stream-b", 1, 1))
    body = batch.pack(batch.Head(), [messages.encode(reading(2.0))])
    items = [*handler.read(poison, POISON[name]), *handler.read(good, body), *handler.read(other, body)]
    acks = {(ack.robot_id, ack.ack.stream): ack.ack for ack in relay_to_api(items)}
    assert (acks["rover-1", "stream-a"].stored, acks["rover-1", "stream-a"].dead) == ([(2, 2)], [(1, 1)])
    assert acks["rover-2", "stream-b"].stored == [(1, 1)]
    letter = DeadLetter.objects.get()
    assert letter.reason.isidentifier()
    assert letter.detail
    assert len(bytes(letter.body)) <= 64 * 1024
    assert account()["missing_since"] is None


@pytest.mark.parametrize("name", POISON)
def test_poison_as_plain_json_is_a_letter_and_the_next_message_is_stored(relay_to_api: Any, name: str):
    from croody.telemetry.models import DeadLetter

    topic = topics.build(topics.UpTelemetry("rover-1"))
    items = [*handler.read(topic, POISON[name]), *handler.read(topic, json.dumps({"data": {"x": 1}}).encode())]
    assert relay_to_api(items) == []
    assert stored("rover-1", "mqtt") == [1]
    assert DeadLetter.objects.get().robot_id == "rover-1"
