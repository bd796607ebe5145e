"""Notices in people's browsers: sealed for the browser, signed by the site, carried by a stranger's service."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.audit.models import Entry
from croody.fleet import services as fleet
from croody.notices import browsers, deliver, push
from croody.notices.models import Browser, Channel, Notice, PushKey
from croody.operations import seed
from tests.cloud.notices import push_service

FORM = {"severity": "high", "quiet_from": "", "quiet_to": "", "time_zone": "America/Bogota", "language": "en", "enabled": "on"}
PAGE, ADD = "/console/rules/mine/browsers/", "/console/rules/mine/browsers/add/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_message_is_sealed_as_the_example_of_rfc_8291_is() -> None:
    to = push.Keys.read("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg")
    once = push.key_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    sealed = push.encrypt(b"When I grow up, I want to be a watermelon", to, salt=push.decode("DGv6ra1nlYgDCS1FRnbzlw"), once=once)
    assert push.encode(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_only_the_browser_that_it_is_for_reads_it_and_the_longest_still_fits() -> None:
    alices, carlos = push_service.Browser(), push_service.Browser()
    to = push.Keys.read(**alices.keys)
    longest = b"x" * push.ROOM
    sealed = push.encrypt(longest, to)
    assert len(sealed) <= push.LARGEST
    assert alices.read(sealed) == longest
    with pytest.raises(InvalidTag):
        carlos.read(sealed)
    with pytest.raises(ValueError, match=f"at most {push.ROOM}"):
        push.encrypt(longest + b"x", to)
    assert push.encrypt(b"x", to) != push.encrypt(b"x", to)


def test_a_text_that_is_too_long_gives_way_and_stays_text() -> None:
    for text in ("ñ" * 9000, '"' * 9000, "\N{ROBOT FACE}" * 3000, "\x01" * 4000):
        said = push.within({"title": "T", "body": text}, "body", 500)
        assert 380 < len(said) <= 500
        assert json.loads(said)["body"].endswith("…")
    assert json.loads(push.within({"title": "T", "body": "short"}, "body", 500))["body"] == "short"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[push_service.Service]:
    found = push_service.Service(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.authority))
    yield found
    found.end()


@pytest.fixture
def world(settings: Any, service: push_service.Service) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    settings.ENV = replace(settings.ENV, notice_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")), public_url="https://c.example")
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    fleet.add_robot("rover-1", organisation=organisation)
    found: dict[str, Any] = {}
    for name, team, role in (("vera", organisation, "viewer"), ("olga", organisation, "owner"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=team, role=role)
        found[name] = Client(headers={"User-Agent": FIREFOX})
        found[name].force_login(user)
    return SimpleNamespace(organisation=organisation, service=service, **found)


pytestmark = pytest.mark.django_db(databases="__all__")


def subscribed(world: SimpleNamespace, client: Client, path: str = "/b/1", browser: push_service.Browser | None = None) -> Any:
    browser = browser or push_service.Browser()
    given = json.dumps({"endpoint": world.service.home + path, "expirationTime": None, "keys": browser.keys})
    assert client.post(ADD, {"subscription": given, "time_zone": "America/Bogota"}).status_code == 303
    return browser


def told(kind: str = "conflict", severity: str = "high") -> Any:
    now = timezone.now() + timedelta(seconds=5)
    raise_alarm("rover-1", kind, "", severity, {}, now)
    deliver.tell(now)
    deliver.send(now)
    return now


def test_who_merely_looks_subscribes_a_browser_and_is_told_in_it_and_when_it_is_over(world: SimpleNamespace) -> None:
    assert "Ninguno todavía" in world.vera.get(PAGE).content.decode()
    browser = subscribed(world, world.vera)
    row = Channel.objects.get()
    assert (row.person.username, row.kind, row.severity, row.time_zone) == ("vera", "push", "medium", "America/Bogota")  # type: ignore[union-attr]
    page = world.vera.get(PAGE).content.decode()
    assert "Firefox, Linux" in page
    assert world.service.home not in page
    assert Browser.objects.get().mark in page
    world.vera.post(PAGE, {**FORM, "tells_end": "on"})
    now = told()
    (path, headers, body), *more = world.service.messages
    assert (path, more) == ("/b/1", [])
    said = json.loads(browser.read(body))
    alarm = Notice.objects.get().alarm
    assert alarm is not None
    assert said["title"].startswith("High · rover-1: ")
    assert (said["address"], said["tag"]) == (f"/console/alerts/{alarm.pk}/", f"alarm-{alarm.pk}")
    assert "https://" not in said["body"]
    assert (headers["content-encoding"], headers["urgency"], headers["topic"]) == ("aes128gcm", "high", f"alarm-{alarm.pk}")
    scheme, _space, rest = headers["authorization"].partition(" ")
    token, public = (part.split("=", 1)[1] for part in rest.split(", "))
    assert scheme == "vapid"
    assert public == browsers.public_key(now)
    assert push_service.signed_by(token, public)
    claims = json.loads(push.decode(token.split(".")[1]))
    assert (claims["aud"], claims["sub"]) == (world.service.home, "https://c.example")
    assert 0 < claims["exp"] - now.timestamp() <= 24 * 3600
    assert Notice.objects.get().status == "sent"
    later = now + timedelta(minutes=1)
    resolve_alarm("rover-1", "conflict", "", later)
    deliver.tell(later)
    deliver.send(later)
    assert json.loads(browser.read(world.service.messages[1][2]))["title"].startswith("Ended · ")


def test_a_browser_that_its_service_knows_no_more_goes_from_the_list_and_the_log_says_so(world: SimpleNamespace) -> None:
    for number, status in ((1, 404), (2, 410)):
        subscribed(world, world.vera, f"/b/{number}")
        world.service.answers[f"/b/{number}"] = status
    last = subscribed(world, world.vera, "/b/3")
    told()
    assert [row.endpoint.rpartition("/")[2] for row in Browser.objects.all()] == ["3"]
    assert Notice.objects.get().status == "sent"
    assert Notice.objects.get().answer.startswith("1 of 3; 4")
    assert last.read(world.service.messages[0][2])
    world.service.answers["/b/3"] = 410
    told("gap")
    assert not Browser.objects.exists()
    assert set(Notice.objects.values_list("status", flat=True)) == {"sent", "failed"}
    told("offline")
    assert Notice.objects.latest("pk").answer == "no browser is subscribed"


def test_a_service_that_is_away_or_asks_to_wait_is_tried_again_and_one_that_refuses_is_not(world: SimpleNamespace) -> None:
    subscribed(world, world.vera)
    for kind, status, becomes in (("conflict", 503, "pending"), ("gap", 429, "pending"), ("offline", 403, "failed")):
        world.service.answers["/b/1"] = status
        told(kind)
        assert Notice.objects.latest("pk").status == becomes
    assert Browser.objects.exists()
    world.service.answers.clear()
    deliver.send(timezone.now() + timedelta(hours=1))
    assert Notice.objects.filter(status="sent").count() == 2


def test_quiet_hours_and_the_test_button_are_those_of_every_channel(world: SimpleNamespace) -> None:
    browser = subscribed(world, world.vera)
    world.vera.post(PAGE, {**FORM, "quiet_from": "00:00", "quiet_to": "23:59", "time_zone": "UTC"})
    told()
    assert world.service.messages == []
    row = Channel.objects.get()
    assert world.vera.post(f"/console/rules/channels/{row.pk}/test/").status_code == 303
    deliver.send(timezone.now() + timedelta(seconds=1))
    assert json.loads(browser.read(world.service.messages[0][2]))["title"] == "Test by Croody"
    assert "1 of 1" in world.vera.get("/console/rules/").content.decode()


def test_a_strangers_address_is_judged_as_a_webhooks_and_private_ones_are_refused(world: SimpleNamespace, settings: Any) -> None:
    subscribed(world, world.vera)
    settings.ENV = replace(settings.ENV, notice_networks=())
    told()
    assert world.service.messages == []
    assert "is not a public address" in Notice.objects.get().answer
    assert Notice.objects.get().status == "failed"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "[]",
        "{",
        "[" * 3000,
        '{"endpoint": "https://push.example/1"}',
        '{"endpoint": "https://push.example/1", "keys": []}',
        '{"endpoint": "https://push.example/1", "keys": {"p256dh": "x", "auth": "x"}}',
        json.dumps({"endpoint": "http://push.example/1", "keys": push_service.Browser().keys}),
        json.dumps({"endpoint": "file:///etc/passwd", "keys": push_service.Browser().keys}),
        json.dumps({"endpoint": "https://a:b@push.example/", "keys": push_service.Browser().keys}),
        json.dumps({"endpoint": "https://push.example/" + "x" * 1000, "keys": push_service.Browser().keys}),
        json.dumps({"endpoint": "https://push.example/1", "keys": {**push_service.Browser().keys, "auth": "AAAA"}}),
    ],
)
def test_what_is_no_subscription_is_refused_in_words_and_nothing_is_kept(world: SimpleNamespace, given: str) -> None:
    for prefix in ("", "/en"):
        page = world.vera.post(prefix + ADD, {"subscription": given}, follow=True)
        assert page.status_code == 200
        assert ("navegador:" if not prefix else "browser:") in page.content.decode() or "webhook:" in page.content.decode()
    assert not Browser.objects.exists()
    assert not Channel.objects.exists()


def test_a_browser_is_its_persons_alone_until_somebody_else_sits_there(world: SimpleNamespace) -> None:
    subscribed(world, world.vera)
    row = Browser.objects.get()
    assert "Firefox" not in world.olga.get(PAGE).content.decode()
    assert world.olga.post(f"{PAGE}{row.pk}/delete/").status_code == 404
    subscribed(world, world.vera)
    assert Browser.objects.count() == 1
    # The same browser, and now Olga is signed in there: Vera's alarms are not shown to her.
    subscribed(world, world.olga)
    assert Browser.objects.get().person.username == "olga"
    assert world.olga.post(f"{PAGE}{Browser.objects.get().pk}/delete/").status_code == 303
    assert not Browser.objects.exists()
    assert [entry.name for entry in Entry.objects.filter(thing="browser")] == ["vera", "olga", "olga"]
    assert "Apuntó un navegador para sus avisos" in world.olga.get("/console/log/").content.decode()


def test_there_are_so_many_browsers_of_one_person_and_no_more(world: SimpleNamespace) -> None:
    for number in range(browsers.MOST):
        subscribed(world, world.vera, f"/b/{number}")
    subscribed(world, world.vera, "/b/more")
    assert Browser.objects.count() == browsers.MOST
    assert "ya hay 10 navegadores" in world.vera.get(PAGE).content.decode()


def test_who_leaves_the_organisation_is_told_nothing_more(world: SimpleNamespace) -> None:
    subscribed(world, world.vera)
    Membership.objects.filter(user__username="vera").delete()
    told()
    assert world.service.messages == []


def test_nobody_makes_a_push_channel_of_an_organisation(world: SimpleNamespace) -> None:
    form = {"kind": "push", "name": "All", "target": "x", "severity": "low", "enabled": "on"}
    assert world.olga.post("/console/rules/channels/new/", form).status_code == 422
    assert not Channel.objects.exists()


def test_setting_up_makes_one_key_that_stays(world: SimpleNamespace) -> None:
    seed.make_tables()
    first = PushKey.objects.get().value
    seed.make_tables()
    assert PushKey.objects.get().value == first
    assert isinstance(push.key_of(first), ec.EllipticCurvePrivateKey)
    assert len(push.decode(browsers.public_key(timezone.now()))) == 65
