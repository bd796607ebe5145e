"""What becomes of payments: begun, told of by notices, paid back. A notice counts once; none takes back what a better one said."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from croody.audit.actor import SYSTEM, Actor
from croody.shop import orders, stock
from croody.shop.models import Order, OrderEvent, OrderMail, Payment, PaymentNotice, Seller
from croody.shop.moves import State
from croody.shop.payments.manual import Manual
from croody.shop.payments.provider import BadNotice, Notice, Provider
from croody.shop.payments.sandbox import Sandbox
from croody.shop.payments.stripe_checkout import Stripe, configured

PROVIDERS: Final[Mapping[str, Provider]] = {one.name: one for one in (Manual(), Sandbox(), Stripe())}
Status = Payment.Status
#: How far a payment is. Notices come in any order: one that says less than what is known changes nothing.
_RANK: Final[Mapping[str, int]] = {
    Status.BEGUN: 0,
    Status.CHALLENGED: 1,
    Status.EXPIRED: 2,
    Status.DECLINED: 2,
    Status.SUCCEEDED: 3,
    Status.REFUNDED: 4,
}
#: Tries to pay one order.
MOST_TRIES: Final = 20


def offered(seller: Seller) -> list[str]:
    """Ways to pay that this seller takes."""
    ways = (("stripe", configured()), ("sandbox", seller.sandbox), ("manual", bool(seller.transfer)))
    return [name for name, has in ways if has]


def begin(order: Order, *, now: datetime) -> str:
    """Begin a payment of this order; returns where the buyer goes on, empty where there is nothing to do here.

    Raises:
        orders.OrderRefused: too many tries.
        Away: the provider does not answer.
    """
    provider = PROVIDERS[order.provider]
    payment = order.payments.filter(status=Status.BEGUN).first()
    if payment is None:
        if order.payments.count() >= MOST_TRIES:
            raise orders.OrderRefused("payment: too many tries: make a new order")
        payment = Payment.objects.create(
            order=order,
            provider=provider.name,
            reference=secrets.token_hex(16),
            amount_minor=order.total_minor,
            currency=order.currency,
            at=now,
        )
    return provider.begin(payment)


def take(name: str, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Payment | None:
    """Take a notice as it came; None where it is about nothing that we book.

    Raises:
        BadNotice: nothing of it is believed.
        Away: what it asks for needs the provider, which does not answer: nothing is booked, so that it is told again.
    """
    provider = PROVIDERS.get(name)
    if provider is None or (name == Stripe.name and not configured()):
        raise BadNotice("provider: there is none of this name")
    notice = provider.read(body, headers)
    return book(provider, notice, now=now) if notice is not None else None


def book(provider: Provider, notice: Notice, *, now: datetime) -> Payment:
    """Write down what a provider said, and let the order follow.

    Raises:
        BadNotice: no payment of ours, or another amount.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update().filter(reference=notice.reference, provider=provider.name).first()
        if payment is None:
            raise BadNotice("reference: no payment of ours")
        if (notice.amount_minor, notice.currency) != (payment.amount_minor, payment.currency):
            raise BadNotice("amount: not what this payment is about")
        # What changes nothing is not written down either: nobody fills a table by repeating it.
        if _RANK[notice.status] <= _RANK[payment.status] or not _is_new(payment, notice, now):
            return payment
        payment.status = notice.status
        payment.save(update_fields=["status"])
        if notice.status == Status.SUCCEEDED:
            _paid(payment, SYSTEM, now)
        elif notice.status == Status.DECLINED:
            OrderEvent.objects.create(order=payment.order, state=payment.order.state, who=provider.name, note="declined", at=now)
    return payment


def note_by_hand(order: Order, *, actor: Actor, now: datetime) -> None:
    """A transfer that the seller saw at the bank.

    Raises:
        orders.OrderRefused: it was paid, or is over.
        stock.SoldOut: it was cancelled, and its goods are gone.
    """
    with transaction.atomic():
        orders.move(order, State.PAID, actor=actor, now=now)
        Payment.objects.create(
            order=order,
            provider="manual",
            reference=secrets.token_hex(16),
            status=Status.SUCCEEDED,
            amount_minor=order.total_minor,
            currency=order.currency,
            at=now,
        )


def refund(order: Order, *, actor: Actor, now: datetime) -> bool:
    """Pay an order back. False: a person has to send the money.

    Raises:
        orders.OrderRefused: nothing was paid, or it was paid back.
        Away: the provider does not answer: nothing is changed.
    """
    with transaction.atomic():
        moved = orders.move(order, State.REFUNDED, actor=actor, now=now)
        payments = list(moved.payments.select_for_update().filter(status=Status.SUCCEEDED))
        return all(_pay_back(payment) for payment in payments)


def _is_new(payment: Payment, notice: Notice, now: datetime) -> bool:
    try:
        with transaction.atomic():
            PaymentNotice.objects.create(
                provider=payment.provider, notice_id=notice.notice_id, payment=payment, status=notice.status, at=now
            )
    except IntegrityError:
        return False
    return True


def _paid(payment: Payment, actor: Actor, now: datetime) -> None:
    """The order is paid. What cannot be honoured is paid back: it was paid already, or its goods are gone."""
    order = Order.objects.select_for_update().get(pk=payment.order_id)
    try:
        with transaction.atomic():
            orders.move(order, State.PAID, actor=actor, now=now, note=payment.provider)
    except (orders.OrderRefused, stock.SoldOut):
        _pay_back(payment)
        OrderEvent.objects.create(order=order, state=order.state, who=payment.provider, note="paid_back", at=now)
        OrderMail.objects.create(order=order, kind="paid_back", created_at=now, next_at=now)


def _pay_back(payment: Payment) -> bool:
    done = PROVIDERS[payment.provider].refund(payment)
    if done:
        Payment.objects.filter(pk=payment.pk).update(status=Status.REFUNDED)
    return done
