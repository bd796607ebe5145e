"""What the page does: say what an incident was, end an exception, confirm a calibration. Each by the function that the API calls too."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.detection import incident_words as words
from croody.console.detection.selection import Selection
from croody.console.page_access import SeeOther, act, done
from croody.detection.incidents import calibrations, exceptions, verdicts
from croody.detection.incidents.verdicts import BadVerdict
from croody.web.address import whole

_HERE = "console_detection"


@act(back=_HERE)
def verdict(request: HttpRequest, number: int) -> HttpResponseBase:
    """What an incident was; from its alarm, back to that."""
    caller, form = of_session(request), request.POST
    where = _back(request, f"incident-{number}")
    options = {"scope": form.get("scope") or None, "days": whole(form.get("days", ""), 3) or None}
    try:
        found = verdicts.say(caller, number, form.get("verdict", ""), actor=actor_of(request, caller), now=timezone.now(), **options)  # type: ignore[arg-type]
    except BadVerdict as error:
        messages.error(request, str(error))
        return SeeOther(where)
    said = words.SAY.get(found.verdict)
    return done(request, where, _("Anotado: %(said)s") % {"said": said} if said else _("Ya no está dicho qué era."))


@act(back=_HERE)
def end_exception(request: HttpRequest, number: int) -> HttpResponseBase:
    """Let its like be told again."""
    caller = of_session(request)
    found = exceptions.end(caller, number, actor=actor_of(request, caller), now=timezone.now())
    return done(request, _back(request, "exceptions-head"), _("Excepción terminada: %(who)s") % {"who": found.offender})


@act(back=_HERE)
def confirm(request: HttpRequest, number: int) -> HttpResponseBase:
    """It still holds, with what is there now."""
    caller = of_session(request)
    found = calibrations.confirm(caller, number, actor=actor_of(request, caller), now=timezone.now())
    return done(request, _back(request, "ordinary-head"), _("Confirmado lo habitual de %(site)s") % {"site": found.site.name})


def _back(request: HttpRequest, place: str) -> str:
    """The alarm that it was said on, else the part of the list that was looked at."""
    alarm = whole(request.POST.get("alarm", ""))
    if alarm:
        return reverse("console_alert", args=[alarm])
    asked = Selection.of(request.GET.dict())
    return f"{reverse(_HERE)}{asked.address(page=asked.page)}#{place}"
