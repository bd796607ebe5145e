"""`/tienda/api/cart/`: the cart for scripts, as JSON. The same writes as the pages; whose cart it is says the same cookie or session."""

from typing import Any

import msgspec
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.shop import carts, pages
from croody.shop.models import Product
from croody.web.address import whole


@pages.public
def show(request: HttpRequest) -> JsonResponse:
    """What is in it."""
    return _shown(request)


@pages.public
def add(request: HttpRequest) -> JsonResponse:
    """`{"product": slug, "quantity": 1}`, as JSON or as a form; earlier scripts say `product_id`. GET shows the cart."""
    return _put(request, more=True)


@pages.public
def change(request: HttpRequest) -> JsonResponse:
    """The same: so many, all together; 0 takes it out."""
    return _put(request, more=False)


def _put(request: HttpRequest, *, more: bool) -> JsonResponse:
    if request.method != "POST":
        return _shown(request)
    said = _said(request)
    if said is None:
        return _refused(400, _("cuerpo: no es un objeto JSON ni un formulario: manda product y quantity"))
    name = str(said.get("product") or said.get("slug") or said.get("product_id") or "").replace("\x00", "")[:60]
    number = whole(name)
    rows = Product.objects.filter(shown=True)
    product = rows.filter(pk=number).first() if number is not None else rows.filter(slug=name).first()
    if product is None:
        return _refused(404, _("product: no hay ninguno que se llame «%(name)s»: usa el final de su dirección") % {"name": name})
    quantity = whole(str(said.get("quantity", 1)), 4)
    if quantity is None:
        return _refused(400, _("quantity: «%(text)s» no es un número de 0 a 9999") % {"text": str(said.get("quantity"))[:20]})
    try:
        filled, token = carts.put(request, product, quantity, now=timezone.now(), more=more)
    except carts.CartRefused as refused:
        return _refused(409, str(refused))
    answer = JsonResponse(_told(filled))
    carts.keep(answer, token)
    return answer


def _shown(request: HttpRequest) -> JsonResponse:
    return JsonResponse(_told(carts.of(request)))


def _said(request: HttpRequest) -> dict[str, Any] | None:
    if "json" not in request.headers.get("Content-Type", ""):
        return dict(request.POST.items())
    try:
        # It takes no half of a surrogate pair, which no database stores, and says so of what is nested without end.
        said = msgspec.json.decode(request.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _told(filled: carts.Filled) -> dict[str, Any]:
    language = pages.language()
    return {
        "items": [
            {
                "product": line.product.slug,
                "name": line.product.name(language),
                "quantity": line.quantity,
                "unit": str(line.product.price.decimal),
                "total": str((line.product.price * line.quantity).decimal),
            }
            for line in filled.lines
        ],
        "count": filled.pieces,
        "currency": filled.currency,
        "total": str(filled.goods.decimal) if filled.goods is not None else "0",
    }


def _refused(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
