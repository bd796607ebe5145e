"""Boards that were sold: each becomes a robot of its buyer's organisation, once. How a board comes by its secret is the fleet's affair."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import Actor
from croody.fleet import services
from croody.fleet.models import Robot
from croody.shop.models import Order, OrderLine, SoldBoard
from croody.shop.moves import State
from croody.shop.orders import OrderRefused

#: Once it is paid, and as long as it is the buyer's.
OWNED = frozenset({State.PAID, State.PREPARING, State.SHIPPED, State.DELIVERED})


@dataclass(frozen=True, slots=True)
class Waiting:
    """Boards of one line of an order that are nobody's robot yet."""

    line: OrderLine
    left: int


def waiting(order: Order) -> list[Waiting]:
    """Those of an order that its buyer owns."""
    if State(order.state) not in OWNED:
        return []
    lines = order.lines.filter(product__enrols=True).prefetch_related("boards").order_by("pk")
    return [Waiting(line, line.quantity - len(line.boards.all())) for line in lines if line.quantity > len(line.boards.all())]


def take_in(order: Order, line_id: int, organisation: Organisation, *, actor: Actor, now: datetime) -> Robot:
    """Make one board of this line a robot of this organisation; its board comes in by a claim.

    Raises:
        OrderRefused: all of them are robots already, or the order is not paid.
        BadRobot: the fleet refuses its name.
    """
    with transaction.atomic():
        locked = Order.objects.select_for_update().get(pk=order.pk)
        found = next((one for one in waiting(locked) if one.line.pk == line_id), None)
        if found is None:
            raise OrderRefused(
                _("Pedido %(order)s: ninguna placa de esta línea espera: ya están en una organización") % {"order": order.name}
            )
        number = found.line.quantity - found.left + 1
        robot_id = f"{found.line.product.slug[:36]}-{order.name}-{found.line.pk}-{number}"[:64]
        robot = services.register_robot(robot_id, organisation=organisation, kind="robot", now=now, actor=actor)
        services.set_label(robot, f"{found.line.name} {number}"[:80], actor=actor, now=now)
        SoldBoard.objects.create(line=found.line, robot=robot, at=now)
    return robot
