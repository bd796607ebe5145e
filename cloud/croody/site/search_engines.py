"""What search engines ask for: `/robots.txt` and `/sitemap.xml`. Private pages are named in neither."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, reverse
from django.views.decorators.http import require_GET

from croody.accounts.rules import open_to
from croody.shop.models import Product
from croody.site.about import LEGAL

PAGES: Final = ("home", "about", "buddy", "buddy_plans", "integrate", "shop", "monitor", "status", "contact")
#: A file of more is not read by engines.
MOST: Final = 5000


@require_GET
@open_to("anybody")
def robots(request: HttpRequest) -> HttpResponse:
    """Everything public may be read; carts, orders, accounts and the console are nobody's to index."""
    closed = (
        "console/",
        "cuenta/",
        "admin/",
        "api/",
        "tienda/carrito/",
        "tienda/pagar/",
        "tienda/pedidos/",
        "tienda/pago/",
        "tienda/gestion/",
        "tienda/aviso/",
    )
    prefixes = ("", *(f"{code}/" for code, _name in settings.LANGUAGES))
    lines = ["User-agent: *", *(f"Disallow: /{prefix}{path}" for path in closed for prefix in prefixes)]
    lines.append(f"Sitemap: {request.build_absolute_uri('/sitemap.xml')}")
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@require_GET
@open_to("anybody")
def sitemap(request: HttpRequest) -> HttpResponse:
    """Each public page in each language."""
    body = "".join(_entry(request, path) for path in _paths())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    return HttpResponse(f"{head}{body}</urlset>\n", content_type="application/xml; charset=utf-8")


def _paths() -> Iterator[str]:
    """Without a language."""
    prefix = len(get_script_prefix()) - 1
    yield from (reverse(name)[prefix:] for name in PAGES)
    yield from (reverse("legal", kwargs={"slug": slug})[prefix:] for slug in LEGAL)
    for slug in Product.objects.filter(shown=True).order_by("pk").values_list("slug", flat=True)[:MOST]:
        yield reverse("shop_product", kwargs={"slug": slug})[prefix:]


def _entry(request: HttpRequest, path: str) -> str:
    addresses = {code: escape(request.build_absolute_uri(f"/{code}{path}")) for code, _name in settings.LANGUAGES}
    others = "".join(f'<xhtml:link rel="alternate" hreflang="{code}" href="{address}"/>' for code, address in addresses.items())
    return "".join(f"<url><loc>{address}</loc>{others}</url>\n" for address in addresses.values())
