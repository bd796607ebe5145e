"""The public pages: what visitors leave is kept, confirmed and throttled; addresses of the earlier Croody lead on."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from croody.accounts.models import ShownMail, Token
from croody.fleet import services as fleet
from croody.site import about
from croody.site.models import BetaRequest, Message
from croody.telemetry.models import Record
from croody.worker import retention
from tests.cloud.shop.conftest import Buyer

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    settings.ENV = dataclasses.replace(settings.ENV, demo=True, smtp=None)
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"


def test_who_wants_to_try_buddy_counts_once_the_address_is_confirmed(shop: SimpleNamespace):
    client = Client()
    said = {"email": "Ana@example.org", "plan": "team", "note": "=SUM(A1)"}
    for _ in range(2):
        assert client.post("/buddy/suscripciones/", said).status_code == 302
    assert BetaRequest.objects.get().confirmed_at is None
    link = next(line for line in ShownMail.objects.get(pk=ShownMail.objects.first().pk).body.splitlines() if "/suscripciones/" in line)
    path = "/" + link.split("/", 3)[3]
    assert "Confirmar mi lugar" in client.get(path).content.decode()
    assert BetaRequest.objects.get().confirmed_at is None
    assert "Estás en la lista" in client.post(path).content.decode()
    table = b"".join(Buyer(shop.bob).client.get("/tienda/gestion/beta.csv").streaming_content).decode()
    assert "ana@example.org,team,'=SUM(A1)" in table
    assert client.get("/buddy/suscripciones/forged:token:x/").status_code == 410


def test_a_message_is_kept_and_mailed_and_programs_and_floods_are_not(shop: SimpleNamespace):
    shop.alice.is_superuser = True
    shop.alice.save()
    client, said = Client(), {"name": "Ana", "email": "ana@example.org", "text": "Hola"}
    assert client.post("/contacto/", {**said, "website": "http://spam"}).status_code == 302
    assert not Message.objects.exists()
    answers = [client.post("/contacto/", said).status_code for _ in range(12)]
    assert answers == [302] * 10 + [429] * 2
    assert ShownMail.objects.filter(to="alice@example.org", subject__contains="Ana").count() == 10
    assert client.post("/contacto/", {"name": "Ana", "email": "nobody", "text": "Sigue aquí"}).content.decode().count("Sigue aquí") == 1
    Message.objects.update(at=timezone.now() - timedelta(days=366))
    retention.let_go(timezone.now())
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/integraciones/", "/integrar/"),
        ("/luks/", "/buddy/"),
        ("/mi-cuenta/pedidos/", "/cuenta/pedidos/"),
        ("/en/luks/", "/en/buddy/"),
        ("/redoc", "/api/v1/docs"),
        ("/redoc/", "/api/v1/docs"),
    ],
)
def test_addresses_of_the_earlier_croody_lead_on_for_good(old: str, new: str):
    answer = Client().get(old)
    assert (answer.status_code, answer["Location"]) == (301, new)


def test_engines_find_every_public_page_in_both_languages_and_nothing_else(shop: SimpleNamespace):
    client = Client()
    tree = ElementTree.fromstring(client.get("/sitemap.xml").content)
    found = [str(one.text).removeprefix("http://testserver") for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert {"/es/", "/en/tienda/mini/", "/es/legal/privacidad/", "/en/integrar/"} <= set(found)
    assert [path for path in found if client.get(path).status_code != 200] == []
    assert "Disallow: /es/tienda/pedidos/" in client.get("/robots.txt").content.decode()


def test_an_owners_own_text_goes_before_ours_and_has_no_html_of_its_own(settings: Any, tmp_path: Any):
    assert "Qué guardamos" in Client().get("/legal/privacidad/").content.decode()
    settings.ENV = dataclasses.replace(settings.ENV, state_dir=tmp_path)
    (tmp_path / "legal").mkdir()
    (tmp_path / "legal" / "privacidad.es.md").write_text("# Lo nuestro\n\n<script>alert(1)</script>\n", encoding="utf-8")
    page = Client().get("/legal/privacidad/").content.decode()
    assert "<h1>Lo nuestro</h1>" in page
    assert "<script>alert" not in page
    assert "<img" not in about.as_html("a <img src=x onerror=y> b\n\n<div>\nc\n</div>")


def test_a_reading_is_really_sent_in_the_name_of_ones_own_robot(shop: SimpleNamespace, settings: Any):
    settings.ENV = dataclasses.replace(settings.ENV, ids_url="http://127.0.0.1:9")
    fleet.add_robot("rover-1", organisation=shop.organisation)
    alice = Buyer(shop.alice).client
    assert "Guardada" in alice.post("/integrar/", {"do": "reading", "robot": "rover-1"}).content.decode()
    assert Record.objects.filter(robot_id="rover-1").count() == 1
    assert "Elige un robot tuyo" in Buyer(shop.carlos).client.post("/integrar/", {"do": "reading", "robot": "rover-1"}).content.decode()
    assert "El detector no responde ahora" in alice.post("/integrar/", {"do": "ids"}).content.decode()
    assert Record.objects.filter(robot_id="rover-1").count() == 1


def test_the_lines_of_the_developers_page_have_a_key_of_ones_own_once_one_asks(shop: SimpleNamespace):
    fleet.add_robot("rover-1", organisation=shop.organisation)
    alice = Buyer(shop.alice).client
    shown = alice.post("/integrar/", {"do": "key", "robot": "rover-1"}).context
    shell = next(one.text for one in shown["snippets"] if one.key == "shell")
    made = Token.objects.get(name__startswith="/integrar/")
    assert (made.scopes, f"X-API-Key: {made.prefix}" in shell, '"robot_id": "rover-1"' in shell) == (["ingest", "read"], True, True)
    assert "SECRETO" not in shell
    assert "Entra primero" in Client().post("/integrar/", {"do": "key"}).content.decode()


def test_the_status_tells_ninety_days_as_they_were_counted_and_holes_as_holes(shop: SimpleNamespace, django_assert_max_num_queries: Any):
    from croody.liveness import parts
    from croody.site import history
    from croody.site.models import Outage, PartDay

    now = timezone.now()
    history.note_parts(now)
    history.note_parts(now)
    row = PartDay.objects.get(part="database", day=now.date())
    assert (row.checks, row.well) == (2, 2)
    PartDay.objects.create(part="broker", day=now.date() - timedelta(days=3), checks=1440, well=1439)
    PartDay.objects.create(part="broker", day=now.date() - timedelta(days=4), checks=1440, well=700)
    broker = history.days_of(now)["broker"]
    assert [day.level for day in broker[-5:-1]] == ["down", "short", "none", "none"]
    Outage.objects.create(title_es="Se fue la luz", title_en="The power went", began_at=now)
    with django_assert_max_num_queries(6 + len(parts.answers())):
        page = Client().get("/estado/").content.decode()
    assert "Se fue la luz" in page
    assert "días con fallas" in page


def test_who_asks_to_be_forgotten_is_told_by_mail_once_there_is_a_mail_server_again(shop: SimpleNamespace, settings: Any):
    from django.utils.translation import override

    from croody.audit.actor import SYSTEM
    from croody.site import own_data
    from croody.web import formats

    now, works = timezone.now(), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "croody.accounts.mailer.NowhereBackend"
    with override("en"):
        own_data.ask_to_leave(shop.carlos, actor=SYSTEM, now=now)
    own_data.let_leave(now + timedelta(minutes=10))
    settings.EMAIL_BACKEND = works
    for minutes in (20, 30):
        own_data.let_leave(now + timedelta(minutes=minutes))
    (one,) = ShownMail.objects.all()
    assert one.to == "carlos@example.org"
    assert formats.moment(now + own_data.GRACE, "en") in one.body


def test_who_asks_to_be_forgotten_has_two_weeks_and_books_stay_without_them(shop: SimpleNamespace):
    from django.contrib.auth.models import User

    from croody.accounts.models import Membership
    from croody.shop.models import Order
    from croody.site import own_data

    carlos = Buyer(shop.carlos)
    carlos.put("mini")
    carlos.order(email="carlos@example.org", notes="Llama antes")
    told = carlos.client.get("/cuenta/datos/descargar/").json()
    assert (told["account"]["username"], told["orders"][0]["total_minor"]) == ("carlos", 9580)
    carlos.client.post("/cuenta/datos/borrar/")
    assert "está por borrarse" in carlos.client.get("/cuenta/datos/").content.decode()
    carlos.client.post("/cuenta/datos/quedarme/")
    own_data.let_leave(timezone.now() + own_data.GRACE + timedelta(minutes=1))
    assert User.objects.filter(username="carlos").exists()
    carlos.client.post("/cuenta/datos/borrar/")
    own_data.let_leave(timezone.now() + timedelta(days=13))
    assert User.objects.filter(username="carlos").exists()
    own_data.let_leave(timezone.now() + own_data.GRACE + timedelta(minutes=1))
    assert not User.objects.filter(username="carlos").exists()
    order = Order.objects.get()
    assert (order.user, order.email, order.address, order.total_minor) == (None, "", {"country": "ES"}, 9580)
    alice = Buyer(shop.alice)
    assert "es la única persona" in alice.client.post("/cuenta/datos/borrar/", follow=True).content.decode()
    Membership.objects.filter(user=shop.bob).update(role="owner")
    alice.client.post("/cuenta/datos/borrar/")
    Membership.objects.filter(user=shop.bob).delete()
    own_data.let_leave(timezone.now() + own_data.GRACE + timedelta(minutes=1))
    assert User.objects.filter(username="alice").exists()
