"""The models that a team trained, over HTTP: to look at. How one is used a person says, in the console or by `croody ids models`."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Schema

from croody.detection.models import SiteModel
from croody.detection.site_models import registry
from croody.detection.site_models.refusal import Refused
from croody.fleet.access import asking

#: Rows of one answer.
MOST = 200


class SiteModelOut(Schema):
    """A model. `state`: `kept`, `shadow` or `promoted`; `reason`: why the clock put it back, null where a person did.

    `card`: what was signed with it (what it was made of, its threshold, what it found of what it had not seen); null of one that is
    refused, and `refused` says why in a sentence.
    """

    id: int
    organisation: str
    made_at: datetime
    by: str
    state: str
    state_at: datetime
    state_by: str | None
    reason: dict[str, Any] | None
    refused: str | None
    card: dict[str, Any] | None


class SiteModelsOut(Schema):
    """Newest first."""

    models: list[SiteModelOut]


def get_models(request: HttpRequest, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> dict[str, Any]:
    """Those of one's organisations, with the state of each and its card."""
    return {"models": [_told(row) for row in registry.visible_to(asking(request))[:limit]]}


def _told(row: SiteModel) -> dict[str, Any]:
    try:
        card, refused = registry.card_of(row), None
    except Refused as error:
        card, refused = None, str(error)
    return {
        "id": row.pk,
        "organisation": row.organisation.slug,
        "made_at": row.made_at,
        "by": row.by_name,
        "state": row.state,
        "state_at": row.state_at,
        "state_by": row.state_by or None,
        "reason": row.reason or None,
        "refused": refused,
        "card": card,
    }
