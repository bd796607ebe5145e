"""Who waits for a product that is sold out is told once it is there again: once, after they confirmed it, and is then forgotten."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from croody.accounts.models import ShownMail
from croody.audit.actor import SYSTEM
from croody.shop import jobs, stock, wait_views, waits
from croody.shop.models import Product, StockWait
from croody.site import own_data
from croody.worker import retention
from tests.cloud.shop.conftest import Buyer

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    settings.ENV = dataclasses.replace(settings.ENV, demo=True, smtp=None)
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"


@pytest.fixture
def sold_out(shop: SimpleNamespace) -> SimpleNamespace:
    Product.objects.filter(pk=shop.pro.pk).update(stock=0)
    return shop


def ask(client: Client, email: str = "Ana@example.org", slug: str = "pro", language: str = "es", **more: str) -> int:
    return int(client.post(f"/{language}/tienda/{slug}/avisame/", {"email": email, **more}).status_code)


def link(prefix: str = "/tienda/aviso/") -> str:
    body = ShownMail.objects.order_by("-pk").first().body
    return "/" + next(line for line in body.splitlines() if prefix in line).split("/", 3)[3]


def test_who_confirms_is_told_once_and_forgotten_and_nobody_else_is_told(sold_out: SimpleNamespace):
    client, now = Client(), timezone.now()
    assert "Avísame" in client.get("/tienda/pro/").content.decode()
    assert ask(client, language="en") == 303
    assert ask(Client(), email="not-hers@example.org") == 303
    ShownMail.objects.order_by("-pk").first().delete()
    path = link()
    assert "Yes, tell me" in client.get(path).content.decode()
    assert waits.counts() == {}
    assert "We tell you when it is back" in client.post(path).content.decode()
    assert waits.counts() == {sold_out.pro.pk: 1}
    assert "1 espera aviso" in Buyer(sold_out.bob).client.get("/tienda/gestion/productos/").content.decode()
    jobs.tell_waiting(now + timedelta(minutes=5))
    before = ShownMail.objects.count()
    stock.book(sold_out.pro, 1, actor=SYSTEM, now=now)
    for _ in range(2):
        jobs.tell_waiting(now + timedelta(minutes=5))
    mail = ShownMail.objects.order_by("-pk").first()
    assert (ShownMail.objects.count() - before, mail.to, mail.subject) == (1, "ana@example.org", "Back in stock: The pro")
    assert "/en/tienda/pro/" in mail.body
    assert client.get(link("/tienda/pro/")).status_code == 200
    assert StockWait.objects.get().email == "not-hers@example.org"
    assert client.get(path).status_code == 410


def test_a_mail_that_is_not_taken_is_tried_again_and_one_that_may_have_gone_is_not(sold_out: SimpleNamespace, settings: Any):
    now = timezone.now()
    for number, name in enumerate(("ana", "eva")):
        StockWait.objects.create(
            product=sold_out.board, email=f"{name}@example.org", language="es", asked_at=now, confirmed_at=now,
            next_at=None if number else now, told_at=now if number else None,
        )  # fmt: skip
    settings.EMAIL_BACKEND = "croody.accounts.mailer.NowhereBackend"
    jobs.tell_waiting(now)
    ana = StockWait.objects.get(email="ana@example.org")
    assert (ana.tries, ana.next_at) == (1, now + timedelta(minutes=1))
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"
    jobs.tell_waiting(now)
    jobs.tell_waiting(now + timedelta(minutes=1))
    assert list(ShownMail.objects.values_list("to", flat=True)) == ["ana@example.org"]
    retention.let_go(now + timedelta(days=2))
    assert not StockWait.objects.exists()


def test_lists_are_bounded_by_address_and_by_product_and_those_nobody_confirms_keep_nobody_out(
    sold_out: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    client, now = Client(), timezone.now()
    monkeypatch.setattr(waits, "MOST_AN_ADDRESS", 1)
    monkeypatch.setattr(waits, "MOST_UNCONFIRMED", 2)
    monkeypatch.setattr(waits, "MOST_A_PRODUCT", 1)
    Product.objects.filter(pk=sold_out.board.pk).update(stock=0)
    assert [ask(client), ask(client, slug="mini")] == [303, 303]
    assert StockWait.objects.get().product_id == sold_out.pro.pk
    first = link()
    assert [ask(client, email=f"{name}@example.org") for name in ("eva", "ida")] == [303, 303]
    assert set(StockWait.objects.values_list("email", flat=True)) == {"eva@example.org", "ida@example.org"}
    assert client.get(first).status_code == 410
    StockWait.objects.filter(email="eva@example.org").update(confirmed_at=now)
    answer = client.post(link())
    assert "está llena" in answer.content.decode()
    assert waits.counts() == {sold_out.pro.pk: 1}


def test_floods_traps_bad_addresses_and_products_that_are_there_leave_nothing(sold_out: SimpleNamespace):
    client = Client()
    assert ask(client, website="http://spam") == 303
    assert ask(client, slug="mini") == 302
    assert ask(client, slug="none") == 404
    answer = client.post("/tienda/pro/avisame/", {"email": "nobody"})
    assert (answer.status_code, answer.content.decode().count('value="nobody"')) == (422, 1)
    assert not StockWait.objects.exists()
    assert [ask(client, email="ana@example.org") for _ in range(12)] == [303] * wait_views.MOST + [429] * 2
    assert ShownMail.objects.count() == wait_views.MOST_MAILS


def test_unconfirmed_ones_go_after_a_week_and_ones_own_are_part_of_ones_data(sold_out: SimpleNamespace):
    now, carlos = timezone.now(), Buyer(sold_out.carlos).client
    assert 'value="carlos@example.org"' in carlos.get("/tienda/pro/").content.decode()
    ask(carlos, email="Carlos@example.org")
    ask(carlos, email="eva@example.org")
    assert own_data.export(sold_out.carlos)["product_notices"] == []
    EmailAddress.objects.create(user=sold_out.carlos, email="Carlos@example.org", verified=True, primary=True)
    assert [one["product__slug"] for one in own_data.export(sold_out.carlos)["product_notices"]] == ["pro"]
    own_data.ask_to_leave(sold_out.carlos, actor=SYSTEM, now=now)
    own_data.let_leave(now + own_data.GRACE + timedelta(minutes=1))
    assert StockWait.objects.get().email == "eva@example.org"
    retention.let_go(now + timedelta(days=8))
    assert not StockWait.objects.exists()


def test_who_confirmed_may_take_it_back(sold_out: SimpleNamespace):
    client = Client()
    ask(client)
    client.post(link())
    assert "Olvidamos tu dirección" in client.post(link(), {"do": "forget"}).content.decode()
    assert not StockWait.objects.exists()
