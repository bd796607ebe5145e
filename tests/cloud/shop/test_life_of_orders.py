"""Whatever buyers, banks, sellers and the clock do, in any order: no piece is sold twice, and no cent is kept that is not owed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from croody.audit.actor import SYSTEM
from croody.shop import orders, stock
from croody.shop.models import Cart, CartLine, Order, Payment, Product, ShippingRate, StockMove
from croody.shop.moves import HOLDS, NEXT, State
from croody.shop.payments import services as payments
from croody.shop.payments.provider import Notice
from croody.shop.payments.sandbox import Sandbox
from tests.cloud.shop.conftest import NOW, make_shop

PAID = (State.PAID, State.PREPARING, State.SHIPPED, State.DELIVERED)
Status = Payment.Status


class Life(RuleBasedStateMachine):
    """One shop, and all that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.within = transaction.atomic()
        self.within.__enter__()
        make_shop()
        self.rate, self.board = ShippingRate.objects.get(), Product.objects.get(slug="mini")
        self.now, self.count, self.arrived = NOW, 0, self.board.stock

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.within.__exit__(None, None, None)

    def order(self, which: int) -> Order | None:
        found = list(Order.objects.order_by("pk"))
        return found[which % len(found)] if found else None

    @rule(quantity=st.integers(1, 4))
    def buy(self, quantity: int) -> None:
        self.count += 1
        cart = Cart.objects.create(sha256=str(self.count), touched_at=self.now)
        CartLine.objects.create(cart=cart, product=self.board, quantity=quantity, seen_minor=0)
        cost = orders.sums(list(cart.lines.all()), None, self.rate, self.now).total
        said: Any = (f"{self.count:032x}", f"{self.count}@example.org", {}, {}, "", self.rate, "sandbox", cost)
        left = Product.objects.get(pk=self.board.pk).stock
        try:
            made = orders.place(cart, orders.Wanted(*said), user=None, actor=SYSTEM, now=self.now)
        except stock.SoldOut:
            assert left < quantity
            return
        assert left >= quantity
        payments.begin(made, now=self.now)

    @rule(which=st.integers(0, 9), status=st.sampled_from(list(Status)[1:5]), notice_id=st.integers(0, 20))
    def bank(self, which: int, status: Payment.Status, notice_id: int) -> None:
        order = self.order(which)
        payment = order.payments.order_by("pk").last() if order is not None else None
        if payment is not None:
            told = Notice(f"{payment.pk}-{notice_id}", payment.reference, status, payment.amount_minor, payment.currency)
            payments.book(Sandbox(), told, now=self.now)

    @rule(which=st.integers(0, 9))
    def pay_again(self, which: int) -> None:
        order = self.order(which)
        if order is not None and order.state == State.PENDING:
            payments.begin(order, now=self.now)

    @rule(which=st.integers(0, 9), there=st.sampled_from([*State]))
    def seller(self, which: int, there: State) -> None:
        order = self.order(which)
        if order is None:
            return
        try:
            if there is State.REFUNDED:
                payments.refund(order, actor=SYSTEM, now=self.now)
            elif there is State.PAID:
                payments.note_by_hand(order, actor=SYSTEM, now=self.now)
            elif there in (State.CANCELLED, *(step for step, _word in NEXT.values())):
                orders.move(order, there, actor=SYSTEM, now=self.now)
        except (orders.OrderRefused, stock.SoldOut):
            order.refresh_from_db()

    @rule(minutes=st.integers(1, 40))
    def time_goes_on(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        orders.expire(self.now)

    @rule(by=st.integers(-2, 3))
    def goods(self, by: int) -> None:
        if by and stock.book(self.board, by, actor=SYSTEM, now=self.now):
            self.arrived += by

    @invariant()
    def no_piece_is_sold_twice_or_lost(self) -> None:
        board = Product.objects.get(pk=self.board.pk)
        assert board.stock >= 0
        assert board.stock == sum(StockMove.objects.filter(product=board).values_list("change", flat=True))
        gone = [order for order in Order.objects.all() if order.state in HOLDS or _left_the_house(order)]
        assert board.stock + sum(line.quantity for order in gone for line in order.lines.all()) == self.arrived

    @invariant()
    def who_paid_has_an_order_and_who_has_none_was_paid_back(self) -> None:
        for order in Order.objects.all():
            kept = order.payments.filter(status=Status.SUCCEEDED)
            assert kept.filter(provider="sandbox").count() + kept.filter(provider="manual").count() == kept.count()
            if order.state in PAID:
                assert kept.count() == 1
                assert kept.get().amount_minor == order.total_minor
            else:
                # A transfer goes back by hand.
                assert not kept.filter(provider="sandbox").exists()

    @invariant()
    def numbers_have_no_holes(self) -> None:
        numbers = list(Order.objects.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))


def _left_the_house(order: Order) -> bool:
    return order.state == State.REFUNDED and order.events.filter(state=State.SHIPPED).exists()


@pytest.mark.django_db
def test_no_piece_is_sold_twice_and_no_cent_is_kept_that_is_not_owed():
    run_state_machine_as_test(Life, settings=settings(max_examples=12, stateful_step_count=14, deadline=None, database=None))
