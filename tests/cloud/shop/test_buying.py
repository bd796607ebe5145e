"""From the catalogue to a paid order, as a buyer, a bank and a seller do it."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from croody.accounts.models import Organisation, ShownMail
from croody.accounts.services import make_login_link
from croody.audit.actor import SYSTEM
from croody.audit.models import Entry
from croody.fleet.models import Robot
from croody.shop import jobs, orders, words
from croody.shop.models import Cart, Coupon, Order, OrderMail, Payment, Product, StockMove
from croody.shop.moves import State
from croody.shop.payments import sandbox
from tests.cloud.shop.conftest import Buyer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"


def stock_of(slug: str) -> int:
    """What can still be bought, which is always what its moves add up to."""
    one = Product.objects.get(slug=slug)
    assert sum(StockMove.objects.filter(product=one).values_list("change", flat=True)) == one.stock
    return one.stock


def test_a_mail_that_was_given_up_stands_on_the_orders_page_and_one_that_goes_twice_has_one_number(shop: SimpleNamespace, settings: Any):
    guest = Buyer()
    guest.put("mini", 1)
    guest.order()
    order, keeper, now = Order.objects.get(), Buyer(shop.alice).client, timezone.now()
    page = f"/tienda/gestion/pedidos/{order.pk}/"
    jobs.send_mails(now)
    OrderMail.objects.update(sent_at=None, next_at=now)
    jobs.send_mails(now)
    first, again = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]

    settings.EMAIL_BACKEND = "croody.accounts.mailer.NowhereBackend"
    OrderMail.objects.update(sent_at=None, next_at=now, tries=jobs.MOST_TRIES - 2)
    jobs.send_mails(now)
    assert "no salieron" not in keeper.get(page).content.decode(), "it is tried again"
    jobs.send_mails(now + timedelta(days=1))
    assert "no salieron" in keeper.get(page).content.decode()


def test_a_guest_buys_a_board_pays_it_and_it_is_sent(shop: SimpleNamespace, settings: Any):
    settings.ENV = dataclasses.replace(settings.ENV, demo=True, smtp=None)
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"
    guest = Buyer()
    assert guest.put("mini", 2).status_code == 303
    bank = guest.order()["Location"]
    assert stock_of("mini") == 3
    assert "179,80" in guest.client.get(bank).content.decode()
    paid = guest.client.post(bank, {"outcome": "success"})
    page = guest.client.get(paid["Location"])
    assert "pagado, lo preparamos" in page.content.decode()
    assert guest.client.get("/tienda/carrito/").context["pieces"] == 0
    order = Order.objects.get()
    # From 150 € on the delivery costs nothing; 21 % are within.
    assert (order.total_minor, order.delivery_minor, order.tax_minor) == (17980, 0, 3120)
    assert "Factura" in guest.client.get(f"{paid['Location']}factura/").content.decode()
    alice = Buyer(shop.alice).client
    for step in ("preparing", "shipped", "delivered"):
        alice.post(f"/tienda/gestion/pedidos/{order.pk}/mover/", {"to": step, "tracking": "ES123" if step == "shipped" else ""})
    order.refresh_from_db()
    assert (order.state, order.tracking) == ("delivered", "ES123")
    verbs = list(Entry.objects.filter(thing="order").order_by("pk").values_list("verb", "name"))
    assert verbs[1:] == [("pay", "croody"), ("prepare", "alice"), ("ship", "alice"), ("deliver", "alice")]
    jobs.send_mails(timezone.now())
    subjects = list(ShownMail.objects.filter(to="ana@example.org").order_by("pk").values_list("subject", flat=True))
    assert [subject.replace(order.name, "{}") for subject in subjects] == [
        "Recibimos tu pedido {}",
        "Pedido {} pagado",
        "Preparamos tu pedido {}",
        "Tu pedido {} va en camino",
        "Pedido {} entregado",
    ]
    body = ShownMail.objects.filter(subject__startswith="Pedido").first().body
    link = next(line for line in body.splitlines() if "/tienda/pedidos/" in line)
    assert guest.client.get("/" + link.split("/", 3)[3]).status_code == 200


def test_the_same_form_sent_again_is_the_same_order(shop: SimpleNamespace):
    guest = Buyer()
    guest.put("mini")
    form = guest.form()
    first = guest.client.post("/tienda/pagar/", form)
    again = guest.client.post("/tienda/pagar/", form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert Order.objects.count() == 1
    assert stock_of("mini") == 4
    stranger = Buyer()
    stranger.put("mini")
    assert stranger.client.post("/tienda/pagar/", {**stranger.form(), "key": form["key"]}).status_code == 303
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("outcome", "said", "step"),
    [
        ("decline", "rechazó el pago y no se cobró nada", "El banco rechazó el pago"),
        ("timeout", "no llegó a su fin y no se cobró nada", "Espera el pago"),
        ("forged", "no se creyó, por su firma", "Espera el pago"),
        ("success", "", "Pagado"),
    ],
)
def test_a_buyer_is_told_what_became_of_the_payment_and_so_is_the_seller(shop: SimpleNamespace, outcome: str, said: str, step: str):
    guest = Buyer()
    guest.put("mini")
    bank = guest.order()["Location"]
    page = guest.client.get(guest.client.post(bank, {"outcome": outcome})["Location"])
    assert (said in page.content.decode(), str(page.context["history"][-1]["word"])) == (True, step)
    assert ("no se cobró" in page.content.decode()) == (outcome in ("decline", "timeout"))
    kept = Buyer(shop.alice).client.get(f"/tienda/gestion/pedidos/{Order.objects.get().pk}/").content.decode()
    word = {"decline": "Rechazado por el banco", "timeout": "Caducado", "forged": "Empezado", "success": "Cobrado"}[outcome]
    assert f"<b>{word}</b> pago de prueba" in kept


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("success", "paid"), ("decline", "pending"), ("timeout", "pending"), ("twice", "paid"), ("disorder", "paid"), ("forged", "pending")],
)
def test_whatever_the_bank_does_an_order_is_paid_once_or_not_at_all(shop: SimpleNamespace, outcome: str, state: str):
    guest = Buyer()
    guest.put("mini")
    bank = guest.order()["Location"]
    guest.client.post(bank, {"outcome": outcome})
    guest.client.post(bank, {"outcome": outcome})
    order = Order.objects.get()
    assert order.state == state
    assert OrderMail.objects.filter(order=order, kind="paid").count() == (1 if state == "paid" else 0)
    assert stock_of("mini") == 4


def test_a_second_step_is_asked_for_and_then_it_is_paid(shop: SimpleNamespace):
    guest = Buyer()
    guest.put("mini")
    bank = guest.order()["Location"]
    assert "segundo paso" in guest.client.post(bank, {"outcome": "challenge"}).content.decode()
    guest.client.post(bank, {"outcome": "success"})
    assert Order.objects.get().state == "paid"


def notice(payment: Payment, signature: str = "", **said: Any) -> int:
    body = sandbox.notice(payment, Payment.Status.SUCCEEDED, "n-1", **said)
    headers = {sandbox.SIGNATURE: signature or sandbox.sign(body)}
    answer = Client().generic("POST", "/tienda/pago/aviso/sandbox/", body, content_type="application/json", headers=headers)
    return int(answer.status_code)


def test_notices_come_over_the_wire_signed_about_the_right_sum_and_count_once(shop: SimpleNamespace):
    guest = Buyer()
    guest.put("mini")
    guest.order()
    payment = Payment.objects.get()
    assert notice(payment, "0" * 64) == 400
    assert notice(payment, amount_minor=1) == 400
    assert Order.objects.get().state == "pending"
    assert [notice(payment), notice(payment)] == [200, 200]
    assert Order.objects.get().state == "paid"


def test_a_payment_that_comes_late_gets_the_goods_or_the_money_back(shop: SimpleNamespace):
    late, other = Buyer(), Buyer()
    late.put("pro")
    late.order()
    orders.expire(timezone.now() + timedelta(hours=1))
    first = Order.objects.get()
    assert (first.state, stock_of("pro")) == ("cancelled", 1)
    assert notice(first.payments.get()) == 200
    first.refresh_from_db()
    assert (first.state, stock_of("pro")) == ("paid", 0)
    alice = Buyer(shop.alice).client
    alice.post(f"/tienda/gestion/pedidos/{first.pk}/devolver/", {})
    assert stock_of("pro") == 1
    late.put("pro")
    late.order()
    orders.expire(timezone.now() + timedelta(hours=1))
    second = Order.objects.order_by("-pk").first()
    other.put("pro")
    other.order(email="otra@example.org")
    body = sandbox.notice(second.payments.get(), Payment.Status.SUCCEEDED, "n-late")
    Client().generic("POST", "/tienda/pago/aviso/sandbox/", body, headers={sandbox.SIGNATURE: sandbox.sign(body)})
    second.refresh_from_db()
    assert (second.state, second.payments.get().status, stock_of("pro")) == ("cancelled", "refunded", 0)
    assert OrderMail.objects.filter(order=second, kind="paid_back").exists()


def test_what_was_agreed_is_what_is_paid(shop: SimpleNamespace):
    guest = Buyer()
    guest.put("mini")
    form = guest.form()
    Product.objects.filter(slug="mini").update(price_minor=9990)
    answer = guest.client.post("/tienda/pagar/", form)
    assert answer.status_code == 200
    assert "El precio cambió" in answer.content.decode()
    assert not Order.objects.exists()
    assert "antes" in guest.client.get("/tienda/carrito/").content.decode()


def test_what_is_typed_wrong_is_said_and_the_rest_is_kept(shop: SimpleNamespace):
    guest = Buyer()
    guest.put("mini")
    answer = guest.order(email="nobody", street="Calle de Siempre 7", country="XX")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "No es una dirección" in page
    assert "Calle de Siempre 7" in page


def test_more_than_there_is_nobody_buys_and_the_number_stays_free(shop: SimpleNamespace):
    first, second = Buyer(), Buyer()
    first.put("pro")
    second.put("pro")
    assert first.order().status_code == 303
    refused = second.order(email="otra@example.org")
    assert refused.status_code == 409
    assert "agotado" in refused.content.decode()
    second.client.post("/tienda/carrito/cambiar/", {"product": "pro", "quantity": 0})
    second.put("mini")
    assert second.order(email="otra@example.org").status_code == 303
    assert list(Order.objects.order_by("pk").values_list("number", flat=True)) == [1, 2]


def test_a_guests_cart_is_theirs_once_they_are_signed_in(shop: SimpleNamespace):
    at_home = Buyer(shop.carlos)
    at_home.put("mini", 1)
    guest = Buyer()
    guest.put("mini", 3)
    guest.put("wheel", 4)
    guest.client.post(make_login_link(shop.carlos))
    assert {line.product.slug: line.quantity for line in Cart.objects.get().lines.all()} == {"mini": 3, "wheel": 4}
    assert at_home.client.get("/tienda/api/cart/").json()["count"] == 7


def test_a_coupon_takes_its_share_and_ends(shop: SimpleNamespace):
    Coupon.objects.create(code="TEN", share_bp=1000, most_uses=1)
    guest = Buyer()
    guest.put("wheel", 3)
    guest.client.post("/tienda/carrito/cupon/", {"code": "ten"})
    assert guest.order().status_code == 303
    order = Order.objects.get()
    assert (order.goods_minor, order.discount_minor, order.total_minor) == (7350, 735, 7350 - 735 + 590)
    guest.put("wheel")
    assert "no existe o ya venció" in guest.client.post("/tienda/carrito/cupon/", {"code": "TEN"}, follow=True).content.decode()


def test_an_order_that_is_cancelled_gives_its_use_of_a_coupon_back(shop: SimpleNamespace):
    coupon = Coupon.objects.create(code="TEN", share_bp=1000, most_uses=1)
    guest = Buyer()
    guest.put("wheel", 3)
    guest.client.post("/tienda/carrito/cupon/", {"code": "TEN"})
    guest.order()
    order = Order.objects.get()

    def used(there: State) -> int:
        orders.move(order, there, actor=SYSTEM, now=order.created_at)
        coupon.refresh_from_db()
        return coupon.used

    assert [used(State.CANCELLED), used(State.PAID), used(State.PREPARING)] == [0, 1, 1]


def test_scripts_have_the_cart_as_json(shop: SimpleNamespace):
    client = Client()
    answer = client.post("/tienda/api/cart/add/", {"product": "mini", "quantity": 2}, content_type="application/json")
    assert answer.json()["total"] == "179.80"
    assert client.post("/tienda/api/cart/add/", {"product_id": shop.wheel.pk}).json()["count"] == 3
    assert client.post("/tienda/api/cart/add/", {"product": "mini", "quantity": 40}, content_type="application/json").status_code == 409
    assert client.post("/tienda/api/cart/change/", {"product": "mini", "quantity": 0}).json()["count"] == 1
    assert client.post("/tienda/api/cart/add/", {"product": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"product":"\\ud800"}', b'{"quantity":1e400}', b"\xff{}", b"9" * 5000]
)
def test_a_script_that_sends_no_readable_cart_is_told_so(shop: SimpleNamespace, body: bytes):
    for act in ("add", "change"):
        answer = Client().post(f"/tienda/api/cart/{act}/", body, content_type="application/json")
        assert (answer.status_code, answer.json()["detail"][:7]) == (400, "cuerpo:")


def test_an_order_is_for_who_has_its_link(shop: SimpleNamespace):
    guest = Buyer(shop.carlos)
    guest.put("mini")
    guest.order()
    order = Order.objects.get()
    assert Client().get(f"/tienda/pedidos/{order.name}/{'0' * 40}/").status_code == 404
    assert order.name in guest.client.get("/cuenta/pedidos/").content.decode()
    assert order.name not in Buyer(shop.bob).client.get("/cuenta/pedidos/").content.decode()
    assert Cart.objects.get().lines.count() == 0


def test_the_catalogue_is_asked_through_its_address_in_few_questions(shop: SimpleNamespace, django_assert_max_num_queries: Any):
    from tests.cloud.shop.conftest import product

    for index in range(30):
        product(f"extra-{index:02d}", 100 + index, 1, kind="sensor", name_es=f"Cámara {index}")
    client = Client()
    with django_assert_max_num_queries(4):
        page = client.get("/tienda/?q=camara&clase=sensor&hasta=1,25&orden=-precio&pagina=3")
    assert page.context["page_count"] == 3
    assert [one["price"] for one in page.context["products"]] == ["1,01\u00a0€", "1,00\u00a0€"]
    assert "no es un precio" in client.get("/tienda/?desde=mucho").content.decode()
    guest = Buyer()
    for slug in ("mini", "wheel", "pro", "extra-01", "extra-02"):
        guest.put(slug)
    with django_assert_max_num_queries(5):
        guest.client.get("/tienda/carrito/")
    with django_assert_max_num_queries(7):
        guest.client.get("/tienda/pagar/")


def test_a_sold_board_becomes_a_robot_of_its_buyers_organisation_and_comes_in_by_its_claim(shop: SimpleNamespace, settings: Any):
    from croody.fleet import claims
    from croody_contract.claims import Exchange, hashes_of, read

    settings.ENV = dataclasses.replace(settings.ENV, demo=True, smtp=None, public_url="http://127.0.0.1:8000")
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"
    Product.objects.filter(slug="mini").update(enrols=True)
    alice = Buyer(shop.alice)
    alice.put("mini", 2)
    bank = alice.order()["Location"]
    page = alice.client.post(bank, {"outcome": "success"})["Location"]
    shown = alice.client.get(page).context
    assert [one["left"] for one in shown["waiting"]] == [2]
    form = {"line": shown["waiting"][0]["line"], "organisation": "alices"}
    assert Buyer(shop.carlos).client.post(f"{page}placas/", form, follow=True).status_code == 200
    assert not Robot.objects.exists()
    joined = [alice.client.post(f"{page}placas/", form)["Location"] for _ in range(3)]
    assert [one.partition("?")[0] == page for one in joined] == [False, False, True]
    robots = list(Robot.objects.order_by("pk"))
    assert [robot.organisation for robot in robots] == [shop.organisation] * 2
    mail = ShownMail.objects.order_by("pk").first()
    claim = read(next(line for line in mail.body.splitlines() if line.startswith("croody+")))
    hashes = hashes_of("a secret that the board made")
    asked = Exchange(token=claim.token, hashes=hashes)
    assert claims.exchange(asked, address="127.0.0.1", now=timezone.now()) == robots[0]


def test_who_bought_a_board_and_is_nobodys_member_makes_an_organisation_for_it_once(shop: SimpleNamespace, settings: Any):
    settings.ENV = dataclasses.replace(settings.ENV, demo=True, smtp=None, public_url="http://127.0.0.1:8000")
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"
    Product.objects.filter(slug="mini").update(enrols=True)
    carlos = Buyer(shop.carlos)
    carlos.put("mini", 2)
    bank = carlos.order()["Location"]
    page = words.link(Order.objects.get())
    line = Order.objects.get().lines.get().pk
    carlos.client.post(f"{page}placas/", {"line": line, "new": "Robots de Carlos"})
    assert not Organisation.objects.filter(name="Robots de Carlos").exists(), "it is not paid"
    carlos.client.post(bank, {"outcome": "success"})
    assert "/console/" in carlos.client.post(f"{page}placas/", {"line": line, "new": "Robots de Carlos"})["Location"]
    made = Organisation.objects.get(name="Robots de Carlos")
    assert Robot.objects.get().organisation == made
    assert made.memberships.get().role == "owner"
    carlos.client.post(f"{page}placas/", {"line": line, "new": "Otra"})
    assert not Organisation.objects.filter(name="Otra").exists(), "they have one now"


def test_products_go_out_as_a_file_and_come_in_again_all_or_nothing(shop: SimpleNamespace):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from croody.shop.staff import product_views
    from croody.shop.urls import urlpatterns

    alice = Buyer(shop.alice).client

    def send(text: str) -> str:
        file = SimpleUploadedFile("p.csv", text.encode(), content_type="text/csv")
        return str(alice.post("/tienda/gestion/productos/importar/", {"file": file}, follow=True).content.decode())

    out = b"".join(alice.get("/tienda/gestion/productos.csv").streaming_content).decode()
    assert "3 productos al día" in send(out.replace("89.90", '"79,90"').replace("La mini", "=La mini"))
    mini = Product.objects.get(slug="mini")
    assert (mini.price_minor, mini.name_es, mini.stock) == (7990, "=La mini", 5)
    again = b"".join(alice.get("/tienda/gestion/productos.csv").streaming_content).decode()
    assert "'=La mini" in again
    assert "3 productos al día" in send(again)
    page = send("slug,kind,price,currency\nmini,board,1.00,EUR\nother,toy,much,EUR\n")
    assert "fila 3, kind: «toy»" in page.replace("&#x27;", "'")
    assert "«much» en «EUR» no es un precio" in page
    assert "es nuevo y le falta" in send("slug,kind\nother,part\n")
    assert "no es ninguna" in send("slug,stock\nmini,99\n")
    assert Product.objects.get(slug="mini").price_minor == 7990
    first = {str(one.pattern).split("/")[0] for one in urlpatterns} - {"", "<slug:slug>"}
    assert first <= product_views.TAKEN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slug,kind\n" + "x" * 200_000, "no es CSV"),
        ('slug,kind\n"mini,board\nwheel,part\n', "no es CSV"),
        ("slug,name_es,shown\nmini,Mini, de aluminio,1\n", "tiene 4 celdas y hay 3 columnas"),
        ("slug,kind,shown,text_es\nmini,board\n", "tiene 2 celdas y hay 4 columnas"),
        ("slug,name_es,name_es\nmini,Una,Otra\n", "«name_es» está dos veces"),
        ("slug,currency\nmini,USD\n", "currency va con price"),
    ],
)
def test_a_file_of_products_that_says_two_things_changes_nothing(shop: SimpleNamespace, text: str, told: str):
    from croody.shop.staff import product_table

    found = product_table.read(text, {}, frozenset())
    assert [told in one for one in found.wrong] == [True]
    assert found.rows == {}


@pytest.mark.parametrize("text", ["slug,name_es\rmini,Mía\r", "slug;name_es\r\nmini;Mía\r\n", "\ufeffslug\tname_es\nmini\tMía"])
def test_a_file_of_products_is_read_as_spreadsheets_write_it(text: str):
    from croody.shop.staff import product_table

    found = product_table.read(text, {}, frozenset())
    assert (found.wrong, found.rows) == ([], {"mini": {"name_es": "Mía"}})


def test_who_administers_the_site_sets_up_the_shop_and_that_is_written_down(shop: SimpleNamespace):
    from django.contrib.auth.models import User

    root = Buyer(User.objects.create_superuser("root")).client
    said = {"code": "spring", "share_bp": 500, "amount_minor": 0, "currency": "", "most_uses": 3}
    assert root.post("/admin/shop/coupon/add/", said).status_code == 302
    assert Coupon.objects.get().code == "SPRING"
    told = {"name_es": "Moto", "name_en": "Bike", "countries": ["ES"], "price_minor": 900, "currency": "EUR", "tax": shop.tax.pk}
    assert root.post("/admin/shop/shippingrate/add/", {**told, "days_least": 0, "days_most": 1}).status_code == 302
    assert root.get("/admin/shop/seller/add/").status_code == 403
    written = Entry.objects.filter(name="root", verb="add").order_by("pk").values_list("thing", "thing_id")
    assert list(written) == [("coupon", "SPRING"), ("shippingrate", "Moto")]
