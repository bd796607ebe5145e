"""Who bought, for those who keep the shop: people by their account, guests by their address, with what they came to in each currency."""

from types import SimpleNamespace
from typing import Any

import pytest

from croody.shop.models import Order
from croody.shop.staff import customers
from tests.cloud.shop.conftest import NOW, Buyer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"


def order(number: int, email: str, minor: int, state: str = "paid", **more: Any) -> Order:
    return Order.objects.create(
        year=2026, number=number, key=str(number), email=email, language="es", state=state, goods_minor=minor, delivery_minor=0,
        total_minor=minor, tax_minor=0, delivery="Correo", provider="manual", created_at=NOW,
        **{"address": {"name": "Ana", "country": "ES"}, "currency": "EUR"} | more,
    )  # fmt: skip


def test_each_customer_is_one_row_with_what_stayed_paid_in_each_currency(shop: SimpleNamespace, django_assert_max_num_queries: Any):
    order(1, "Ana@example.org", 1000)
    order(2, "ana@example.org", 250, "delivered")
    order(3, "ana@example.org", 700, currency="USD")
    order(4, "ana@example.org", 9900, "refunded")
    order(5, "ana@example.org", 100, user=shop.carlos, address={"name": "Carlos"})
    order(6, "other@example.org", 200, "pending", user=shop.carlos, address={"name": "Carlos"})
    order(7, "", 500, address={"country": "ES"})
    bob = Buyer(shop.bob).client
    bob.get("/tienda/gestion/clientes/")
    with django_assert_max_num_queries(14):
        page = bob.get("/tienda/gestion/clientes/")
    told = [(one["name"], one["account"], one["orders"], one["bought"].replace("\xa0", " ")) for one in page.context["customers"]]
    assert told == [("Carlos", "carlos", "2", "1,00 €"), ("Ana", "invitado", "4", "12,50 € + 7,00 US$")]
    hers = bob.get(f"/tienda/gestion/clientes/{Order.objects.get(number=1).pk}/")
    assert [one["name"][-1] for one in hers.context["orders"]] == ["4", "3", "2", "1"]
    assert bob.get(f"/tienda/gestion/clientes/{Order.objects.get(number=7).pk}/").status_code == 404
    assert (
        f"/clientes/{Order.objects.get(number=1).pk}/"
        in bob.get(f"/tienda/gestion/pedidos/{Order.objects.get(number=1).pk}/").content.decode()
    )


def test_they_are_found_by_name_address_and_account_with_all_they_bought(shop: SimpleNamespace):
    order(1, "ana@example.org", 1000, address={"name": "Ana Robles"})
    order(2, "ana@example.org", 500, address={"name": "A. R."})
    order(3, "carlos@example.org", 100, user=shop.carlos)
    bob = Buyer(shop.bob).client

    def found(text: str) -> list[tuple[str, str]]:
        return [(one["name"], one["orders"]) for one in bob.get("/tienda/gestion/clientes/", {"q": text}).context["customers"]]

    assert found("robles") == found("ANA@") == [("A. R.", "2")]
    assert found("carlos") == [("Ana", "1")]
    assert found("nobody") == []
    assert "Nadie con «&lt;b&gt;»" in bob.get("/tienda/gestion/clientes/?q=<b>").content.decode()


def test_fifty_are_on_a_page_and_the_address_of_the_next_keeps_the_search(shop: SimpleNamespace):
    for number in range(1, customers.A_PAGE + 2):
        order(number, f"buyer-{number}@example.org", 100)
    bob = Buyer(shop.bob).client
    page = bob.get("/tienda/gestion/clientes/?q=buyer")
    assert (len(page.context["customers"]), page.context["after"]) == (50, "?q=buyer&pagina=2")
    last = bob.get("/tienda/gestion/clientes/?q=buyer&pagina=2").context
    assert ([one["email"] for one in last["customers"]], last["after"]) == (["buyer-1@example.org"], "")
