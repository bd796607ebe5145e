"""What reaches oneself, and nobody else: by mail, and in one's browsers."""

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts import user_agents
from croody.accounts.caller import Caller, actor_of, of_session
from croody.accounts.models import Organisation
from croody.accounts.preferences import look
from croody.alarms.kinds import SEVERITIES
from croody.console import frame, page_access
from croody.console.rules import forms
from croody.fleet.access import Action, organisations
from croody.notices import browsers, services
from croody.notices.models import Channel
from croody.notices.spec import BadRule
from croody.web.refusals import Denied

#: A subscription has a few hundred characters.
_LONGEST: Final = 4000
_PUSH: Final = Channel.Kind.PUSH


@page_access.page()
def by_mail(request: HttpRequest) -> HttpResponseBase:
    """Which alarms reach oneself by mail, and when."""
    caller = of_session(request)
    team = _team(caller, request.GET.get("team", ""))
    answer, context = _form(request, caller, team, Channel.Kind.MAIL, _("Guardado: así te avisamos a ti."))
    context["address"] = services.mail_of(caller.user_id or 0)
    return answer or frame.draw(request, "console/rules/own.html", context, page="rules", status=422 if context["error"] else 200)


@page_access.page()
def in_browsers(request: HttpRequest) -> HttpResponseBase:
    """Which alarms one's browsers show, when, and which browsers these are."""
    caller, now = of_session(request), timezone.now()
    team = _team(caller, request.GET.get("team", ""))
    answer, context = _form(request, caller, team, _PUSH, _("Guardado: así te avisan tus navegadores."))
    context |= {"browsers": browsers.of(caller.user_id or 0), "key": browsers.public_key(now)}
    return answer or frame.draw(request, "console/rules/browsers.html", context, page="rules", status=422 if context["error"] else 200)


@page_access.act(back="console_own_browsers")
def subscribe(request: HttpRequest) -> HttpResponseBase:
    """Keep the browser that this comes from, and begin to tell it what its person has not chosen otherwise."""
    caller, now = of_session(request), timezone.now()
    by, team = actor_of(request, caller), _team(caller, request.POST.get("team", ""))
    back = f"{reverse('console_own_browsers')}?team={team.slug}"
    try:
        given = json.loads(request.POST.get("subscription", "")[:_LONGEST])
        name = user_agents.words(request.headers.get("User-Agent", ""))[:80]
        browsers.subscribe(caller.user_id or 0, given if isinstance(given, dict) else {}, name, by=by, now=now)
        if services.own_channel(caller, team, _PUSH) is None:
            begins = forms.as_they_read(request) | {"severity": "medium", "enabled": "on", "tells_end": "on"}
            # The browser knows its zone; a preference goes before.
            zone = begins["time_zone"] if look(request)["look"].zone else request.POST.get("time_zone", "")[:64]
            services.save_own_channel(caller, team, {**begins, "time_zone": zone}, _PUSH, by=by, now=now)
    except BadRule as error:
        messages.error(request, str(error))
        return page_access.done(request, back)
    except (ValueError, RecursionError):
        messages.error(request, _("navegador: lo que llegó no es una suscripción: inténtalo de nuevo"))
        return page_access.done(request, back)
    return page_access.done(request, back, _("Este navegador queda apuntado. Pruébalo, y elige abajo qué te llega."))


@page_access.act(back="console_own_browsers")
def forget(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take one of one's browsers off the list."""
    caller = of_session(request)
    if not browsers.forget(caller.user_id or 0, number, by=actor_of(request, caller), now=timezone.now()):
        raise Denied(404, f"you have no browser {number}")
    return page_access.done(request, "console_own_browsers", _("Navegador quitado: ahí no llega nada más."))


def _team(caller: Caller, slug: str) -> Organisation:
    """The one that is asked for, or the first.

    Raises:
        Denied: 404, they are in none.
    """
    teams = _teams(caller)
    if not teams:
        raise Denied(404, "organisation: you are in none")
    return next((one for one in teams if one.slug == slug), teams[0])


def _teams(caller: Caller) -> list[Organisation]:
    return list(organisations(caller, Action.INSPECT).order_by("name", "pk")[:200])


def _form(
    request: HttpRequest, caller: Caller, team: Organisation, kind: str, saved: str
) -> tuple[HttpResponseBase | None, dict[str, Any]]:
    """An answer when something was saved, and what the page shows otherwise."""
    row = services.own_channel(caller, team, kind)
    given = forms.given(request, row, forms.as_channel_form)
    if row is None and request.method == "GET":
        given |= forms.as_they_read(request)
    error = None
    if request.method == "POST":
        try:
            services.save_own_channel(caller, team, given, kind, by=actor_of(request, caller), now=timezone.now())
            return page_access.done(request, "console_rules", saved), {}
        except BadRule as refused:
            error = refused
    teams = _teams(caller)
    return None, {
        "form": given,
        "error": error,
        "errors": error.fields if error else {},
        "row": {"number": row.pk} if row is not None else None,
        "team": team,
        "teams": [(one, one == team) for one in teams] if len(teams) > 1 else [],
        "severities": SEVERITIES.items(),
        "own_zone": forms.asks_browser(request, row),
    }
