"""People keep addresses for their next order: ten, one of which is used first; theirs alone, and gone with them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from croody.audit.actor import SYSTEM
from croody.audit.models import Entry
from croody.shop import addresses
from croody.shop.models import Order, SavedAddress
from croody.site import own_data
from tests.cloud.shop.conftest import Buyer

pytestmark = pytest.mark.django_db(databases="__all__")
HOME = {"name": "Carlos", "street": "Calle 1", "city": "Cali", "postcode": "", "region": "", "country": "CO", "phone": ""}


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"


def streets(shop: SimpleNamespace) -> list[tuple[str, bool]]:
    return [(one.address["street"], one.is_default) for one in addresses.of(shop.carlos)]


def test_the_first_address_is_used_first_until_another_is_and_taking_it_away_leaves_one(shop: SimpleNamespace):
    carlos = Buyer(shop.carlos).client
    for street in ("Calle 1", "Calle 1", "Calle 2", "Calle 3"):
        assert carlos.post("/cuenta/direcciones/", {**HOME, "street": street}).status_code == 303
    assert streets(shop) == [("Calle 1", True), ("Calle 3", False), ("Calle 2", False)]
    second = SavedAddress.objects.get(address__street="Calle 2").pk
    carlos.post(f"/cuenta/direcciones/{second}/", {"do": "first"})
    assert streets(shop)[0] == ("Calle 2", True)
    carlos.post(f"/cuenta/direcciones/{second}/", {**HOME, "street": "Calle 4"})
    assert streets(shop)[0] == ("Calle 4", True)
    carlos.post(f"/cuenta/direcciones/{second}/", {"do": "remove"})
    assert streets(shop) == [("Calle 3", True), ("Calle 1", False)]
    assert "Guardas 2 direcciones" in carlos.get("/cuenta/direcciones/").content.decode()
    assert Entry.objects.filter(verb="address", thing="person", thing_id="carlos").count() == 6


def test_more_than_ten_and_what_is_no_address_are_refused_and_stay_typed(shop: SimpleNamespace):
    carlos = Buyer(shop.carlos).client
    for number in range(addresses.MOST):
        carlos.post("/cuenta/direcciones/", {**HOME, "street": f"Calle {number}"})
    answer = carlos.post("/cuenta/direcciones/", {**HOME, "street": "Calle once"})
    assert (answer.status_code, SavedAddress.objects.count()) == (422, 10)
    assert "Caben 10" in answer.content.decode()
    assert "Calle once" in answer.content.decode()
    assert carlos.post("/cuenta/direcciones/", {**HOME, "country": "XX"}).status_code == 422


def test_nobody_sees_or_changes_the_address_of_another(shop: SimpleNamespace):
    Buyer(shop.carlos).client.post("/cuenta/direcciones/", HOME)
    one = SavedAddress.objects.get().pk
    bob = Buyer(shop.bob)
    assert [
        bob.client.get(f"/cuenta/direcciones/{one}/").status_code,
        bob.client.post(f"/cuenta/direcciones/{one}/", {"do": "remove"}).status_code,
    ] == [404, 404]
    bob.put("mini")
    assert "Calle 1" not in bob.client.get(f"/tienda/pagar/?direccion={one}").content.decode()
    assert streets(shop) == [("Calle 1", True)]


def test_the_checkout_offers_them_and_keeps_one_by_a_tick(shop: SimpleNamespace):
    carlos = Buyer(shop.carlos)
    carlos.put("mini")
    carlos.order()
    assert not SavedAddress.objects.exists()
    carlos.put("mini")
    carlos.order(street="Calle 7", keep="on")
    carlos.client.post("/cuenta/direcciones/", HOME)
    assert streets(shop) == [("Calle 7", True), ("Calle 1", False)]
    carlos.put("mini")
    page = carlos.client.get("/tienda/pagar/")
    assert page.context["form"]["street"].value() == "Calle 7"
    assert [one["short"] for one in page.context["saved"]] == ["Calle 7, Madrid", "Calle 1, Cali"]
    other = carlos.client.get(f"/tienda/pagar/?direccion={SavedAddress.objects.get(is_default=False).pk}")
    assert (other.context["form"]["street"].value(), other.context["form"]["country"].value()) == ("Calle 1", "CO")
    guest = Buyer()
    guest.put("mini")
    assert "Guardar esta dirección" not in guest.client.get("/tienda/pagar/").content.decode()
    guest.order(keep="on")
    assert (Order.objects.count(), SavedAddress.objects.count()) == (3, 2)


def test_an_address_pressed_without_script_is_filled_in_and_the_rest_stays_typed(shop: SimpleNamespace):
    carlos = Buyer(shop.carlos)
    for street in ("Calle 1", "Calle 2"):
        carlos.client.post("/cuenta/direcciones/", {**HOME, "street": street})
    carlos.put("mini")
    second = SavedAddress.objects.get(address__street="Calle 2").pk
    typed = carlos.form(email="new@example.org", street="Calle 9", company="Robots SL", notes="Al portero", provider="manual", keep="on")
    page = carlos.client.post("/tienda/pagar/", {**typed, "fill": second})
    assert (page.status_code, Order.objects.count()) == (200, 0)
    said = {name: page.context["form"][name].value() for name in ("email", "street", "city", "company", "notes", "provider", "keep", "key")}
    assert said == {
        "email": "new@example.org", "street": "Calle 2", "city": "Cali", "company": "Robots SL", "notes": "Al portero",
        "provider": "manual", "keep": "on", "key": typed["key"],
    }  # fmt: skip
    assert [(one["short"], one["here"]) for one in page.context["saved"]] == [("Calle 1, Cali", False), ("Calle 2, Cali", True)]
    # What is wrong with the form takes the choice from nobody; another's address is none.
    assert len(carlos.client.post("/tienda/pagar/", {**typed, "street": ""}).context["saved"]) == 2
    bob = Buyer(shop.bob)
    bob.put("mini")
    assert "Calle 2" not in bob.client.post("/tienda/pagar/", {**bob.form(), "fill": second}).content.decode()


def test_they_are_part_of_ones_data_and_go_with_the_account(shop: SimpleNamespace):
    now = timezone.now()
    addresses.keep(shop.carlos, HOME, actor=SYSTEM, now=now)
    told = Buyer(shop.carlos).client.get("/cuenta/datos/descargar/").json()["addresses"]
    assert [(one["address"]["street"], one["is_default"]) for one in told] == [("Calle 1", True)]
    own_data.ask_to_leave(shop.carlos, actor=SYSTEM, now=now)
    own_data.let_leave(now + own_data.GRACE + timedelta(minutes=1))
    assert not SavedAddress.objects.exists()
