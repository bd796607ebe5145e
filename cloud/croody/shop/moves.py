"""The life of an order: one table. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class State(StrEnum):
    """Where an order is."""

    PENDING = "pending"
    PAID = "paid"
    PREPARING = "preparing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


#: From where to where; nothing else happens. A payment that comes late revives a cancelled order, if its goods are still there.
MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.PAID, State.CANCELLED}),
    State.PAID: frozenset({State.PREPARING, State.REFUNDED}),
    State.PREPARING: frozenset({State.SHIPPED, State.REFUNDED}),
    State.SHIPPED: frozenset({State.DELIVERED, State.REFUNDED}),
    State.DELIVERED: frozenset({State.REFUNDED}),
    State.CANCELLED: frozenset({State.PAID}),
    State.REFUNDED: frozenset(),
}
#: What a seller does next, once it is there: the move and its button.
NEXT: Final[Mapping[State, tuple[State, str | Promise]]] = {
    State.PENDING: (State.PAID, _("Anotar el pago")),
    State.PAID: (State.PREPARING, _("Empezar a preparar")),
    State.PREPARING: (State.SHIPPED, _("Marcar enviado")),
    State.SHIPPED: (State.DELIVERED, _("Marcar entregado")),
}
WORDS: Final[Mapping[State, str | Promise]] = {
    State.PENDING: _("Espera el pago"),
    State.PAID: _("Pagado"),
    State.PREPARING: _("En preparación"),
    State.SHIPPED: _("Enviado"),
    State.DELIVERED: _("Entregado"),
    State.CANCELLED: _("Cancelado"),
    State.REFUNDED: _("Devuelto"),
}
#: While it is in one of these its goods are the buyer's: out of stock.
HOLDS: Final = frozenset({State.PENDING, State.PAID, State.PREPARING, State.SHIPPED, State.DELIVERED})
#: As long as nothing has left the house, what is given up goes back on the shelf.
RETURNS: Final = frozenset({State.PENDING, State.PAID, State.PREPARING})


def may_move(here: State, there: State) -> bool:
    """Say whether the table has it."""
    return there in MOVES[here]
