"""The demo's shop: a seller, rates, a coupon, products with pictures of our own drawing. Makes what is missing, changes nothing else."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from croody.accounts.demo import ORGANISATION
from croody.accounts.models import Organisation
from croody.audit.actor import SYSTEM
from croody.shop import demo_pictures, listing, pictures, stock
from croody.shop.models import Coupon, Product, Seller, ShippingRate, Tax

#: Measures in mm, weight in g, prices in cents with tax.
_PRODUCTS: Final = Path(__file__).with_name("demo_products.json")
_EVERYWHERE: Final = ["AR", "CL", "CO", "CR", "EC", "ES", "FR", "DE", "IT", "MX", "PA", "PE", "PT", "UY"]


@transaction.atomic
def seed(now: datetime) -> int:
    """Make the shop. Returns how many products are new."""
    name, slug = ORGANISATION
    organisation, _made = Organisation.objects.get_or_create(slug=slug, defaults={"name": name})
    if not Seller.objects.exists():
        about = "Calle de los Robots 12\n28013 Madrid\nEspaña"
        bank = "Croody demo\nES00 0000 0000 0000 0000 0000\n(demo)"
        told = {"name": "Croody demo", "tax_id": "DEMO-000", "address": about, "currency": "EUR", "transfer": bank, "sandbox": True}
        Seller.objects.create(organisation=organisation, **told)
    tax, _made = Tax.objects.get_or_create(name="IVA", defaults={"rate_bp": 2100})
    if not ShippingRate.objects.exists():
        rate: dict[str, Any] = {"currency": "EUR", "tax": tax, "countries": _EVERYWHERE}
        ShippingRate.objects.create(
            name_es="Correo certificado",
            name_en="Registered post",
            price_minor=590,
            free_from_minor=15000,
            days_least=3,
            days_most=7,
            **rate,
        )
        ShippingRate.objects.create(
            name_es="Mensajería urgente", name_en="Express courier", price_minor=1490, days_least=1, days_most=2, **rate
        )
    Coupon.objects.get_or_create(code="ROBOT10", defaults={"share_bp": 1000})
    return sum(_add(one, tax, now) for one in json.loads(_PRODUCTS.read_text(encoding="utf-8")))


def _add(made: dict[str, Any], tax: Tax, now: datetime) -> bool:
    if Product.objects.filter(slug=made["slug"]).exists():
        return False
    width, height, depth = made["size_mm"]
    words = {f"{what}_{code}": made[what][code] for what in ("name", "summary", "text") for code in ("es", "en")}
    product = Product(
        **words,
        slug=made["slug"],
        kind=made["kind"],
        drawn_as=made.get("drawn_as", ""),
        price_minor=made["cents"],
        currency="EUR",
        tax=tax,
        most_an_order=made["most"],
        width_mm=width,
        height_mm=height,
        depth_mm=depth,
        weight_g=made["weight_g"],
        fits=made["fits"],
        enrols=made["enrols"],
    )
    product.words = listing.words_of(product)
    product.save()
    pictures.add(product, demo_pictures.png(product), alt={}, actor=SYSTEM, now=now)
    if made["stock"]:
        stock.book(product, made["stock"], actor=SYSTEM, now=now)
    return True
