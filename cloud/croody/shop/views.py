"""`/tienda/` and the page of one product."""

from typing import Any, Final

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.accounts import mailer
from croody.shop import drawing, listing, pages, pictures, words
from croody.shop.models import Product
from croody.web import formats
from croody.web.visitor_form import Visitor

#: Pictures of a list that are seen at once: they are not waited for until somebody scrolls.
_EAGER: Final = 2


@pages.public
def catalogue(request: HttpRequest) -> HttpResponse:
    """What there is to buy: searched, narrowed, ordered, twelve a page, all in the address."""
    language, seller = pages.language(), pages.seller()
    asked = listing.Asked.of(request.GET)
    found = listing.find(asked, seller.currency if seller is not None else "EUR")
    page = min(asked.page, found.pages)
    context = {
        "sentence": _sentence(asked, found, language),
        "asked": asked,
        "currency": seller.currency if seller is not None else "",
        "bad": _("«%(text)s» no es un precio: escríbelo como 49,90.") % {"text": found.bad} if found.bad else "",
        "kinds": [{"word": _("Todo"), "address": asked.address(clase="", pagina=""), "here": not asked.kind}]
        + [
            {"word": word, "address": asked.address(clase=kind, pagina=""), "here": asked.kind == kind}
            for kind, word in listing.KINDS.items()
        ],
        "orders": [(key, word, key == asked.order) for key, (word, _fields) in listing.ORDERS.items()],
        "products": [_listed(product, language, lazy=place >= _EAGER) for place, product in enumerate(found.products)],
        "page": page,
        "page_count": found.pages,
        "before": asked.address(pagina=page - 1 if page > 2 else "") if page > 1 else "",
        "after": asked.address(pagina=page + 1) if page < found.pages else "",
    }
    return pages.show(request, "shop/catalogue.html", context)


@pages.public
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product: what it is, whether it fits, what it costs, whether there is any."""
    one = get_object_or_404(Product.objects.select_related("tax"), slug=slug)
    if not one.shown:
        raise Http404
    email = request.user.email if isinstance(request.user, User) else ""
    return page_of(request, one, Visitor(initial={"email": email}))


def page_of(request: HttpRequest, one: Product, wait: Visitor, *, status: int = 200) -> HttpResponse:
    """Its page. `wait`: the form for those who come when it is sold out; 429 says that there were too many."""
    language = pages.language()
    shown = [pictures.shown(row, one.name(language), language) for row in one.pictures.order_by("place", "pk")]
    context = {
        "product": words.product(one, language),
        "paragraphs": [part for part in one.text(language).split("\n\n") if part.strip()],
        "drawn": drawing.of(one, measured=True),
        "sides": [words.millimetres(side, language) for side in (one.width_mm, one.height_mm)] if words.size(one, language) else "",
        "slug": one.slug,
        "form": wait,
        "sent": "pedido" in request.GET,
        "mails": mailer.can_mail(),
        "wait": _("Desde tu red llegaron demasiados en la última hora: espera un rato y envíalo otra vez.") if status == 429 else "",
        "facts": _facts(one, language),
        "most": min(one.most_an_order, max(one.stock, 1)),
        "tax": _("%(tax)s (%(rate)s) incluido") % {"tax": one.tax.name, "rate": words.tax(one.tax.rate_bp, language)},
        "pictures": shown,
        "related": [_listed(other, language) for other in listing.related(one)],
    }
    return pages.show(request, "shop/product.html", context, status=status)


def _listed(product: Product, language: str, *, lazy: bool = True) -> dict[str, Any]:
    picture = pictures.first(product, language)
    return {**words.product(product, language), "picture": picture, "drawn": None if picture else drawing.of(product), "lazy": lazy}


def _facts(one: Product, language: str) -> list[tuple[str, str]]:
    enrols = _("Viene con un código para entrar en tu organización: la conectas y aparece en tu consola") if one.enrols else ""
    found = (
        (_("Medidas"), words.size(one, language)),
        (_("Peso"), words.weight(one, language)),
        (_("Sirve para"), ", ".join(one.fits)),
        (_("Con Croody"), enrols),
        (_("Por pedido"), _("hasta %(most)s") % {"most": formats.number(one.most_an_order, 0, language)}),
    )
    return [(name, value) for name, value in found if value]


def _sentence(asked: listing.Asked, found: listing.Found, language: str) -> str:
    if not found.count:
        return _("Nada con estos filtros") if asked.narrowed else _("Todavía no hay nada a la venta")
    count = {"count": formats.number(found.count, 0, language)}
    if asked.narrowed:
        return ngettext("%(count)s producto con estos filtros", "%(count)s productos con estos filtros", found.count) % count
    return ngettext("%(count)s producto para tu flota", "%(count)s productos para tu flota", found.count) % count
