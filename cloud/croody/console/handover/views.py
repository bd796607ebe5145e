"""What happened since I last looked, and taking the shift."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from croody.accounts.caller import Caller, actor_of, of_session
from croody.accounts.models import Organisation
from croody.alarms import handover as services
from croody.alarms.act_transaction import BadAct
from croody.console import frame, page_access
from croody.console.handover import words
from croody.web.address import whole

_AT_FIRST: Final = timedelta(hours=24)


@require_GET
@page_access.page()
def handover(request: HttpRequest) -> HttpResponseBase:
    """The shift of one organisation."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    teams = services.organisations(caller)
    team = next((one for one in teams if one.slug == request.GET.get("org")), next(iter(teams), None))
    if team is None:
        return frame.draw(request, "console/nobody.html", {"sentence": ""}, page="handover")
    asked = request.GET.get("since", "team")
    asked = asked if asked in words.SPAN_WORDS else "team"
    shift = services.shift(team, _since(caller, team, asked, now), now)
    org = {"org": team.slug} if len(teams) > 1 else {}
    context: dict[str, Any] = {
        "sentence": words.sentence(shift, language),
        "shift": shift,
        "spans": [(f"?{urlencode({'since': code, **org})}", said, code == asked) for code, said in words.SPAN_WORDS.items()],
        "teams": [(f"?{urlencode({'org': one.slug})}", one.name, one.pk == team.pk) for one in teams] if len(teams) > 1 else [],
        "team": team,
        "figures": words.figures(shift, language),
        "severities": words.severities(shift.open, language),
        "waiting": words.waiting(shift, now, language),
        "acts": words.done(shift, language),
        "more_acts": shift.act_count - len(shift.acts),
        "may_sign": services.may_sign(caller, team),
        "longest": services.NOTE,
    }
    return frame.draw(request, "console/handover/handover.html", context, page="handover")


@page_access.act(back="console_handover")
def sign(request: HttpRequest) -> HttpResponseBase:
    """Take the shift."""
    caller, now = of_session(request), timezone.now()
    team = whole(request.POST.get("team", "")) or 0
    try:
        since = datetime.fromisoformat(request.POST.get("since", ""))
    except ValueError:
        since = now
    since = min(max(since, now - services.FURTHEST), now) if since.tzinfo is not None else now - services.FURTHEST
    try:
        services.sign(caller, team, request.POST.get("note", ""), since, by=actor_of(request, caller), now=now)
    except BadAct as error:
        messages.warning(request, str(error))
        return page_access.done(request, reverse("console_handover"))
    return page_access.done(request, reverse("console_handover"), _("El turno es tuyo desde ahora."))


def _since(caller: Caller, team: Organisation, asked: str, now: datetime) -> datetime:
    if asked in words.SPANS:
        return now - words.SPANS[asked]
    last = services.last_of(team, (caller.user_id or 0) if asked == "mine" else None)
    return last.at if last is not None else now - _AT_FIRST
