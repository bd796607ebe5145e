"""Payment by card through Stripe's own library, against a local server that speaks its API: nothing is paid twice or just believed."""

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.shop import orders, words
from croody.shop.models import Order, Payment, PaymentNotice, Seller
from croody.shop.payments import services as payments
from tests.cloud.shop.conftest import Buyer
from tests.cloud.shop.stripe_fake import KEY, SECRET, FakeStripe, event, signed

pytest.importorskip("stripe", reason="an extra: install requirements/dev.txt")
pytestmark = pytest.mark.django_db
PAID = "checkout.session.completed"


@pytest.fixture
def bank(settings: Any) -> Iterator[FakeStripe]:
    fake = FakeStripe()
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    settings.ENV = dataclasses.replace(
        settings.ENV, stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=fake.url, public_url="https://shop.example.org"
    )
    yield fake
    fake.end()


@pytest.fixture
def order(shop: SimpleNamespace, bank: FakeStripe) -> Order:
    guest = Buyer()
    guest.put("mini")
    answer = guest.order(provider="stripe")
    assert answer.status_code == 200
    assert "https://checkout.stripe.com/c/pay/cs_test_1" in answer.content.decode()
    return Order.objects.get()


def tell(kind: str, session: dict[str, Any], number: int = 1, **more: Any) -> int:
    body = event(kind, session, number)
    return Client().post("/tienda/pago/aviso/stripe/", body, content_type="application/json", **(signed(body) | more)).status_code


def of(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.state, order.payments.get().status


def test_it_is_offered_only_where_there_are_keys(shop: SimpleNamespace, bank: FakeStripe, settings: Any):
    seller = Seller.objects.get()
    assert payments.offered(seller) == ["stripe", "sandbox", "manual"]
    settings.ENV = dataclasses.replace(settings.ENV, stripe_key="")
    assert payments.offered(seller) == ["sandbox", "manual"]
    assert tell(PAID, {}) == 400


def test_the_buyer_goes_to_stripe_with_the_sum_of_the_order_and_twice_it_is_the_same_session(order: Order, bank: FakeStripe):
    (asked,) = bank.asked
    assert asked["line_items[0][price_data][unit_amount]"] == ["9580"]
    assert asked["line_items[0][price_data][currency]"] == ["eur"]
    assert asked["success_url"] == [f"https://shop.example.org/es{words.link(order)}"]
    again = Client().post(f"{words.link(order)}pagar/")
    assert "cs_test_1" in again.content.decode()
    assert (len(bank.sessions), Payment.objects.get().theirs) == (1, "cs_test_1")


def test_a_notice_pays_once_however_often_and_in_whatever_order_it_comes(order: Order, bank: FakeStripe):
    session = bank.sessions["cs_test_1"] | {"payment_status": "paid"}
    for number in (1, 1, 2):
        assert tell(PAID, session, number) == 200
    assert of(order) == ("paid", "succeeded")
    assert tell("checkout.session.expired", session, 3) == tell("checkout.session.async_payment_failed", session, 4) == 200
    assert tell("customer.created", {"id": "cus_1"}, 5) == 200
    assert of(order) == ("paid", "succeeded")
    assert PaymentNotice.objects.count() == 1
    assert order.events.filter(state="paid").count() == 1


def test_a_payment_that_takes_its_time_is_booked_when_it_is_through_or_has_failed(order: Order, bank: FakeStripe):
    session = bank.sessions["cs_test_1"]
    assert tell(PAID, session, 1) == 200
    assert of(order) == ("pending", "challenged")
    assert tell("checkout.session.async_payment_succeeded", session, 2) == 200
    assert of(order) == ("paid", "succeeded")


def test_what_stripe_did_not_sign_or_is_about_another_sum_is_not_believed(order: Order, bank: FakeStripe):
    session = bank.sessions["cs_test_1"] | {"payment_status": "paid"}
    body = event(PAID, session)
    for header in (signed(body, "whsec_other"), signed(body + b" "), signed(body, ago_s=3600), {"HTTP_STRIPE_SIGNATURE": ""}):
        assert tell(PAID, session, **header) == 400
    for changed in ({"amount_total": 1}, {"currency": "cop"}, {"client_reference_id": "none"}):
        assert tell(PAID, session | changed) == 400
    assert tell(PAID, {"payment_status": "paid"}) == 400
    assert of(order) == ("pending", "begun")


def test_money_that_comes_too_late_goes_back_and_a_bank_that_is_away_is_told_again(order: Order, bank: FakeStripe, shop: SimpleNamespace):
    from django.utils import timezone

    from croody.audit.actor import SYSTEM
    from croody.shop import stock
    from croody.shop.moves import State

    orders.move(order, State.CANCELLED, actor=SYSTEM, now=timezone.now())
    stock.book(shop.board, -5, actor=SYSTEM, now=timezone.now())
    session = bank.sessions["cs_test_1"] | {"payment_status": "paid"}
    bank.away = 9
    assert tell(PAID, session) == 503, "Stripe tells it again"
    assert of(order) == ("cancelled", "begun")
    bank.away = 0
    assert tell(PAID, session) == 200
    assert of(order) == ("cancelled", "refunded")
    assert [one["payment_intent"] for one in bank.refunds] == ["pi_1"]


def test_a_keeper_pays_it_back_once_and_nothing_changes_while_stripe_is_away(order: Order, bank: FakeStripe, shop: SimpleNamespace):
    tell(PAID, bank.sessions["cs_test_1"] | {"payment_status": "paid"})
    alice = Buyer(shop.alice).client
    bank.away = 9
    assert "no lo devolvió" in alice.post(f"/tienda/gestion/pedidos/{order.pk}/devolver/", follow=True).content.decode()
    assert of(order) == ("paid", "succeeded")
    bank.away = 0
    for _ in range(2):
        alice.post(f"/tienda/gestion/pedidos/{order.pk}/devolver/")
    assert of(order) == ("refunded", "refunded")
    assert len(bank.refunds) == 1


def test_an_order_is_kept_when_stripe_does_not_answer(shop: SimpleNamespace, bank: FakeStripe):
    guest = Buyer()
    guest.put("mini")
    bank.away = 9
    answer = guest.order(provider="stripe")
    assert answer["Location"] == words.link(Order.objects.get())
    assert "no responde ahora" in guest.client.get(answer["Location"]).content.decode()
    bank.away = 0
    assert "cs_test_1" in guest.client.post(f"{answer['Location']}pagar/").content.decode()
