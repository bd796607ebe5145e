"""`/console/log/` and its file. Reads only: nothing here writes, and nothing anywhere changes an entry."""

import json
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.accounts.preferences import zone_of
from croody.audit import queries
from croody.audit.models import Entry
from croody.audit.queries import Mark
from croody.console import csv_file, frame, page_access
from croody.console.log import facts, words
from croody.console.log.selection import Selection

#: Entries on a page.
PAGE: Final = 100
_COLUMNS: Final = ("at", "kind", "name", "user_id", "token_id", "address", "request_id", "verb", "thing", "thing_id", "organisation_id")


@require_GET
@page_access.page()
def log(request: HttpRequest) -> HttpResponseBase:
    """Who did what to what, when."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    asked, known = Selection.of(request.GET.dict(), zone_of(request)), facts.organisations(caller)
    found = queries.page(facts.readable(caller), facts.wanted(asked, known), limit=PAGE + 1, after=asked.after)
    shown = found[:PAGE]
    people = facts.people(shown)
    context = {
        "sentence": words.sentence(facts.count(caller, asked, known, now), language, filtered=asked.filters),
        "rows": [words.row(entry, people) for entry in shown],
        "asked": asked,
        "query": asked.address(),
        "older": asked.behind(Mark.of(shown[-1])) if len(found) > PAGE else "",
        "things": words.THINGS,
        "verbs": words.VERBS,
        "organisations": known.values() if len(known) > 1 else (),
        "names": {one.pk: one.name for one in known.values()} if len(known) > 1 else {},
    }
    return frame.draw(request, "console/log/log.html", context, page="log")


@require_GET
@page_access.page()
def export(request: HttpRequest) -> HttpResponseBase:
    """Everything that matches, as a file."""
    caller = of_session(request)
    asked, known = Selection.of(request.GET.dict()), facts.organisations(caller)
    pages = queries.everything(facts.readable(caller), facts.wanted(asked, known))
    name = f"croody-log-{timezone.now():%Y%m%dT%H%MZ}.csv"
    return csv_file.answer(request, name, (*_COLUMNS, "before", "after"), ([_cells(entry) for entry in some] for some in pages))


def _cells(entry: Entry) -> list[object]:
    plain = [getattr(entry, name) for name in _COLUMNS]
    return [*plain, *(json.dumps(values, ensure_ascii=False) if values else "" for values in (entry.before, entry.after))]
