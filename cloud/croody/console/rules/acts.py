"""What the forms of the list do: each by the one function of `notices.services`."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console import page_access
from croody.notices import services
from croody.notices.spec import BadRule


@page_access.act(back="console_rules")
def delete_rule(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take a rule away, with what it raised."""
    caller = of_session(request)
    services.delete_rule(caller, number, by=actor_of(request, caller), now=timezone.now())
    said = _("Regla borrada; lo que avisaba terminó. Abajo, en «Borradas», se trae de vuelta.")
    return page_access.done(request, "console_rules", said)


@page_access.act(back="console_rules")
def bring_rule_back(request: HttpRequest, number: int) -> HttpResponseBase:
    """Let a deleted rule judge again."""
    caller = of_session(request)
    try:
        row = services.bring_rule_back(caller, number, by=actor_of(request, caller), now=timezone.now())
    except BadRule as error:
        messages.error(request, str(error))
        return page_access.done(request, "console_rules")
    return page_access.done(request, "console_rules", _("Regla «%(name)s» de vuelta: se juzga en segundos.") % {"name": row.name})


@page_access.act(back="console_rules")
def delete_channel(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take a channel away, with its log."""
    caller = of_session(request)
    services.delete_channel(caller, number, by=actor_of(request, caller), now=timezone.now())
    return page_access.done(request, "console_rules", _("Canal borrado."))


@page_access.act(back="console_rules")
def test_channel(request: HttpRequest, number: int) -> HttpResponseBase:
    """Send a test through it; the log says what became of it."""
    caller = of_session(request)
    try:
        services.test_channel(caller, number, by=actor_of(request, caller), now=timezone.now())
    except BadRule as error:
        messages.warning(request, str(error))
        return page_access.done(request, "console_rules")
    return page_access.done(request, "console_rules", _("Prueba en camino: el registro dice en segundos qué fue de ella."))
