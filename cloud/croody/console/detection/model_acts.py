"""What a person does with a model on the page: into the shadow, promoted, back, or in no use."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.detection.model_words import STATES
from croody.console.page_access import SeeOther, act, done
from croody.detection.site_models import registry
from croody.detection.site_models.refusal import Refused

_HERE = "console_detection"


@act(back=_HERE)
def put(request: HttpRequest, number: int) -> HttpResponseBase:
    """Into the state that the form says."""
    caller, where = of_session(request), f"{reverse(_HERE)}#site-models-head"
    try:
        row = registry.put(caller, number, request.POST.get("state", ""), actor=actor_of(request, caller), now=timezone.now())
    except Refused as error:
        messages.error(request, str(error))
        return SeeOther(where)
    return done(request, where, _("Modelo %(number)s: %(state)s") % {"number": row.pk, "state": STATES[row.state]})
