"""Every change of a product's stock. One conditional update decides who gets the last one, on either database, however many ask at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.audit.actor import Actor
from croody.audit.services import record
from croody.shop.models import Order, Product, Seller, StockMove

Why = StockMove.Why


class SoldOut(ValueError):
    """There are not as many as were asked for; says of what, and how many are left."""

    def __init__(self, product: Product, left: int) -> None:
        name = product.name(get_language() or "es")
        if left > 0:
            text = _("%(name)s: quedan %(left)s: pide menos") % {"name": name, "left": left}
        else:
            text = _("%(name)s: agotado: quítalo del carrito para seguir") % {"name": name}
        super().__init__(text)
        self.product = product
        self.left = left


def reserve(wanted: Mapping[int, int], order: Order, now: datetime) -> None:
    """Take so many of each product off the shelf for an order. Inside a transaction: all of it or nothing.

    Raises:
        SoldOut: of one there are not enough.
    """
    # Always in the same order: two orders of the same two products never wait for each other.
    for product_id, quantity in sorted(wanted.items()):
        taken = Product.objects.filter(pk=product_id, stock__gte=quantity).update(stock=F("stock") - quantity)
        if not taken:
            product = Product.objects.get(pk=product_id)
            raise SoldOut(product, product.stock)
        StockMove.objects.create(product_id=product_id, change=-quantity, why=Why.RESERVED, order=order, at=now)


def give_back(order: Order, now: datetime) -> None:
    """Put what an order held back on the shelf."""
    for product_id, quantity in sorted(of_order(order).items()):
        Product.objects.filter(pk=product_id).update(stock=F("stock") + quantity)
        StockMove.objects.create(product_id=product_id, change=quantity, why=Why.RETURNED, order=order, at=now)


def book(product: Product, by: int, *, actor: Actor, now: datetime, note: str = "") -> bool:
    """Goods that arrived, or a correction. False, and nothing changed, where more would be taken away than there is."""
    with transaction.atomic():
        if not Product.objects.filter(pk=product.pk, stock__gte=-by).update(stock=F("stock") + by):
            return False
        why = Why.ARRIVED if by > 0 else Why.CORRECTED
        StockMove.objects.create(product=product, change=by, why=why, who=actor.name[:150], note=note[:200], at=now)
        seller = Seller.objects.values_list("organisation_id", flat=True).first()
        record(actor, "stock", "product", product.slug, organisation_id=seller, after={"change": by}, now=now)
    return True


def of_order(order: Order) -> dict[int, int]:
    """Product -> how many of it."""
    return counted((line.product_id, line.quantity) for line in order.lines.all())


def counted(lines: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Product -> how many, summed up."""
    found: dict[int, int] = {}
    for product_id, quantity in lines:
        found[product_id] = found.get(product_id, 0) + quantity
    return found
