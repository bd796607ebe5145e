"""Asks for what the page says of models that a team trained: what was measured, how each is used, who suspects what beside the rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from croody.accounts.caller import Caller
from croody.detection.models import SiteModel
from croody.detection.site_models import figures, registry
from croody.detection.site_models.figures import Day, Drift
from croody.detection.site_models.refusal import Refused
from croody.fleet import access
from croody.fleet.access import Action

#: Models that the page has room for: those in use and the newest.
MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Model:
    """`card` is None of one that is refused, and `why` says so. `days`, `drift`, `alone`: of one that is in use."""

    row: SiteModel
    card: dict[str, Any] | None
    why: str
    may: bool
    days: tuple[Day, ...] = ()
    drift: Drift | None = None
    alone: int = 0


def read(caller: Caller, now: datetime) -> list[Model]:
    """What this person may see of them."""
    acts = frozenset(access.organisations(caller, Action.CONFIGURE).values_list("pk", flat=True))
    rows = registry.visible_to(caller)
    used = list(rows.exclude(state=SiteModel.State.KEPT)[:MOST])
    kept = list(rows.filter(state=SiteModel.State.KEPT)[: MOST - len(used)])
    return [_read(row, row.organisation_id in acts, now) for row in (*used, *kept)]


def _read(row: SiteModel, may: bool, now: datetime) -> Model:
    try:
        card = registry.card_of(row)
    except Refused as error:
        return Model(row, None, str(error), may)
    if row.state == SiteModel.State.KEPT:
        return Model(row, card, "", may)
    alone = figures.alone(row, now) if row.state == SiteModel.State.PROMOTED else 0
    return Model(row, card, "", may, tuple(figures.days(row, now)), figures.drift(row, card, now), alone)
