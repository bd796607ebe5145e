"""Who bought, as orders tell it: people by their account, guests by their address. Who was forgotten is nobody. Knows no page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Lower

from croody.shop.models import Order
from croody.shop.money import Money
from croody.shop.moves import State

A_PAGE: Final = 50
#: Those whose money stayed.
_BOUGHT: Final = (State.PAID, State.PREPARING, State.SHIPPED, State.DELIVERED)
#: Account, or none and the address.
Who = tuple[int | None, str]


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who ordered. `newest` is their newest order; `bought` what was paid and not paid back, an amount a currency."""

    newest: Order
    orders: int
    bought: list[Money] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As the newest order has it."""
        return str(self.newest.address.get("name", "")) or self.newest.email

    @property
    def account(self) -> str:
        """Empty: a guest."""
        return self.newest.user.get_username() if self.newest.user is not None else ""

    @property
    def last_at(self) -> datetime:
        """When they ordered last."""
        return self.newest.created_at


def find(text: str, page: int) -> tuple[list[Customer], bool]:
    """Those whose name, address or account has `text`, who ordered last first; and whether there are more after this page."""
    rows = _known()
    if text:
        rows = rows.filter(Q(email__icontains=text) | Q(address__name__icontains=text) | Q(user__username__icontains=text))
    first = (page - 1) * A_PAGE
    found = list(rows.values_list("user_id", "guest").annotate(last=Max("pk")).order_by("-last")[first : first + A_PAGE + 1])
    return _told([(user, guest) for user, guest, _last in found[:A_PAGE]]), len(found) > A_PAGE


def of(order: Order) -> Customer | None:
    """Whose order this is; None where they were forgotten."""
    if order.user_id is None and not order.email:
        return None
    return _told([_who(order)])[0]


def orders_of(order: Order) -> QuerySet[Order]:
    """All of theirs, the newest first."""
    return _known().filter(_theirs([_who(order)])).order_by("-pk")


def _who(order: Order) -> Who:
    return order.user_id, "" if order.user_id is not None else order.email.lower()


def _known() -> QuerySet[Any]:
    guest = Case(When(user=None, then=Lower("email")), default=Value(""))
    return Order.objects.exclude(user=None, email="").annotate(low=Lower("email"), guest=guest)


def _theirs(who: Iterable[Who]) -> Q:
    people = list(who)
    guests = [guest for user, guest in people if user is None]
    return Q(user__in=[user for user, _guest in people if user is not None]) | Q(user=None, low__in=guests)


def _told(who: list[Who]) -> list[Customer]:
    """In two queries, however many they are."""
    counts: dict[Who, int] = defaultdict(int)
    newest: dict[Who, int] = {}
    bought: dict[Who, list[Money]] = defaultdict(list)
    sums = Sum("total_minor", filter=Q(state__in=_BOUGHT))
    rows = _known().filter(_theirs(who)).values("user_id", "guest", code=F("currency"))
    for row in rows.annotate(count=Count("pk"), last=Max("pk"), sum=sums).order_by("code"):
        one = (row["user_id"], row["guest"])
        counts[one] += row["count"]
        newest[one] = max(newest.get(one, 0), row["last"])
        if row["sum"]:
            bought[one].append(Money(row["code"], row["sum"]))
    orders = Order.objects.select_related("user").in_bulk(newest.values())
    return [Customer(orders[newest[one]], counts[one], bought[one]) for one in who]
