"""Products as a file, out and in. An import is all or nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.console import csv_file
from croody.shop import listing, pages
from croody.shop.access import ShopAct
from croody.shop.models import Product, Seller, Tax
from croody.shop.staff import product_table
from croody.shop.staff.views import keeps

#: What a product that is new has to say.
_NEEDED: Final = frozenset({"kind", "name_es", "name_en", "summary_es", "summary_en", "price_minor", "tax_id"})
#: Words that stand where a product's name would, in `urls`.
TAKEN: Final = frozenset({"carrito", "pagar", "pedidos", "pago", "api", "gestion", "fotos", "aviso"})


@keeps(ShopAct.LOOK)
def export(request: HttpRequest) -> HttpResponseBase:
    """All products, as CSV that an import takes again."""

    def found() -> Iterator[list[list[Any]]]:
        after = 0
        while rows := list(Product.objects.select_related("tax").filter(pk__gt=after).order_by("pk")[:500]):
            yield [product_table.row_of(row) for row in rows]
            after = rows[-1].pk

    return csv_file.answer(request, "croody-products.csv", product_table.COLUMNS, found())


@keeps(ShopAct.STOCK_LIST)
def take_in(request: HttpRequest) -> HttpResponseBase:
    """A file of products: those that are there change, the others are new."""
    if request.method != "POST":
        return redirect("shop_keep_products")
    back = pages.SeeOther(reverse("shop_keep_products"))
    file = request.FILES.get("file")
    if file is None or file.size is None or file.size > product_table.MOST_BYTES:
        messages.error(request, _("Archivo: elige un CSV de hasta %(most)s kB") % {"most": product_table.MOST_BYTES // 1024})
        return back
    try:
        text = file.read().decode("utf-8")
    except UnicodeDecodeError:
        messages.error(request, _("Archivo: no es texto UTF-8: guárdalo como «CSV UTF-8»"))
        return back
    read = product_table.read(text, dict(Tax.objects.values_list("name", "pk")), TAKEN)
    wrong = read.wrong or _lacking(read)
    for one in wrong[: product_table.MOST_TOLD]:
        messages.error(request, one)
    if not wrong:
        count = _write(read, actor_of(request, of_session(request)), timezone.now())
        messages.success(request, _("%(count)s productos al día.") % {"count": count})
    return back


def _lacking(read: product_table.Read) -> list[str]:
    known = set(Product.objects.filter(slug__in=read.rows).values_list("slug", flat=True))
    short = [(slug, sorted(_NEEDED - row.keys())) for slug, row in read.rows.items() if slug not in known]
    return [_("%(slug)s es nuevo y le falta: %(names)s") % {"slug": slug, "names": ", ".join(names)} for slug, names in short if names]


@transaction.atomic
def _write(read: product_table.Read, actor: Actor, now: datetime) -> int:
    seller = Seller.objects.values_list("organisation_id", flat=True).first()
    for slug, row in read.rows.items():
        product = Product.objects.select_for_update().filter(slug=slug).first() or Product(slug=slug)
        new = product.pk is None
        before = {} if new else {"price_minor": product.price_minor, "shown": product.shown}
        for name, value in row.items():
            setattr(product, name, value)
        product.words = listing.words_of(product)
        # Stock is not among them: somebody may be buying right now.
        product.save() if new else product.save(update_fields=[*row, "words", "changed_at"])
        after = {"price_minor": product.price_minor, "shown": product.shown}
        if new or before != after:
            record(actor, "add" if new else "change", "product", slug, organisation_id=seller, before=before, after=after, now=now)
    return len(read.rows)
