"""The ledger: what of everything that robots numbered is stored, still missing, declared dropped, or a dead letter. Reads only."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from croody.api import cursor as places
from croody.api.authentication import Asks
from croody.api.errors import ERRORS, Problem
from croody.api.fleet import RobotId
from croody.api.pages import Cursor, Limit, page
from croody.api.schemas import DeliveriesOut, DeliveryOut
from croody.fleet.access import Action, asking, need, visible_to
from croody.telemetry.read import queries
from croody.telemetry.read.delivery import Delivered, delivered

router = Router(tags=["deliveries"])


@router.get("/deliveries", auth=Asks(Action.SEE), response={200: DeliveriesOut, **ERRORS}, summary="What became of all records, by robot")
def deliveries(request: HttpRequest, limit: Limit = 100, cursor: Cursor = "") -> dict[str, Any]:
    """Of the robots that you may see, by their ids. Readings that came without a number prove nothing and are not counted."""
    after = places.read(cursor, tuple[str])[0] if cursor else ""
    ids = list(visible_to(asking(request)).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[: limit + 1])
    found = delivered(ids[:limit])
    return page(ids, limit, lambda some: [_sums(one, found.get(one, Delivered())) for one in some], places.written)


@router.get(
    "/robots/{robot_id}/delivery",
    auth=Asks(Action.SEE),
    response={200: DeliveryOut, 404: Problem, **ERRORS},
    summary="What became of one robot's records, by stream",
)
def delivery(request: HttpRequest, robot_id: RobotId) -> dict[str, Any]:
    """Every stream that is not folded, and the newest hundred of those that are. Ranges are closed."""
    need(asking(request), Action.SEE, robot_id)
    sums = delivered([robot_id]).get(robot_id, Delivered())
    return _sums(robot_id, sums) | {"streams": queries.streams_told([robot_id])}


def _sums(robot_id: str, sums: Delivered) -> dict[str, Any]:
    return {"robot_id": robot_id, **{name: getattr(sums, name) for name in ("stored", "dead", "dropped", "missing", "gaps")}}
