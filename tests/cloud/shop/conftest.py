"""A seller with two boards and a wheel; Alice keeps the shop, Bob looks on, Carlos buys."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from croody.accounts.models import Membership, Organisation
from croody.audit.actor import SYSTEM
from croody.shop import listing, stock
from croody.shop.models import Product, Seller, ShippingRate, Tax

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def product(slug: str, cents: int, left: int, **more: Any) -> Product:
    """Something to buy."""
    tax = Tax.objects.get_or_create(name="IVA", defaults={"rate_bp": 2100})[0]
    said = {"kind": "board", "name_es": f"La {slug}", "name_en": f"The {slug}", "summary_es": "Sirve.", "summary_en": "It works."}
    made = Product(slug=slug, price_minor=cents, currency="EUR", tax=tax, **(said | more))
    made.words = listing.words_of(made)
    made.save()
    if left:
        stock.book(made, left, actor=SYSTEM, now=NOW)
        made.refresh_from_db()
    return made


def make_shop() -> SimpleNamespace:
    """The shop, its people, its goods."""
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, bob, carlos = (User.objects.create_user(name, f"{name}@example.org") for name in ("alice", "bob", "carlos"))
    Membership.objects.create(user=alice, organisation=organisation, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=organisation, role=Membership.Role.VIEWER)
    Seller.objects.create(organisation=organisation, name="Alice's", currency="EUR", transfer="ES00 0000", sandbox=True)
    board, pro, wheel = product("mini", 8990, 5), product("pro", 24900, 1), product("wheel", 2450, 60, kind="part", most_an_order=24)
    tax = board.tax
    rate = ShippingRate.objects.create(
        name_es="Correo", name_en="Post", countries=["ES", "CO"], price_minor=590, currency="EUR", tax=tax,
        free_from_minor=15000, days_least=3, days_most=7,
    )  # fmt: skip
    return SimpleNamespace(
        organisation=organisation, alice=alice, bob=bob, carlos=carlos, board=board, pro=pro, wheel=wheel, rate=rate, tax=tax
    )


@pytest.fixture
def shop(db: None) -> SimpleNamespace:
    return make_shop()


class Buyer:
    """Somebody with a browser who fills in the checkout as the page asks."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def put(self, slug: str, quantity: int = 1) -> Any:
        """Into the cart, by the page's form."""
        return self.client.post("/tienda/carrito/agregar/", {"product": slug, "quantity": quantity})

    def form(self, **changed: Any) -> dict[str, Any]:
        """The checkout's fields as a browser sends them."""
        page = self.client.get("/tienda/pagar/").context
        rates = {f"agreed-{rate['key']}": rate["minor"] for rate in page["rates"]}
        filled = {"email": "ana@example.org", "name": "Ana", "street": "Calle 1", "city": "Madrid", "country": "ES"}
        chosen = {"key": page["form"]["key"].value(), "rate": page["rates"][0]["key"], "provider": "sandbox", "agreed": page["agreed"]}
        return {**filled, **chosen, **rates, **changed}

    def order(self, **changed: Any) -> Any:
        """Confirm it."""
        return self.client.post("/tienda/pagar/", self.form(**changed))
