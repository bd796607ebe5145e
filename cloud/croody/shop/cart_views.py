"""`/tienda/carrito/` and its forms. What a cart may hold is `carts`' to say."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.shop import carts, orders, pages, words
from croody.shop.models import Cart, CartLine, Coupon, Product
from croody.shop.money import Money
from croody.web.address import typed, whole


@pages.public
def cart(request: HttpRequest) -> HttpResponse:
    """What is in it, at today's prices."""
    language, now = pages.language(), timezone.now()
    filled = carts.of(request)
    coupon = filled.cart.coupon if filled.cart is not None else None
    lines = list(filled.lines)
    context: dict[str, Any] = {"lines": [_line(line, language) for line in lines], "coupon": coupon.code if coupon is not None else ""}
    if lines:
        cost = orders.sums(lines, coupon, None, now)
        context |= {
            "goods": Money(filled.currency, cost.goods).text(language),
            "discount": Money(filled.currency, -cost.discount).text(language) if cost.discount else "",
            "total": Money(filled.currency, cost.total).text(language),
            "stuck": any(line.quantity > line.product.stock for line in lines),
        }
    return pages.show(request, "shop/cart.html", context, filled=filled)


@pages.form_of("shop_cart")
def add(request: HttpRequest) -> HttpResponseBase:
    """One more, or so many more, of a product."""
    product = get_object_or_404(Product, slug=typed(request.POST, "product", 60), shown=True)
    return _put(request, product, whole(request.POST.get("quantity", "1"), 4) or 1, more=True)


@pages.form_of("shop_cart")
def change(request: HttpRequest) -> HttpResponseBase:
    """So many of a product; 0 takes it out."""
    product = get_object_or_404(Product, slug=typed(request.POST, "product", 60), shown=True)
    quantity = whole(request.POST.get("quantity", ""), 4)
    if quantity is None:
        messages.error(request, _("«%(text)s» no es una cantidad: escribe un número") % {"text": request.POST.get("quantity", "")[:20]})
        return pages.SeeOther(reverse("shop_cart"))
    return _put(request, product, quantity, more=False)


@pages.form_of("shop_cart")
def coupon(request: HttpRequest) -> HttpResponseBase:
    """Take a coupon, or none."""
    filled, code = carts.of(request), request.POST.get("code", "").replace("\x00", "").strip().upper()[:24]
    if filled.cart is not None:
        found = Coupon.objects.filter(code=code).first() if code else None
        if code and (found is None or not orders.usable(found, timezone.now())):
            messages.error(request, _("El cupón «%(code)s» no existe o ya venció: revisa cómo está escrito") % {"code": code})
        else:
            Cart.objects.filter(pk=filled.cart.pk).update(coupon=found)
    return pages.SeeOther(reverse("shop_cart"))


def _put(request: HttpRequest, product: Product, quantity: int, *, more: bool) -> HttpResponseBase:
    token = ""
    try:
        _filled, token = carts.put(request, product, quantity, now=timezone.now(), more=more)
    except carts.CartRefused as refused:
        messages.error(request, str(refused))
    answer = pages.SeeOther(reverse("shop_cart"))
    carts.keep(answer, token)
    return answer


def _line(line: CartLine, language: str) -> dict[str, object]:
    one = line.product
    changed = line.seen_minor != one.price_minor
    return {
        **words.product(one, language),
        "slug": one.slug,
        "quantity": line.quantity,
        "most": one.most_an_order,
        "total": (one.price * line.quantity).text(language),
        "short": line.quantity > one.stock,
        "before": Money(one.currency, line.seen_minor).text(language) if changed else "",
    }
