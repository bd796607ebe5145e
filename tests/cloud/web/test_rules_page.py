"""Rules and notices in the console: the list, the forms with their preview, and who may."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Membership, Organisation, Preferences
from croody.alarms.services import raise_alarm
from croody.audit.models import Entry
from croody.fleet import services as fleet
from croody.notices import jobs, services
from croody.notices.models import Channel, Notice, Rule
from croody.telemetry.models import Rollup
from croody.worker.retention import let_go
from tests.cloud.web.helpers import say

pytestmark = pytest.mark.django_db(databases="__all__")
FORM = {"kind": "threshold", "name": "Motor caliente", "metric": "motor_temp_c", "limit": "80", "severity": "high", "enabled": "on"}


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    elsewhere = Organisation.objects.create(name="Carlos's", slug="carlos")
    fleet.add_robot("rover-1", organisation=organisation)
    found = {}
    for name, team, role in (("marta", organisation, "maintainer"), ("omar", organisation, "operator"), ("carlos", elsewhere, "owner")):
        user = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=team, role=role)
        found[name] = Client()
        found[name].force_login(user)
    return SimpleNamespace(organisation=organisation, now=timezone.now(), **found)


def test_a_rule_is_tried_on_the_past_before_it_is_saved_and_then_says_what_it_tells(world):
    hour = world.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    for step, at, high in ((3600, hour, 95.0), (60, hour + timedelta(minutes=7), 95.0), (60, hour + timedelta(minutes=8), 40.0)):
        Rollup.objects.create(robot_id="rover-1", metric="motor_temp_c", step_s=step, at=at, count=9, mean=high, low=high, high=high)
    page = world.marta.post("/console/rules/new/", {**FORM, "preview": "1"})
    assert page.status_code == 200
    assert "Te habría avisado 1 vez en 30 días." in page.content.decode()
    assert not Rule.objects.exists()
    assert world.marta.post("/console/rules/new/", FORM).status_code == 303
    say("rover-1", 1, {"motor_temp_c": 92.4}, now=world.now)
    jobs.judge_rules(world.now)
    page = world.omar.get("/console/rules/").content.decode()
    assert "1 regla, 1 avisa ahora" in page
    assert "Temp. motor por encima de 80,0\N{NO-BREAK SPACE}°C" in page
    assert "avisa en 1 robot" in page
    assert "Agregar regla" not in page
    assert "Regla cumplida" in world.omar.get("/console/alerts/").content.decode()


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(world):
    page = world.marta.post("/console/rules/new/", {**FORM, "limit": "tibio"})
    text = page.content.decode()
    assert page.status_code == 422
    assert re.search(r'id="f-limit"[^>]*value="tibio"[^>]*aria-invalid="true"', text)
    assert 'value="Motor caliente"' in text


def test_everything_that_is_wrong_with_a_form_is_told_at_once_each_at_its_field(world):
    bad = {**FORM, "name": "", "metric": "", "limit": "tibio", "hysteresis": "-1", "for_s": "-5", "robot_id": "nobody"}
    for prefix, words in (("/es", "no es un número"), ("/en", "is no number")):
        text = world.marta.post(f"{prefix}/console/rules/new/", bad).content.decode()
        for name in ("name", "metric", "limit", "hysteresis", "for_s", "robot_id"):
            assert f'<a href="#f-{name}">' in text
            assert f'id="f-{name}-error"' in text
        assert words in text
    assert not Rule.objects.exists()
    bad = {"kind": "mail", "name": "", "target": "nobody", "after_min": "9999", "quiet_from": "22:00", "time_zone": "Mars/Base"}
    text = world.marta.post("/console/rules/channels/new/", bad).content.decode()
    for name in ("name", "target", "after_min", "quiet_from", "time_zone"):
        assert f'id="f-{name}-error"' in text
    assert not Channel.objects.exists()


def test_a_new_channel_begins_with_the_zone_and_the_language_of_who_makes_it(world):
    def field(page: Any) -> str:
        return re.search(r'<input id="f-time_zone"[^>]*>', page.content.decode())[0]  # type: ignore[index]

    path = "/en/console/rules/channels/new/"
    # Nobody chose a zone: the browser's own may stand there.
    assert 'value="UTC" data-own-zone' in field(world.marta.get(path))
    user = User.objects.get(username="marta")
    Preferences.objects.create(user=user, zone="America/Bogota")
    world.marta.cookies["look"] = ".America/Bogota.c-m-mps"
    page = world.marta.get(path)
    assert 'value="America/Bogota"' in field(page)
    assert "data-own-zone" not in field(page)
    assert '<option value="en" lang="en" selected>' in page.content.decode()
    form = {"kind": "mail", "name": "C", "target": "a@example.org", "severity": "low", "enabled": "on", "time_zone": ""}
    world.marta.post(path, form)
    assert Channel.objects.get().time_zone == "America/Bogota"


@pytest.mark.parametrize("kind", ["threshold", "absence", "rate", "expression", "fence", "nonsense"])
def test_each_kind_has_its_form_in_both_languages(world, kind):
    for prefix in ("", "/en"):
        assert world.marta.get(f"{prefix}/console/rules/new/?kind={kind}").status_code == 200


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        ("absence", {"silence_s": "600"}, "Ninguna lectura en 10"),
        ("rate", {"metric": "TEMP", "limit": "5", "window_s": "60"}, "Temperatura cambia más de 5,0"),
        ("expression", {"expression": "TEMP > 30 and HUM < 20"}, "TEMP &gt; 30 and HUM &lt; 20"),
        ("fence", {"points": "0,0; 9,0; 9,9", "side": "outside"}, "Sale de la zona"),
    ],
)
def test_a_rule_of_each_kind_is_saved_listed_in_words_and_opened_again(world, kind, params, words):
    assert (
        world.marta.post("/console/rules/new/", {"kind": kind, "name": "R", "severity": "low", "enabled": "on", **params}).status_code
        == 303
    )
    assert words in world.omar.get("/console/rules/").content.decode()
    row = Rule.objects.get()
    page = world.marta.get(f"/console/rules/{row.pk}/")
    assert page.status_code == 200
    assert world.marta.post(f"/console/rules/{row.pk}/", {"name": "S", "severity": "low", **params, "preview": "1"}).status_code == 200


def test_the_secret_of_a_webhook_is_shown_once_and_its_address_masked(world):
    form = {"kind": "webhook", "name": "Guardia", "target": "https://hooks.example.org/t0ken", "severity": "low", "enabled": "on"}
    page = world.marta.post("/console/rules/channels/new/", form).content.decode()
    made = Channel.objects.get()
    assert made.secret in page
    for client in (world.marta, world.omar):
        text = client.get("/console/rules/").content.decode()
        assert "https://hooks.example.org/…" in text
        assert "t0ken" not in text
    text = world.marta.get(f"/console/rules/channels/{made.pk}/").content.decode()
    assert made.secret not in text
    assert "t0ken" not in text
    world.marta.post(f"/console/rules/channels/{made.pk}/", {**form, "target": "", "name": "Otra"})
    made.refresh_from_db()
    assert (made.name, made.target) == ("Otra", "https://hooks.example.org/t0ken")


def test_a_channel_says_whether_it_tells_ends_and_the_log_which_notice_did(world):
    new = world.marta.get("/console/rules/channels/new/").content.decode()
    assert '<input type="checkbox" name="tells_end" checked>' in new
    form = {"kind": "mail", "name": "C", "target": "a@example.org", "severity": "low", "enabled": "on"}
    world.marta.post("/console/rules/channels/new/", {**form, "tells_end": "on"})
    made = Channel.objects.get()
    assert made.tells_end
    assert "avisa también cuando termina" in world.omar.get("/console/rules/").content.decode()
    assert "avisa también cuando termina: sí" in world.omar.get("/console/log/").content.decode()
    alarm = raise_alarm("rover-1", "conflict", "s", "high", {}, timezone.now())
    Notice.objects.create(channel=made, alarm=alarm, over=True, status="sent", created_at=timezone.now())
    assert f'<a href="/console/alerts/{alarm.pk}/">rover-1</a>, terminó' in world.omar.get("/console/rules/").content.decode()
    world.marta.post(f"/console/rules/channels/{made.pk}/", form)
    made.refresh_from_db()
    assert not made.tells_end
    assert "avisa también cuando termina" not in world.omar.get("/console/rules/").content.decode()


def test_a_test_waits_in_the_log_and_what_went_wrong_is_said_there(world):
    world.marta.post(
        "/console/rules/channels/new/", {"kind": "mail", "name": "C", "target": "a@example.org", "severity": "low", "enabled": "on"}
    )
    made = Channel.objects.get()
    assert world.marta.post(f"/console/rules/channels/{made.pk}/test/").status_code == 303
    assert "en cola" in world.omar.get("/console/rules/").content.decode()
    Notice.objects.update(status="failed", answer="550 <nobody>")
    page = world.omar.get("/console/rules/").content.decode()
    assert "no entregado" in page
    assert "550 &lt;nobody&gt;" in page


def test_an_operator_looks_and_a_stranger_sees_nothing_of_it(world):
    world.marta.post("/console/rules/new/", FORM)
    world.marta.post("/console/rules/channels/new/", {"kind": "mail", "name": "C", "target": "a@example.org", "severity": "low"})
    rule, channel = Rule.objects.get().pk, Channel.objects.get().pk
    for address in (f"/console/rules/{rule}/", f"/console/rules/channels/{channel}/"):
        assert (world.omar.get(address).status_code, world.carlos.get(address).status_code) == (403, 404)
    for address in (
        f"/console/rules/{rule}/delete/",
        f"/console/rules/channels/{channel}/delete/",
        f"/console/rules/channels/{channel}/test/",
    ):
        assert (world.omar.post(address).status_code, world.carlos.post(address).status_code) == (403, 404)
    assert world.omar.post("/console/rules/new/", FORM).status_code == 403
    assert world.carlos.post("/console/rules/new/", {**FORM, "team": str(world.organisation.pk)}).status_code == 404
    assert "Motor caliente" not in world.carlos.get("/console/rules/").content.decode()
    assert Rule.objects.count() == Channel.objects.count() == 1
    assert world.marta.post(f"/console/rules/{rule}/delete/").status_code == 303
    assert not Rule.objects.exists()


def test_a_deleted_rule_is_kept_for_a_month_and_comes_back_as_it_was(world):
    world.marta.post("/console/rules/new/", FORM)
    rule = Rule.objects.get()
    world.marta.post(f"/console/rules/{rule.pk}/delete/")
    address = f"/console/rules/{rule.pk}/bring-back/"
    listed = world.marta.get("/console/rules/").content.decode()
    assert ("Ninguna regla todavía" in listed, address in listed, "la borró marta hace 0" in listed) == (True, True, True)
    assert "se guarda 29 días más" in listed
    assert address not in world.omar.get("/console/rules/").content.decode()
    assert world.marta.get(f"/console/rules/{rule.pk}/").status_code == 404
    assert (world.omar.post(address).status_code, world.carlos.post(address).status_code) == (403, 404)
    assert "Motor caliente" in world.marta.post(address, follow=True).content.decode()
    back = Rule.objects.get()
    assert (back.pk, back.params, back.judged_at, back.deleted_by) == (rule.pk, rule.params, None, "")
    assert world.marta.post(address).status_code == 404
    assert list(Entry.objects.filter(thing="rule").order_by("pk").values_list("verb", flat=True)) == ["add", "delete", "bring_back"]


def test_a_deleted_rule_goes_for_good_after_a_month_and_one_that_stands_never(world):
    for name in ("A", "B"):
        world.marta.post("/console/rules/new/", {**FORM, "name": name})
    gone, stays = Rule.objects.order_by("name")
    world.marta.post(f"/console/rules/{gone.pk}/delete/")
    Rule.every.filter(pk=gone.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert world.marta.post(f"/console/rules/{gone.pk}/bring-back/").status_code == 404
    let_go(timezone.now() + timedelta(days=400))
    assert list(Rule.every.values_list("pk", flat=True)) == [stays.pk]


def test_no_more_rules_come_back_than_an_organisation_may_have_and_no_more_deleted_ones_are_kept(world, monkeypatch):
    monkeypatch.setattr(services, "MOST_RULES", 1)
    monkeypatch.setattr(services, "MOST_DELETED", 2)
    numbers = []
    for name in ("A", "B", "C"):
        world.marta.post("/console/rules/new/", {**FORM, "name": name})
        numbers.append(Rule.objects.get().pk)
        world.marta.post(f"/console/rules/{numbers[-1]}/delete/")
    assert sorted(Rule.every.values_list("pk", flat=True)) == numbers[1:]
    world.marta.post("/console/rules/new/", FORM)
    refused = world.marta.post(f"/console/rules/{numbers[1]}/bring-back/", follow=True).content.decode()
    assert "ya hay 1 reglas" in refused
    assert Rule.objects.get().name == "Motor caliente"


def test_an_area_stands_on_the_plan_of_its_site_and_its_corners_are_a_text_all_the_same(world):
    from croody.fleet.models import Site

    assert "Ningún sitio tiene plano todavía" in world.marta.get("/console/rules/new/?kind=fence").content.decode()
    yard, hall = (
        Site.objects.create(organisation=world.organisation, name=name, slug=name.lower(), plan={"width_m": wide, "height_m": 24})
        for name, wide in (("Hall", 40), ("Yard", 80))
    )
    fence = {"kind": "fence", "name": "Fuera", "side": "outside", "severity": "low", "site": str(hall.pk), "points": "0, 0; 40, 0; 40, 24"}
    assert 'id="fence"' in world.marta.get(f"/console/rules/new/?kind=fence&site={yard.pk}").content.decode()
    assert 'id="fence"' not in world.marta.get("/console/rules/new/?kind=threshold").content.decode()
    assert world.marta.post("/console/rules/new/", fence).status_code == 303
    rule = Rule.objects.get()
    page = world.marta.get(f"/console/rules/{rule.pk}/").content.decode()
    corners = re.search(r'<polygon class="area" points="([^"]+)"', page)
    scale = re.search(r'data-scale="([^"]+)"', page)
    assert corners is not None
    assert scale is not None
    first, second, _third = (tuple(map(float, corner.split(","))) for corner in corners[1].split())
    assert second[0] - first[0] == pytest.approx(40 * float(scale[1]), abs=0.2)
    assert f'data-site="{hall.slug}"' in page
    wrong = world.marta.post("/console/rules/new/", {**fence, "points": "a, b"})
    assert (wrong.status_code, "<polygon" in wrong.content.decode()) == (422, False)


def test_an_area_is_the_same_after_its_form_was_saved_again(world: SimpleNamespace):
    points = [[604123.4567, 4520987.25], [604150, 4520987.25], [604150.125, 4521000.0625]]
    text = "; ".join(f"{x}, {y}" for x, y in points)
    fence = {"kind": "fence", "name": "Patio", "side": "outside", "severity": "low", "points": text, "organisation": ""}
    assert world.marta.post("/console/rules/new/", fence).status_code == 303
    from croody.notices.models import Rule

    row = Rule.objects.get(name="Patio")
    shown = world.marta.get(f"/console/rules/{row.pk}/").context["form"]["points"]
    assert world.marta.post(f"/console/rules/{row.pk}/", {**fence, "points": shown}).status_code == 303
    row.refresh_from_db()
    assert row.params["points"] == points
