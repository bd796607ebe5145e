"""Every write of an order: made once, paid once, moved as the table says. Knows no page and no provider."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record
from croody.shop import carts, moves, stock, totals
from croody.shop.models import Cart, CartLine, Coupon, Numbering, Order, OrderEvent, OrderLine, OrderMail, Seller, ShippingRate
from croody.shop.moves import State

#: How long goods are kept for who pays now, and for who has to go to a bank.
KEPT: Final[Mapping[str, timedelta]] = {"sandbox": timedelta(minutes=30), "manual": timedelta(days=5)}
_KEY: Final = re.compile(r"[0-9a-f]{32}")
#: Orders that wait for a payment, of one mail address at a time: who holds the stock and never pays holds little of it.
MOST_WAITING: Final = 5


class OrderRefused(ValueError):
    """An order that is not made, or not moved; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a buyer said at the checkout. `key`: of the form, 32 hex digits; the same twice is the same order."""

    key: str
    email: str
    address: Mapping[str, str]
    invoice: Mapping[str, str]
    notes: str
    rate: ShippingRate
    provider: str
    #: What the page said that it costs: whoever agreed to one price does not pay another.
    agreed_minor: int


def sums(lines: list[CartLine], coupon: Coupon | None, rate: ShippingRate | None, now: datetime) -> totals.Totals:
    """What these lines cost today, with this coupon and delivery."""
    bought = [totals.Line(line.product.price_minor, line.quantity, line.product.tax.rate_bp) for line in lines]
    goods = sum(line.gross for line in bought)
    off = discount(coupon, goods, lines[0].product.currency if lines else "", now)
    delivery = delivery_of(rate, goods - off) if rate is not None else 0
    return totals.of(bought, discount=off, delivery=delivery, delivery_tax_bp=rate.tax.rate_bp if rate is not None else 0)


def delivery_of(rate: ShippingRate, goods: int) -> int:
    """What it costs to deliver so much of goods."""
    return 0 if rate.free_from_minor is not None and goods >= rate.free_from_minor else rate.price_minor


def discount(coupon: Coupon | None, goods: int, currency: str, now: datetime) -> int:
    """What a coupon takes off; nothing when it is over, used up or of another currency."""
    if coupon is None or not usable(coupon, now):
        return 0
    if coupon.share_bp:
        return totals.share(goods, min(coupon.share_bp, totals.WHOLE_BP))
    return min(coupon.amount_minor, goods) if coupon.currency == currency else 0


def usable(coupon: Coupon, now: datetime) -> bool:
    """Say whether it still holds."""
    return (coupon.expires_at is None or coupon.expires_at > now) and (not coupon.most_uses or coupon.used < coupon.most_uses)


def place(cart: Cart, wanted: Wanted, *, user: User | None, actor: Actor, now: datetime) -> Order:
    """Make an order of a cart: reserve its goods, give it the next number of the year, empty the cart. Once, however often it is asked for.

    Raises:
        OrderRefused: nothing in the cart, another price than was agreed to, too many that wait for a payment.
        stock.SoldOut: of one thing there are not enough.
    """
    if not _KEY.fullmatch(wanted.key):
        raise OrderRefused(_("El formulario está incompleto: vuelve al carrito y empieza de nuevo"))
    key = _key_of(cart, wanted.key)
    made = made_of(cart, wanted.key)
    if made is not None:
        return made
    try:
        with transaction.atomic():
            return _place(cart, wanted, key, user, actor, now)
    except IntegrityError:
        # The same form, sent twice at once: the other one was quicker.
        twin = Order.objects.filter(key=key).first()
        if twin is None:
            raise
        return twin


def made_of(cart: Cart, key: str) -> Order | None:
    """The order that this form made already."""
    return Order.objects.filter(key=_key_of(cart, key)).first()


def _key_of(cart: Cart, key: str) -> str:
    """Of this cart alone: another's form opens no order of theirs."""
    return hashlib.sha256(f"{cart.pk}:{key}".encode("utf-8", "replace")).hexdigest()


def _place(cart: Cart, wanted: Wanted, key: str, user: User | None, actor: Actor, now: datetime) -> Order:
    locked = Cart.objects.select_for_update().get(pk=cart.pk)
    twin = Order.objects.filter(key=key).first()
    if twin is not None:
        return twin
    lines = list(carts.filled(locked).lines)
    if not lines:
        raise OrderRefused(_("El carrito está vacío: pon algo antes de pagar"))
    cost = sums(lines, locked.coupon, wanted.rate, now)
    if cost.total != wanted.agreed_minor:
        raise OrderRefused(_("El precio cambió mientras comprabas: revisa el total y confirma otra vez"))
    waiting = Order.objects.filter(email__iexact=wanted.email, state=State.PENDING).count()
    if waiting >= MOST_WAITING:
        raise OrderRefused(_("Hay %(count)s pedidos sin pagar con este correo: paga o cancela alguno antes") % {"count": waiting})
    language = get_language() or "es"
    order = Order.objects.create(
        year=now.year,
        number=_next_number(now.year),
        key=key,
        user=user,
        email=wanted.email,
        language=language,
        currency=lines[0].product.currency,
        goods_minor=cost.goods,
        discount_minor=cost.discount,
        delivery_minor=cost.delivery,
        total_minor=cost.total,
        tax_minor=cost.tax,
        taxes=[list(tax) for tax in cost.taxes],
        coupon=_use(locked.coupon, cost.discount, now),
        delivery=wanted.rate.name(language),
        address=dict(wanted.address),
        invoice=dict(wanted.invoice),
        notes=wanted.notes,
        provider=wanted.provider,
        created_at=now,
        reserved_until=now + KEPT.get(wanted.provider, KEPT["sandbox"]),
    )
    stock.reserve(stock.counted((line.product_id, line.quantity) for line in lines), order, now)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name(language),
            quantity=line.quantity,
            unit_minor=line.product.price_minor,
            tax_bp=line.product.tax.rate_bp,
        )
        for line in lines
    )
    carts.empty(locked)
    _note(order, actor, "order", "", now)
    return order


def _use(coupon: Coupon | None, discount_minor: int, now: datetime) -> str:
    """Count a use of it; the conditional update decides who has the last one."""
    if coupon is None or not discount_minor:
        return ""
    open_uses = Q(most_uses=0) | Q(used__lt=F("most_uses"))
    if not Coupon.objects.filter(open_uses, pk=coupon.pk).update(used=F("used") + 1):
        raise OrderRefused(_("El cupón %(code)s ya se usó del todo: quítalo para seguir") % {"code": coupon.code})
    return coupon.code


def _count_again(code: str, by: int) -> None:
    """An order that is cancelled gives its use of a coupon back; one that is paid after all has it again, even beyond the last."""
    Coupon.objects.filter(code=code, used__gte=-by).update(used=F("used") + by)


def _next_number(year: int) -> int:
    """Inside the order's transaction: one that is not made gives its number back."""
    Numbering.objects.get_or_create(year=year)
    Numbering.objects.filter(pk=year).update(last=F("last") + 1)
    return Numbering.objects.get(pk=year).last


def move(order: Order, there: State, *, actor: Actor, now: datetime, note: str = "", tracking: str = "") -> Order:
    """Bring an order to another state, as the table allows; its goods, mail and log follow.

    Raises:
        OrderRefused: the table has no such move from where it is.
        stock.SoldOut: it was cancelled, and its goods are gone meanwhile.
    """
    with transaction.atomic():
        locked = Order.objects.select_for_update().get(pk=order.pk)
        here = State(locked.state)
        if not moves.may_move(here, there):
            said = {"order": locked.name, "here": moves.WORDS[here], "there": moves.WORDS[there]}
            raise OrderRefused(_("Pedido %(order)s: está en «%(here)s» y de ahí no pasa a «%(there)s»") % said)
        if here is State.CANCELLED:
            stock.reserve(stock.of_order(locked), locked, now)
        elif there in (State.CANCELLED, State.REFUNDED) and here in moves.RETURNS:
            stock.give_back(locked, now)
        if locked.coupon and State.CANCELLED in (here, there):
            _count_again(locked.coupon, 1 if here is State.CANCELLED else -1)
        locked.state, locked.reserved_until = there, None
        if there is State.PAID:
            locked.paid_at = now
        if tracking:
            locked.tracking = tracking[:80]
        locked.save(update_fields=["state", "reserved_until", "paid_at", "tracking"])
        _note(locked, actor, _VERBS[there], note, now)
    return locked


_VERBS: Final[Mapping[State, str]] = {
    State.PAID: "pay",
    State.PREPARING: "prepare",
    State.SHIPPED: "ship",
    State.DELIVERED: "deliver",
    State.CANCELLED: "cancel",
    State.REFUNDED: "refund",
}


def expire(now: datetime, most: int = 100) -> int:
    """Cancel orders whose time to pay is over. Returns how many."""
    due = list(Order.objects.filter(state=State.PENDING, reserved_until__lt=now).order_by("reserved_until")[:most])
    for order in due:
        try:
            move(order, State.CANCELLED, actor=SYSTEM, now=now, note="time")
        except OrderRefused:
            # Paid a moment ago.
            continue
    return len(due)


def secret_of(order: Order) -> str:
    """What the link to an order has in it, so that a guest comes back to it. Kept nowhere: it is made of the site's key."""
    return salted_hmac("croody.shop.order", f"{order.pk}:{order.key}", algorithm="sha256").hexdigest()[:40]


def found(name: str, secret: str) -> Order | None:
    """The order of a link; None for one that is no link of ours."""
    year, _dash, number = name.partition("-")
    if not (year.isdecimal() and number.isdecimal() and len(year) == 4 and len(number) <= 9 and name.isascii()):
        return None
    order = Order.objects.filter(year=int(year), number=int(number)).first()
    return order if order is not None and constant_time_compare(secret_of(order), secret) else None


def _note(order: Order, actor: Actor, verb: str, note: str, now: datetime) -> None:
    """Its own history, the audit log of who sells, and the mail to who bought."""
    OrderEvent.objects.create(order=order, state=order.state, who=actor.name[:150], note=note[:200], at=now)
    OrderMail.objects.create(order=order, kind=order.state, created_at=now, next_at=now)
    seller = Seller.objects.values_list("organisation_id", flat=True).first()
    after: dict[str, Any] = {"state": order.state}
    record(actor, verb, "order", order.name, organisation_id=seller, after=after, now=now)
