"""A letter of which only the beginning was kept is not judged by that beginning: whoever plays it again is told so, at every door."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from croody.bridge import handler
from croody_contract import relay
from tests.cloud.telemetry.helpers import NOON

#: More than a bridge keeps, none of it as a robot should say it, and its beginning ends in the middle of a text.
PLAIN = b'{"data":{' + b",".join(b'"m%d":"%s"' % (number, b"x" * 1000) for number in range(30))
VEHICLE = "uagv/v2/KIT/0001/state"
TOPICS = ("croody/v1/rover-1/up/telemetry", "croody/v1/rover-1/up/batch/stream-a/1-1", "croody/v1/rover-1/up/batch/stream-a/2-9")
KEPT = handler.KEPT_BYTES


def _letters(fleet: SimpleNamespace) -> list[Any]:
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    for topic in TOPICS:
        services.ingest_relay(relay.decode_relay(handler.encode(handler.read(topic, PLAIN))), now=NOON)
    found = list(DeadLetter.objects.order_by("pk"))
    assert [len(bytes(letter.body)) for letter in found] == [KEPT] * len(TOPICS)
    return found


def test_what_a_bridge_cut_is_not_judged_by_its_beginning(fleet: SimpleNamespace) -> None:
    from croody.telemetry.ingest import services

    for letter in _letters(fleet):
        with pytest.raises(
            services.NotReplayable, match=rf"only the first {KEPT} bytes of its body were kept, the most .*: mend .* discard"
        ) as told:
            services.replay(letter, now=NOON)
        assert told.value.why == "cut"


def test_what_an_earlier_bridge_cut_without_saying_so_is_known_by_its_length(fleet: SimpleNamespace) -> None:
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    relays = [relay.decode_relay(handler.encode(handler.read(topic, PLAIN[:KEPT]))) for topic in TOPICS]
    for one in relays:
        assert one.dead[0].hash == ""
        services.ingest_relay(one, now=NOON)
    for letter in DeadLetter.objects.all():
        with pytest.raises(services.NotReplayable, match=rf"only the first {KEPT} bytes"):
            services.replay(letter, now=NOON)


def test_two_that_begin_alike_are_two_letters(fleet: SimpleNamespace) -> None:
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    for body in (PLAIN, PLAIN + b"1"):
        services.ingest_relay(relay.decode_relay(handler.encode(handler.read(TOPICS[0], body))), now=NOON)
    assert DeadLetter.objects.count() == 2


@pytest.mark.parametrize(
    ("language", "said"), [("es", "solo se guarda el comienzo, aquí 16384 bytes"), ("en", "only the beginning is kept, here 16384 bytes")]
)
def test_the_terminal_says_so_in_its_language(fleet: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, language: str, said: str) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    for letter in _letters(fleet):
        with pytest.raises(CommandError, match=said):
            call_command("dead", "replay", str(letter.pk), stdout=io.StringIO())


@pytest.mark.parametrize(
    ("language", "said"), [("es", "solo se guarda el comienzo, aquí 16384 bytes"), ("en", "only the beginning is kept, here 16384 bytes")]
)
def test_the_console_says_so_in_its_language(fleet: SimpleNamespace, client: Client, language: str, said: str) -> None:
    client.force_login(fleet.alice)
    for letter in _letters(fleet):
        told = client.post(f"/{language}/console/delivery/rover-1/letters/{letter.pk}/replay/", follow=True).content.decode()
        assert said in told
        assert "truncated" not in told.replace(letter.detail, "")


def test_the_api_says_so(fleet: SimpleNamespace, settings: Any) -> None:
    from croody.accounts.services import reset_token

    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    key = {"X-API-Key": reset_token(fleet.alice)}
    for letter in _letters(fleet):
        answer = Client().post(f"/api/telemetry/dead-letters/{letter.pk}/replay", headers=key)
        assert answer.status_code == 409
        assert f"only the first {KEPT} bytes of its body were kept" in answer.json()["detail"]


def test_a_vehicles_message_that_ends_too_early_is_told_as_that() -> None:
    (letter,) = handler.read(VEHICLE, b'{"headerId":1')
    assert isinstance(letter, relay.DeadItem)
    assert letter.detail.startswith("body: ends too early, after 13 bytes")
