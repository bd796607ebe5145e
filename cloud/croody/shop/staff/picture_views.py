"""`/tienda/gestion/productos/N/fotos/`: the pictures of a product, for those who change what is sold."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.accounts.caller import actor_of, of_session
from croody.shop import pages, pictures, words
from croody.shop.access import ShopAct
from croody.shop.models import Product, ProductPicture
from croody.shop.staff.views import keeps
from croody.web import formats
from croody.web.pictures import MOST_BYTES, BadPicture
from croody_contract.limits import MIB


@keeps(ShopAct.STOCK_LIST)
def page(request: HttpRequest, number: int) -> HttpResponseBase:
    """Those that there are, in their order, and a form for another."""
    one = get_object_or_404(Product.objects.select_related("tax"), pk=number)
    if request.method == "POST":
        return _add(request, one)
    return _page(request, one)


@keeps(ShopAct.STOCK_LIST)
def change(request: HttpRequest, number: int, picture: int) -> HttpResponseBase:
    """Earlier, later, other words, or away with it."""
    found = get_object_or_404(ProductPicture.objects.select_related("product"), pk=picture, product_id=number)
    here = reverse("shop_keep_pictures", kwargs={"number": number})
    if request.method != "POST":
        return redirect(here)
    act = request.POST.get("act", "")
    if act == "remove":
        pictures.remove(found, actor=actor_of(request, of_session(request)), now=timezone.now())
        messages.success(request, _("Imagen quitada."))
    elif act in ("earlier", "later"):
        pictures.move(found, -1 if act == "earlier" else 1)
    elif act == "words":
        pictures.describe(found, _alt(request))
        messages.success(request, _("Descripción guardada."))
    else:
        raise Http404("no such act")
    return pages.SeeOther(here)


def _add(request: HttpRequest, one: Product) -> HttpResponseBase:
    file = request.FILES.get("file")
    try:
        if file is None or file.size is None:
            raise BadPicture(_("imagen: no elegiste ninguna: elige un archivo JPEG, PNG o WebP"))
        data = file.read(MOST_BYTES + 1)
        pictures.add(one, data, alt=_alt(request), actor=actor_of(request, of_session(request)), now=timezone.now())
    except BadPicture as refused:
        # What was typed stays; a browser keeps no file.
        return _page(request, one, bad=str(refused), typed=_alt(request), status=422)
    messages.success(request, _("Imagen agregada."))
    return pages.SeeOther(reverse("shop_keep_pictures", kwargs={"number": one.pk}))


def _page(request: HttpRequest, one: Product, *, bad: str = "", typed: dict[str, str] | None = None, status: int = 200) -> HttpResponseBase:
    language = pages.language()
    rows = list(one.pictures.order_by("place", "pk"))
    said = {"count": formats.number(len(rows), 0, language), "name": one.name(language)}
    context: dict[str, Any] = {
        "sentence": ngettext("%(name)s tiene %(count)s imagen", "%(name)s tiene %(count)s imágenes", len(rows)) % said
        if rows
        else _("%(name)s no tiene imágenes: se ve su dibujo") % said,
        "product": {**words.product(one, language), "pk": one.pk},
        "pictures": [
            {**pictures.shown(row, one.name(language), language), "pk": row.pk, "alt_es": row.alt_es, "alt_en": row.alt_en} for row in rows
        ],
        "full": len(rows) >= pictures.MOST,
        "most": pictures.MOST,
        "mib": MOST_BYTES // MIB,
        "least": pictures.LEAST,
        "bad": bad,
        "typed": typed or {},
        "keeping": "products",
    }
    return pages.show(request, "shop/staff/pictures.html", context, status=status)


def _alt(request: HttpRequest) -> dict[str, str]:
    return {code: request.POST.get(f"alt_{code}", "").replace("\x00", "").strip() for code in ("es", "en")}
