"""What the shop's pages say of products and orders, in one language. Reads nothing."""

from collections.abc import Mapping
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.shop import listing, moves, orders
from croody.shop.models import Order, OrderEvent, Payment, Product
from croody.web import formats

#: From so few on it is said how many are left.
FEW = 5
#: What became of a payment.
PAYMENTS: Final[Mapping[str, str | Promise]] = {
    Payment.Status.BEGUN: gettext_lazy("Empezado"),
    Payment.Status.CHALLENGED: gettext_lazy("Espera un segundo paso"),
    Payment.Status.SUCCEEDED: gettext_lazy("Cobrado"),
    Payment.Status.DECLINED: gettext_lazy("Rechazado por el banco"),
    Payment.Status.EXPIRED: gettext_lazy("Caducado"),
    Payment.Status.REFUNDED: gettext_lazy("Devuelto"),
}
PROVIDERS: Final[Mapping[str, str | Promise]] = {
    "stripe": "Stripe",
    "sandbox": gettext_lazy("pago de prueba"),
    "manual": gettext_lazy("transferencia"),
}
#: What happened to an order that leaves it in the state in which it was.
_NOTES: Final[Mapping[str, str | Promise]] = {
    "declined": gettext_lazy("El banco rechazó el pago"),
    "paid_back": gettext_lazy("Un pago de más, devuelto"),
}


def stock(product: Product, language: str) -> str:
    """How many there are, in words."""
    if product.stock <= 0:
        return _("Agotado")
    if product.stock > FEW:
        return _("Hay en almacén")
    return ngettext("Queda %(count)s", "Quedan %(count)s", product.stock) % {"count": formats.number(product.stock, 0, language)}


def tax(rate_bp: int, language: str) -> str:
    """`21 %`."""
    return formats.with_unit(formats.number(rate_bp / 100, 0 if rate_bp % 100 == 0 else 2, language), "%")


def product(one: Product, language: str) -> dict[str, Any]:
    """A product as a list shows it."""
    return {
        "name": one.name(language),
        "summary": one.summary(language),
        "address": reverse("shop_product", kwargs={"slug": one.slug}),
        "price": one.price.text(language),
        "kind": listing.KINDS.get(one.kind, one.kind),
        "stock": stock(one, language),
        "sold_out": one.stock <= 0,
        "few": 0 < one.stock <= FEW,
        "drawing": one.kind,
        "size": size(one, language),
    }


def size(one: Product, language: str) -> str:
    """`85 × 56 × 17 mm`; empty where nobody measured it."""
    sides = (one.width_mm, one.height_mm, one.depth_mm)
    if not all(sides):
        return ""
    return formats.with_unit(" × ".join(formats.number(side, 0, language) for side in sides), "mm")


def millimetres(side: int, language: str) -> str:
    """`85 mm`."""
    return formats.with_unit(formats.number(side, 0, language), "mm")


def weight(one: Product, language: str) -> str:
    """`45 g`, `12,5 kg`."""
    if not one.weight_g:
        return ""
    if one.weight_g < 1000:
        return formats.with_unit(formats.number(one.weight_g, 0, language), "g")
    return formats.with_unit(formats.number(one.weight_g / 1000, 1, language), "kg")


def kept_whole(name: str) -> SafeString:
    """The number of an order, for a heading: no line ends at its hyphen."""
    return format_html('<span class="whole">{}</span>', name)


def step(event: OrderEvent) -> str | Promise:
    """What happened to an order."""
    return _NOTES.get(event.note) or moves.WORDS.get(moves.State(event.state), event.state)


def order(one: Order, language: str) -> dict[str, Any]:
    """An order as pages show it: amounts as text."""
    return {
        "name": one.name,
        "kept_whole": kept_whole(one.name),
        "state": one.state,
        "word": moves.WORDS[moves.State(one.state)],
        "address": link(one),
        "total": one.total.text(language),
        "goods": one.money(one.goods_minor).text(language),
        "discount": one.money(-one.discount_minor).text(language) if one.discount_minor else "",
        "delivery": one.money(one.delivery_minor).text(language),
        "taxes": [{"rate": tax(bp, language), "amount": one.money(part).text(language)} for bp, part in one.taxes],
        "lines": [
            {
                "name": line.name,
                "quantity": line.quantity,
                "unit": one.money(line.unit_minor).text(language),
                "total": one.money(line.unit_minor * line.quantity).text(language),
                "tax": tax(line.tax_bp, language),
            }
            for line in one.lines.all()
        ],
    }


def link(one: Order) -> str:
    """The path to an order's page, which its secret opens."""
    return reverse("shop_order", kwargs={"name": one.name, "secret": orders.secret_of(one)})
