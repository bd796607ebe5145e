"""What the catalogue shows: search, kind, prices, order and page, all of it in the address. Knows no request beyond its query."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from croody.shop import money
from croody.shop.models import Product
from croody.web.address import whole

A_PAGE: Final = 12
#: As many pages can be leafed through; who looks for more searches.
MOST_PAGES: Final = 500
KINDS: Final[Mapping[str, str | Promise]] = {
    Product.Kind.BOARD: _("Placas"),
    Product.Kind.ROBOT: _("Robots"),
    Product.Kind.SENSOR: _("Sensores"),
    Product.Kind.PART: _("Piezas"),
}
ORDERS: Final[Mapping[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "": (_("Nombre"), ("slug",)),
    "precio": (_("Precio, de menor a mayor"), ("price_minor", "slug")),
    "-precio": (_("Precio, de mayor a menor"), ("-price_minor", "slug")),
    "nuevo": (_("Lo más nuevo"), ("-pk",)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; empty and None: whatever. Prices are as typed, in the seller's currency."""

    text: str = ""
    kind: str = ""
    least: str = ""
    most: str = ""
    order: str = ""
    page: int = 1
    in_stock: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """From an address; what is no choice of ours is none."""
        kind, order = query.get("clase", ""), query.get("orden", "")
        return cls(
            text=query.get("q", "").replace("\x00", "").strip()[:80],
            kind=kind if kind in KINDS else "",
            least=query.get("desde", "").strip()[:16],
            most=query.get("hasta", "").strip()[:16],
            order=order if order in ORDERS else "",
            page=min(max(whole(query.get("pagina", "")) or 1, 1), MOST_PAGES),
            in_stock=query.get("hay", "") == "1",
        )

    def address(self, **changed: str | int) -> str:
        """The query of this page with something else."""
        said: dict[str, str | int] = {
            "q": self.text,
            "clase": self.kind,
            "desde": self.least,
            "hasta": self.most,
            "hay": "1" if self.in_stock else "",
            "orden": self.order,
            "pagina": self.page if self.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in (said | changed).items() if value != ""})

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.kind or self.least or self.most or self.in_stock)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of products. `bad`: a price that is none."""

    products: list[Product]
    count: int
    pages: int
    bad: str = ""


def find(asked: Asked, currency: str) -> Found:
    """Look it up."""
    rows = Product.objects.filter(shown=True)
    bad = ""
    for text, field in ((asked.least, "price_minor__gte"), (asked.most, "price_minor__lte")):
        amount = money.read(text, currency) if text else None
        if amount is not None:
            rows = rows.filter(currency=currency, **{field: amount.minor})
        elif text:
            bad = text
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    if asked.in_stock:
        rows = rows.filter(stock__gt=0)
    rows = _with_words(rows, asked.text).order_by(*ORDERS[asked.order][1])
    count = rows.count()
    pages = min(max(-(-count // A_PAGE), 1), MOST_PAGES)
    first = (min(asked.page, pages) - 1) * A_PAGE
    return Found(list(rows.select_related("tax").prefetch_related("pictures")[first : first + A_PAGE]), count, pages, bad)


def related(product: Product, most: int = 4) -> list[Product]:
    """What else of this kind there is."""
    rows = Product.objects.filter(shown=True, kind=product.kind).exclude(pk=product.pk).prefetch_related("pictures")
    return list(rows.order_by("-stock", "slug")[:most])


def words_of(product: Product) -> str:
    """What the search looks through."""
    return plain(" ".join((product.name_es, product.name_en, product.summary_es, product.summary_en, product.slug, *product.fits)))


def plain(text: str) -> str:
    """Lower case, without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _with_words(rows: QuerySet[Product], text: str) -> QuerySet[Product]:
    for word in plain(text).split()[:8]:
        rows = rows.filter(words__contains=word)
    return rows
