"""The audit log: who did what to what, when. Reads only; nothing anywhere changes an entry."""

from datetime import datetime
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query, Router

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.api import cursor as places
from croody.api.authentication import Asks
from croody.api.errors import ERRORS
from croody.api.pages import Cursor, Limit, page
from croody.api.schemas import AuditOut
from croody.audit import queries
from croody.audit.models import Entry
from croody.audit.queries import Mark, Readable, Wanted
from croody.fleet.access import Action, asking, organisations
from croody.telemetry.ingest.clock import in_utc
from croody.web.times import Time

router = Router(tags=["audit"])
FIELDS: Final = (
    "id",
    "at",
    "kind",
    "user_id",
    "name",
    "token_id",
    "address",
    "request_id",
    "verb",
    "thing",
    "thing_id",
    "before",
    "after",
)
_Word = Annotated[str, Query(max_length=160)]
_Slug = Annotated[str | None, Query(max_length=50, description="Its short name; of all that you may read without it")]


@router.get("/audit", auth=Asks(Action.INSPECT), response={200: AuditOut, **ERRORS}, summary="Who did what, newest first")
def audit(
    request: HttpRequest,
    limit: Limit = 100,
    cursor: Cursor = "",
    organisation: _Slug = None,
    name: _Word = "",
    verb: _Word = "",
    thing: _Word = "",
    thing_id: _Word = "",
    start: Annotated[Time | None, Query(description="From then on; included")] = None,
    end: Annotated[Time | None, Query(description="Until then; not included")] = None,
) -> dict[str, Any]:
    """Of your organisations, and your own acts that concern none. An organisation that you may not read has no entries."""
    caller = asking(request)
    chosen = chosen_organisation(caller, organisation)
    if organisation is not None and chosen is None:
        return {"items": [], "next": None}
    since, until = (in_utc(one, field) if one is not None else None for one, field in ((start, "start"), (end, "end")))
    wanted = Wanted(chosen.pk if chosen else None, name, verb, thing, thing_id, since, until)
    after = Mark(*places.read(cursor, tuple[datetime, int])) if cursor else None
    rows = queries.page(readable(caller), wanted, limit=limit + 1, after=after)
    return page(rows, limit, lambda some: shown(some), lambda one: places.written(one.at, one.pk))


def readable(caller: Caller) -> Readable:
    """What the caller may read of the log: their organisations', and their own; the site's owner all of it."""
    if caller.superuser or caller.kind == "demo":
        return Readable(None)
    return Readable(tuple(organisations(caller, Action.INSPECT).order_by("pk").values_list("pk", flat=True)), caller.user_id)


def chosen_organisation(caller: Caller, slug: str | None) -> Organisation | None:
    """The one of this name whose log the caller may read."""
    return organisations(caller, Action.INSPECT).filter(slug=slug).first() if slug is not None else None


def shown(found: Any) -> list[dict[str, Any]]:
    """These entries as they are answered."""
    rows: list[Entry] = list(found)
    slugs = dict(Organisation.objects.filter(pk__in={one.organisation_id for one in rows if one.organisation_id}).values_list("pk", "slug"))
    return [
        {**{name: getattr(one, name) for name in FIELDS}, "organisation": slugs.get(one.organisation_id) if one.organisation_id else None}
        for one in rows
    ]
