"""`/console/system/`: for who keeps Croody going."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import frame, page_access
from croody.console.system import words
from croody.console.system.look import look
from croody.fleet.access import Action, names_of, organisations
from croody.web.refusals import Denied


@require_GET
@page_access.page(Action.CONFIGURE)
def system(request: HttpRequest) -> HttpResponseBase:
    """Is Croody itself well.

    Raises:
        Denied: 403, whoever configures no organisation's robots keeps no site going.
    """
    caller, now = of_session(request), timezone.now()
    if not caller.superuser and not organisations(caller, Action.CONFIGURE).exists():
        raise Denied(403, f"system: only {names_of(Action.CONFIGURE)} see how Croody itself is")
    found = words.page(look(caller, now), get_language() or "es", runs_it=caller.superuser)
    return frame.draw(request, "console/system/system.html", {"found": found, "seen": now}, page="system")
