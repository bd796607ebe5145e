"""`/tienda/pagar/`: from a cart to an order. Keeps what was typed; the same form sent twice makes one order."""

import json
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts import throttle
from croody.accounts.caller import actor_of, of_session
from croody.audit.actor import Actor
from croody.shop import address_views, addresses, carts, order_views, orders, pages, stock, words
from croody.shop.forms import Checkout
from croody.shop.models import Cart, Coupon, Order, SavedAddress, ShippingRate
from croody.shop.money import Money
from croody.shop.payments import services as payments
from croody.web.address import whole

#: Orders from one address in an hour: each keeps goods for somebody who has not paid.
MOST_ORDERS: Final = 30


@pages.public
def checkout(request: HttpRequest) -> HttpResponseBase:
    """Who buys, where it goes, how it is paid; then one button that says the sum."""
    filled, now = carts.of(request), timezone.now()
    if request.method == "POST":
        made = _made_before(filled.cart, request.POST.get("key", ""))
        if made is not None:
            return pages.SeeOther(words.link(made))
    seller = pages.seller()
    if filled.cart is None or not filled.lines or seller is None:
        return redirect("shop_cart")
    rates = [rate for rate in ShippingRate.objects.select_related("tax").order_by("pk") if rate.currency == filled.currency]
    ways = payments.offered(seller)
    given: dict[str, Any] = {"rates": rates, "ways": ways, "currency": filled.currency, "language": pages.language()}
    if request.method != "POST":
        form = Checkout(initial=_known(request, rates, ways), **given)
        return _page(request, form, filled, rates, now)
    if "fill" in request.POST:
        # One of their addresses, pressed without script: it is written over what was typed of one, the rest stays.
        kept = _chosen(request, request.POST["fill"])
        typed = {name: request.POST[name] for name in Checkout.base_fields if name in request.POST}
        return _page(request, Checkout(initial=typed | (kept.address if kept is not None else {}), **given), filled, rates, now)
    form = Checkout(request.POST, **given)
    if not form.is_valid():
        return _page(request, form, filled, rates, now, status=422)
    return _place(request, form, filled, rates, now)


def _place(request: HttpRequest, form: Checkout, filled: carts.Filled, rates: list[ShippingRate], now: datetime) -> HttpResponseBase:
    assert filled.cart is not None
    said, rate = form.cleaned_data, form.rates[form.cleaned_data["rate"]]
    cost = orders.sums(list(filled.lines), filled.cart.coupon, rate, now)
    agreed = _agreed(request, str(rate.pk))
    if agreed != cost.total:
        # A price changed since the page was read: say it, and ask once more.
        return _page(request, form, filled, rates, now, confirm=cost.total)
    wanted = orders.Wanted(
        said["key"], said["email"], form.address(), form.invoice(), said["notes"].replace("\x00", ""), rate, said["provider"], agreed
    )
    user = request.user if isinstance(request.user, User) else None
    if not throttle.may_try("order", throttle.address_of(request), MOST_ORDERS, timedelta(hours=1)):
        messages.error(request, _("Desde tu red se hicieron demasiados pedidos en la última hora: espera un rato"))
        return _page(request, form, filled, rates, now, status=429)
    try:
        actor = actor_of(request, of_session(request))
        order = orders.place(filled.cart, wanted, user=user, actor=actor, now=now)
        if user is not None and said["keep"]:
            _keep(request, user, form, actor, now)
        return order_views.on_to_payment(request, order)
    except (orders.OrderRefused, stock.SoldOut) as refused:
        messages.error(request, str(refused))
        return _page(request, form, filled, rates, now, status=409)


def _keep(request: HttpRequest, user: User, form: Checkout, actor: Actor, now: datetime) -> None:
    """The address, for the next order, as they ticked. The order stands either way."""
    try:
        addresses.keep(user, form.address(), actor=actor, now=now)
    except addresses.Full as full:
        messages.error(request, str(full))


def _agreed(request: HttpRequest, rate: str) -> int:
    """What the page said that it all costs with this delivery; -1 where it said nothing."""
    goods, delivery = whole(request.POST.get("agreed", "")), whole(request.POST.get(f"agreed-{rate}", ""))
    return goods + delivery if goods is not None and delivery is not None else -1


def _made_before(cart: Cart | None, key: str) -> Order | None:
    return orders.made_of(cart, key) if cart is not None else None


def _known(request: HttpRequest, rates: list[ShippingRate], ways: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"key": secrets.token_hex(16), "provider": ways[0] if ways else "", "rate": str(rates[0].pk) if rates else ""}
    if isinstance(request.user, User):
        found |= {"email": request.user.email, "name": request.user.get_full_name()}
        last = Order.objects.filter(user=request.user).order_by("-pk").first()
        if last is not None:
            found |= {**last.address, **last.invoice, "email": last.email}
        kept = _chosen(request, request.GET.get("direccion", "")) or next(iter(addresses.of(request.user)), None)
        if kept is not None:
            found |= kept.address
    return found


def _chosen(request: HttpRequest, number: str) -> SavedAddress | None:
    """The address of theirs that has this number."""
    wanted = whole(number)
    return addresses.found(request.user, wanted) if isinstance(request.user, User) and wanted is not None else None


def _page(
    request: HttpRequest,
    form: Checkout,
    filled: carts.Filled,
    rates: list[ShippingRate],
    now: datetime,
    *,
    status: int = 200,
    confirm: int | None = None,
) -> HttpResponseBase:
    language, lines = pages.language(), list(filled.lines)
    coupon: Coupon | None = filled.cart.coupon if filled.cart is not None else None
    chosen = form.rates.get(str(form["rate"].value() or "")) or (rates[0] if rates else None)
    cost = orders.sums(lines, coupon, chosen, now)

    def text(minor: int) -> str:
        return Money(filled.currency, minor).text(language)

    context = {
        "form": form,
        "saved": _saved(request, form),
        "agreed": cost.goods - cost.discount,
        "confirm": _("El precio cambió mientras comprabas: ahora son %(total)s. Confirma otra vez.") % {"total": text(confirm)}
        if confirm is not None
        else "",
        "lines": [
            {
                "name": line.product.name(language),
                "quantity": line.quantity,
                "total": (line.product.price * line.quantity).text(language),
            }
            for line in lines
        ],
        "rates": [
            {
                "key": str(rate.pk),
                "name": rate.name(language),
                "minor": orders.delivery_of(rate, cost.goods - cost.discount),
                "total": text(cost.goods - cost.discount + orders.delivery_of(rate, cost.goods - cost.discount)),
                "price": text(orders.delivery_of(rate, cost.goods - cost.discount)),
                "days": _("%(least)s a %(most)s días") % {"least": rate.days_least, "most": rate.days_most},
                "here": rate is chosen,
            }
            for rate in rates
        ],
        "goods": text(cost.goods),
        "discount": text(-cost.discount) if cost.discount else "",
        "delivery": text(cost.delivery),
        "total": text(cost.total),
        "taxes": [{"rate": words.tax(bp, language), "amount": text(part)} for bp, part in cost.taxes],
    }
    return pages.show(request, "shop/checkout.html", context, filled=filled, status=status)


def _saved(request: HttpRequest, form: Checkout) -> list[dict[str, Any]]:
    """The addresses that they keep, as a choice; whichever the form has in it is the one that is pressed."""
    if not isinstance(request.user, User):
        return []
    return [
        {
            **address_views.shown(one),
            "fill": json.dumps(one.address),
            "here": all(str(form[name].value() or "") == said for name, said in one.address.items()),
        }
        for one in addresses.of(request.user)
    ]
