"""Run as a process: so many buyers at once, a thread each, want one board each, and send each form twice. Prints what came of it."""

import sys
import threading
import time
from datetime import UTC, datetime

import django

django.setup()

from django.db import connection  # noqa: E402

from croody.audit.actor import SYSTEM  # noqa: E402
from croody.shop import orders, stock  # noqa: E402
from croody.shop.models import Cart, CartLine, Product, ShippingRate  # noqa: E402

start_at, buyers, first = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
board, rate = Product.objects.get(slug="mini"), ShippingRate.objects.get()
carts = [Cart.objects.create(sha256=f"{first + number}", touched_at=now) for number in range(buyers)]
CartLine.objects.bulk_create(CartLine(cart=cart, product=board, quantity=1, seen_minor=board.price_minor) for cart in carts)
said: list[str] = []


def buy(number: int, cart: Cart) -> None:
    wanted = orders.Wanted(
        f"{first + number:032x}", f"buyer-{first + number}@example.org", {"country": "ES"}, {}, "", rate, "sandbox", 8990 + 590
    )
    for _ in range(2):
        try:
            said.append(orders.place(cart, wanted, user=None, actor=SYSTEM, now=now).name)
        except stock.SoldOut:
            said.append("sold-out")
    connection.close()


threads = [threading.Thread(target=buy, args=(number, cart)) for number, cart in enumerate(carts)]
time.sleep(max(0.0, start_at - time.time()))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*said)
