"""Rules and notices: the list, and a form a rule and a channel. A rule's form says what it would have told before it is saved."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from croody.accounts.caller import actor_of, of_session
from croody.alarms.kinds import SEVERITIES
from croody.console import frame, page_access
from croody.console.rules import area, facts, forms, words
from croody.fleet.access import Action
from croody.notices import jobs, messenger, services, spec
from croody.notices.models import Channel, Rule
from croody.notices.preview import preview
from croody.notices.spec import BadRule
from croody.telemetry.read import metrics


@require_GET
@page_access.page()
def rules(request: HttpRequest) -> HttpResponseBase:
    """What there is, what it says now, and what became of what was told."""
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    found = facts.overview(caller, now)
    context: dict[str, Any] = {
        "sentence": words.sentence(found, language),
        "rules": [words.rule(row, found.firing.get(row.pk, 0), row.organisation_id in found.mine, now, language) for row in found.rules],
        "channels": [
            words.channel(row, row.person_id is not None or row.organisation_id in found.mine, language) for row in found.channels
        ],
        "log": [words.notice(row, language) for row in found.log],
        "deleted": [words.deleted(row, now, language) for row in found.deleted],
        "may": bool(found.mine),
        "has_own": {row.kind for row in found.channels if row.person_id is not None},
        "several": found.several,
        "kinds": words.KINDS.items(),
    }
    return frame.draw(request, "console/rules/rules.html", context, page="rules")


@page_access.page(Action.CONFIGURE)
def new_rule(request: HttpRequest) -> HttpResponseBase:
    """The form of a new rule."""
    services.check_may_configure(of_session(request))
    return _rule_form(request, None)


@page_access.page()
def rule(request: HttpRequest, number: int) -> HttpResponseBase:
    """The form of a rule."""
    return _rule_form(request, services.rule_of(of_session(request), number))


@page_access.page(Action.CONFIGURE)
def new_channel(request: HttpRequest) -> HttpResponseBase:
    """The form of a new channel."""
    services.check_may_configure(of_session(request))
    return _channel_form(request, None)


@page_access.page()
def channel(request: HttpRequest, number: int) -> HttpResponseBase:
    """The form of a channel."""
    row = services.channel_of(of_session(request), number)
    if row.person_id is not None:
        return page_access.done(request, f"{reverse(words.OWN[row.kind])}?team={row.organisation.slug}")
    return _channel_form(request, row)


def _rule_form(request: HttpRequest, row: Rule | None) -> HttpResponseBase:
    caller, now, language = of_session(request), timezone.now(), get_language() or "es"
    by = actor_of(request, caller)
    given = forms.given(request, row, forms.as_form)
    kind = row.kind if row is not None else str(given.get("kind") or "threshold")
    kind = kind if kind in words.KINDS else "threshold"
    given |= {"kind": kind}
    context: dict[str, Any] = {"preview": None, "error": None, "errors": {}}
    if request.method == "POST":
        try:
            if "preview" not in request.POST:
                made = services.save_rule(caller, given, row, by=by, now=now)
                return page_access.done(
                    request, "console_rules", _("Regla «%(name)s» guardada: se juzga en segundos.") % {"name": made.name}
                )
            looked = services.draft(caller, given, row, by=by, now=now)
            robots = list(jobs.scope_of(looked).values_list("pk", flat=True)[:10_000])
            found = preview(spec.read(looked.kind, looked.params), looked.for_s, robots, now)
            context["preview"] = words.preview(found, now, language)
        except BadRule as error:
            context |= {"error": error, "errors": error.fields}
    choices = facts.choices(caller, row.organisation_id if row is not None else None)
    context |= {
        "form": given,
        "row": {"number": row.pk, "name": row.name} if row is not None else None,
        "kinds": [(code, word, code == kind) for code, word in words.KINDS.items()],
        "choices": choices,
        "metrics": [(name, metrics.describe(name).label(language)) for name in choices.metrics],
        "severities": SEVERITIES.items(),
        "action": request.path,
        **(area.drawn(given, choices.sites) if kind == Rule.Kind.FENCE else {}),
    }
    return frame.draw(request, "console/rules/rule.html", context, page="rules", status=422 if context["error"] else 200)


def _channel_form(request: HttpRequest, row: Channel | None) -> HttpResponseBase:
    caller, now = of_session(request), timezone.now()
    given = forms.given(request, row, forms.as_channel_form)
    kind = row.kind if row is not None else str(given.get("kind") or "mail")
    kind = kind if kind in words.CHANNELS else "mail"
    given |= {"kind": kind}
    if row is None and request.method == "GET":
        given |= forms.as_they_read(request)
    context: dict[str, Any] = {"error": None, "errors": {}, "own_zone": forms.asks_browser(request, row)}
    if request.method == "POST":
        try:
            made = services.save_channel(caller, given, row, by=actor_of(request, caller), now=now)
        except BadRule as error:
            context |= {"error": error, "errors": error.fields}
        else:
            if made.secret and row is None:
                # Shown once: it is nowhere else to be read.
                return frame.draw(request, "console/rules/secret.html", {"name": made.name, "secret": made.secret}, page="rules")
            messages.info(request, _("Canal «%(name)s» guardado. Pruébalo.") % {"name": made.name})
            return page_access.done(request, reverse("console_rules"))
    context |= {
        "form": given,
        "row": {"number": row.pk, "name": row.name, "target": words.masked(row)} if row is not None else None,
        "kinds": [(code, word, code == kind) for code, word in words.CHANNELS.items()],
        "choices": facts.choices(caller, row.organisation_id if row is not None else None),
        "services": messenger.SERVICES.items(),
        "severities": SEVERITIES.items(),
        "action": request.path,
    }
    return frame.draw(request, "console/rules/channel.html", context, page="rules", status=422 if context["error"] else 200)
