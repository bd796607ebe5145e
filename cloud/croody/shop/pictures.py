"""Pictures of products: their writes, and how pages ask for them. A picture is rows: docs/decisions/pictures-in-the-database.md."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from croody.accounts.rules import open_to
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.shop.models import PictureFile, Product, ProductPicture, Seller
from croody.web import pictures
from croody.web.pictures import BadPicture

#: Of one product.
MOST: Final = 8
WIDTHS: Final = (320, 640, 1280)
#: The width of the JPEG, for who reads no WebP and for those who show a link.
JPEG: Final = 640
LEAST: Final = 300
#: The address has the picture's digest: what it shows never changes.
_CACHE: Final = "public, max-age=31536000, immutable"


def add(product: Product, data: bytes, *, alt: Mapping[str, str], actor: Actor, now: datetime) -> ProductPicture:
    """Keep a picture, behind those that there are.

    Raises:
        BadPicture: no picture, too many, or one that is there.
    """
    made = pictures.make(data, widths=WIDTHS, jpeg=JPEG, least=LEAST)
    try:
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=product.pk)
            if product.pictures.count() >= MOST:
                raise BadPicture(_("imagen: hay %(most)s, que son todas las que caben: quita una antes") % {"most": MOST})
            place = (product.pictures.aggregate(last=Max("place"))["last"] or 0) + 1
            said = {f"alt_{code}": alt.get(code, "")[:200] for code in ("es", "en")}
            one = ProductPicture.objects.create(
                product=product, place=place, digest=made.digest, widths=made.widths, width=made.width, height=made.height, at=now, **said
            )
            PictureFile.objects.bulk_create(
                PictureFile(picture=one, width=width, kind=kind, data=data) for (width, kind), data in made.files.items()
            )
            _note(product, "picture", {"picture": made.digest[:8]}, actor, now)
    except IntegrityError as error:
        raise BadPicture(_("imagen: este producto ya la tiene")) from error
    return one


def remove(one: ProductPicture, *, actor: Actor, now: datetime) -> None:
    """Take it away, for good."""
    with transaction.atomic():
        digest, product = one.digest, one.product
        one.delete()
        _note(product, "remove_picture", {"picture": digest[:8]}, actor, now)


def move(one: ProductPicture, by: int) -> None:
    """One place to the front (-1) or to the back (1); at the end it stays."""
    with transaction.atomic():
        rows = list(ProductPicture.objects.select_for_update().filter(product=one.product_id).order_by("place", "pk"))
        here = next((index for index, row in enumerate(rows) if row.pk == one.pk), 0)
        there = min(max(here + by, 0), len(rows) - 1)
        rows.insert(there, rows.pop(here))
        for place, row in enumerate(rows, start=1):
            row.place = place
        ProductPicture.objects.bulk_update(rows, ["place"])


def describe(one: ProductPicture, alt: Mapping[str, str]) -> None:
    """What it shows, for who does not see it."""
    one.alt_es, one.alt_en = (alt.get(code, "")[:200] for code in ("es", "en"))
    one.save(update_fields=["alt_es", "alt_en"])


@open_to("anybody")
def file(request: HttpRequest, name: str) -> HttpResponse:
    """`DIGEST-WIDTH.webp`: a picture in one of its sizes."""
    stem, _dot, kind = name.rpartition(".")
    digest, _dash, width = stem.partition("-")
    if not (width.isdecimal() and width.isascii() and len(width) <= 5 and len(digest) <= 64):
        raise Http404("no picture of this name")
    found = PictureFile.objects.filter(picture__digest=digest, width=int(width), kind=kind).first()
    if found is None:
        raise Http404("no picture of this name")
    return pictures.answer(bytes(found.data), kind, _CACHE)


def shown(one: ProductPicture, name: str, language: str) -> dict[str, Any]:
    """A picture as a template places it; `name`: of its product."""
    return {
        "srcset": ", ".join(f"{_address(one, width, 'webp')} {width}w" for width in one.widths),
        "src": _address(one, min(JPEG, one.width), "jpeg"),
        "width": one.width,
        "height": one.height,
        "alt": (one.alt_en if language == "en" else one.alt_es) or name,
    }


def first(product: Product, language: str) -> dict[str, Any] | None:
    """The one that stands for it; of a product whose pictures were read with it."""
    found = min(product.pictures.all(), key=lambda one: (one.place, one.pk), default=None)
    return shown(found, product.name(language), language) if found is not None else None


def _address(one: ProductPicture, width: int, kind: str) -> str:
    return reverse("shop_picture", kwargs={"name": f"{one.digest}-{width}.{kind}"})


def _note(product: Product, verb: str, after: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    seller = Seller.objects.values_list("organisation_id", flat=True).first()
    record(actor, verb, "product", product.slug, organisation_id=seller, after=after, now=now)
