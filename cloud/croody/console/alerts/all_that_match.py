"""What is done to every alarm that the list's filters match, on whichever page it stands: told first, bounded, undone in one go."""

import time
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import Caller, actor_of, of_session
from croody.alarms import inbox
from croody.alarms.inbox import Asked, Tab
from croody.alarms.kinds import SEVERITIES, End
from croody.alarms.kinds import find as kind_of
from croody.alarms.models import Act, Alarm
from croody.console import frame, page_access
from croody.console.alerts import facts, words
from croody.console.alerts.acts import ACTS, MOST_AT_ONCE, RUN_S, Chosen, Outcome, Who, attempt, tell
from croody.web.address import whole
from croody.web.refusals import Denied
from croody.web.turns import give_way

#: What can be done to many, in the order of the buttons.
VERBS: Final = (Act.Verb.ACKNOWLEDGE, Act.Verb.CLOSE, Act.Verb.SNOOZE, Act.Verb.ASSIGN)


@require_GET
@page_access.page()
def ask(request: HttpRequest) -> HttpResponseBase:
    """How many they are and how grave, before anything is done to them."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    asked = Asked.of(request.GET.dict())
    if asked.tab is Tab.RESOLVED:
        raise Denied(404, "alarms: what is over is opened again one by one")
    found = inbox.matching(caller, asked, now)
    # One question: the greatest number alone would be looked for from the newest alarm that ever was backwards.
    counted = list(found.order_by().values_list("severity").annotate(Count("pk"), Max("pk")))
    severities = {severity: count for severity in SEVERITIES for known, count, _ in counted if known == severity}
    total = sum(severities.values())
    context: dict[str, Any] = {
        "sentence": words.match(total, language),
        "grave": words.grave(severities, language),
        "filters": words.filters(asked),
        "total": total,
        "most": MOST_AT_ONCE,
        "upto": max((newest for *_, newest in counted), default=0),
        "query": asked.address(after=""),
        "acts": [words.act_on_many(verb, _still(found, verb, caller.user_id).count(), language) for verb in VERBS]
        if total and facts.may_end(caller)
        else [],
    }
    return frame.draw(request, "console/alerts/all.html", context, page="alerts")


@page_access.act(back="console_alerts")
def act(request: HttpRequest, verb: str) -> HttpResponseBase:
    """Do it to those that were told of, the worst first; whatever came since is left alone."""
    if verb not in VERBS:
        raise Http404
    caller, now = of_session(request), timezone.now()
    asked = Asked.of(QueryDict(request.POST.get("query", "")[:500].lstrip("?")).dict())
    chosen = _chosen(caller, asked, verb, whole(request.POST.get("upto", "")) or 0, now)
    who, outcome, begun = Who(caller, actor_of(request, caller), now, request.POST), Outcome(), time.monotonic()
    tried = 0
    for alarm in chosen[:MOST_AT_ONCE]:
        if time.monotonic() - begun > RUN_S:
            break
        at = time.monotonic()
        attempt(ACTS[verb], who, alarm, outcome)
        give_way("default", time.monotonic() - at)
        tried += 1
    if outcome.denied and not outcome.done:
        raise outcome.denied[0]
    tell(request, verb, outcome, now, chosen=bool(chosen))
    if len(chosen) > tried:
        messages.warning(request, words.left(_left(caller, asked, verb, now), get_language() or "es"))
    return page_access.done(request, reverse("console_alerts") + asked.address(after=""))


def _acts(found: QuerySet[Alarm], caller: Caller, language: str) -> list[dict[str, Any]]:
    return [words.act_on_many(verb, _still(found, verb, caller.user_id).count(), language) for verb in VERBS]


def _chosen(caller: Caller, asked: Asked, verb: str, upto: int, now: datetime) -> list[Chosen]:
    if asked.tab is Tab.RESOLVED:
        return []
    found = _still(inbox.matching(caller, asked, now).filter(pk__lte=upto), verb, caller.user_id)
    return [Chosen(pk, revision) for pk, revision in found.values_list("pk", "revision")[: MOST_AT_ONCE + 1]]


def _left(caller: Caller, asked: Asked, verb: str, now: datetime) -> int:
    return _still(inbox.matching(caller, asked, now), verb, caller.user_id).count()


def _still(found: QuerySet[Alarm], verb: str, user_id: int | None) -> QuerySet[Alarm]:
    """Those of which there is anything to do: what ends by itself nobody closes, what is acknowledged nobody acknowledges again."""
    if verb == Act.Verb.ACKNOWLEDGE:
        return found.filter(acknowledged_at=None)
    if verb == Act.Verb.ASSIGN:
        return found.exclude(Q(assignee_id=user_id) & Q(assignee_id__isnull=False))
    if verb == Act.Verb.CLOSE:
        codes = found.order_by().values_list("kind", flat=True).distinct()
        return found.exclude(kind__in=[code for code in codes if End.PERSON not in kind_of(code).ends])
    return found
