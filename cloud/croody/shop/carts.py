"""Carts: whose, and what is in them. Every write of a cart is here; the pages and the JSON API call it. Reserves nothing: an order does."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts import throttle
from croody.shop.models import Cart, CartLine, Product
from croody.shop.money import Money, total

#: Different products in one cart.
MOST_LINES: Final = 30
#: Carts that guests of one address begin in an hour: a class of thirty behind one router fits.
MOST_NEW: Final = 200
#: A cart that nobody touches goes.
LIFE: Final = timedelta(days=60)


class CartRefused(ValueError):
    """Something that cannot be in this cart; says what, why and what to do."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A cart and what is in it. `cart` None: none was made yet."""

    cart: Cart | None
    lines: Sequence[CartLine]

    @property
    def pieces(self) -> int:
        """How many things, all together."""
        return sum(line.quantity for line in self.lines)

    @property
    def currency(self) -> str:
        """Of everything in it."""
        return self.lines[0].product.currency if self.lines else ""

    @property
    def goods(self) -> Money | None:
        """What it costs at today's prices; None when it is empty."""
        return total((line.product.price * line.quantity for line in self.lines), self.currency) if self.lines else None


def cookie() -> str:
    """The name of the cookie that a guest's cart is found by."""
    return "__Host-cart" if settings.SESSION_COOKIE_SECURE else "cart"


def of(request: HttpRequest) -> Filled:
    """The cart of whoever asks."""
    cart = _found(request)
    return filled(cart)


def filled(cart: Cart | None) -> Filled:
    """A cart with its lines, in the order in which they came."""
    if cart is None:
        return Filled(None, ())
    lines = list(cart.lines.select_related("product__tax").filter(product__shown=True).order_by("pk"))
    return Filled(cart, lines)


def put(request: HttpRequest, product: Product, quantity: int, *, now: datetime, more: bool = True) -> tuple[Filled, str]:
    """Put so many into the cart, or have so many there (`more` False; 0 takes it out). Returns the token of a guest's new cart, once.

    Raises:
        CartRefused: more than one order may have, another currency, or too many different things.
    """
    name = product.name(get_language() or "es")
    with transaction.atomic():
        cart, token = _made(request, now)
        # Two clicks at once put two in.
        Cart.objects.select_for_update().get(pk=cart.pk)
        line = cart.lines.filter(product=product).first()
        there = line.quantity if line is not None and more else 0
        wanted = there + quantity
        if wanted <= 0:
            cart.lines.filter(product=product).delete()
            return filled(cart), token
        if wanted > product.most_an_order:
            said = {"name": name, "most": product.most_an_order, "wanted": wanted}
            raise CartRefused(_("%(name)s: hasta %(most)s por pedido, y serían %(wanted)s") % said)
        others = cart.lines.exclude(product=product)
        foreign = others.exclude(product__currency=product.currency).select_related("product").first()
        if foreign is not None:
            said = {"name": name, "theirs": product.currency, "ours": foreign.product.currency}
            raise CartRefused(_("%(name)s se paga en %(theirs)s y tu carrito está en %(ours)s: haz dos pedidos") % said)
        if line is None and others.count() >= MOST_LINES:
            raise CartRefused(_("Caben %(most)s productos distintos por pedido: haz otro con el resto") % {"most": MOST_LINES})
        CartLine.objects.update_or_create(cart=cart, product=product, defaults={"quantity": wanted, "seen_minor": product.price_minor})
        Cart.objects.filter(pk=cart.pk).update(touched_at=now)
    return filled(cart), token


def empty(cart: Cart) -> None:
    """Take everything out: it was bought."""
    cart.lines.all().delete()
    Cart.objects.filter(pk=cart.pk).update(coupon=None)


def keep(response: HttpResponseBase, token: str) -> None:
    """Let a guest's browser know its new cart."""
    if token:
        response.set_cookie(
            cookie(), token, max_age=int(LIFE.total_seconds()), secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )


def merge(request: HttpRequest, user: User, *, now: datetime) -> None:
    """What a guest had is in their own cart once they are signed in: of each thing the larger number, within what one order may have."""
    guest = _of_token(request.COOKIES.get(cookie(), ""))
    if guest is None:
        return
    with transaction.atomic():
        mine, _made_now = Cart.objects.get_or_create(user=user, defaults={"touched_at": now})
        there = {line.product_id: line for line in mine.lines.select_related("product")}
        currency = next((line.product.currency for line in there.values()), None)
        for line in guest.lines.select_related("product").order_by("pk"):
            currency = currency or line.product.currency
            known = there.get(line.product_id)
            if known is not None:
                quantity = min(max(known.quantity, line.quantity), line.product.most_an_order)
                CartLine.objects.filter(pk=known.pk).update(quantity=quantity)
            elif line.product.currency == currency and len(there) < MOST_LINES:
                there[line.product_id] = CartLine.objects.create(
                    cart=mine, product=line.product, quantity=line.quantity, seen_minor=line.seen_minor
                )
        if mine.coupon_id is None and guest.coupon_id is not None:
            Cart.objects.filter(pk=mine.pk).update(coupon=guest.coupon_id)
        guest.delete()


def _found(request: HttpRequest) -> Cart | None:
    user = getattr(request, "user", None) or AnonymousUser()
    if isinstance(user, User):
        return Cart.objects.select_related("coupon").filter(user=user).first()
    return _of_token(request.COOKIES.get(cookie(), ""))


def _of_token(token: str) -> Cart | None:
    return Cart.objects.select_related("coupon").filter(sha256=_hash(token), user=None).first() if token else None


def _made(request: HttpRequest, now: datetime) -> tuple[Cart, str]:
    found = _found(request)
    if found is not None:
        return found, ""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return Cart.objects.get_or_create(user=user, defaults={"touched_at": now})[0], ""
    if not throttle.may_try("cart", throttle.address_of(request), MOST_NEW, timedelta(hours=1)):
        raise CartRefused(_("Desde tu red se empezaron demasiados carritos en la última hora: espera un rato, o entra con tu cuenta"))
    token = secrets.token_urlsafe(24)
    return Cart.objects.create(sha256=_hash(token), touched_at=now), token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
