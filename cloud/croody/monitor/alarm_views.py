"""`/robots/monitor/alertas/`: everything open, and closing one of them. What may be closed by whom is `alarms.services`' business."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from croody.accounts.caller import Caller, actor_of, of_session
from croody.accounts.rules import open_to
from croody.alarms.acts import close_as
from croody.alarms.services import EndsByItself
from croody.fleet.access import Action, robots
from croody.monitor import alarm_facts, alarm_words, team
from croody.web.address import page_number, typed
from croody.web.refusals import Denied


@never_cache
@require_GET
@open_to(Action.INSPECT)
def alarms(request: HttpRequest) -> HttpResponse:
    """Open alarms of all robots that the person works with, or of one of them; what ended last; what jobs set aside."""
    caller = _insider(request)
    robot_id = typed(request.GET, "robot")
    found = alarm_facts.page(caller, robot_id, page_number(request.GET.get("pagina", "")))
    now, language = timezone.now(), get_language() or "es"
    context: dict[str, Any] = {
        "section": "monitor",
        "robot_id": robot_id,
        "sentence": alarm_words.sentence(found.count, language),
        "rows": alarm_words.rows(found, now, language),
        "over": alarm_words.rows(alarm_facts.over(caller, robot_id), now, language),
        "aside": alarm_words.aside(alarm_facts.aside(caller, robot_id), now),
        "page": found.page,
        "pages": found.pages,
        "previous": found.page - 1,
        "next": found.page + 1 if found.page < found.pages else 0,
    }
    return render(request, "monitor/alarms_page.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@open_to(Action.ACT)
def close(request: HttpRequest, number: int) -> HttpResponse:
    """Close one. Back to where the person was; a script that asks for the section alone gets that."""
    caller = _insider(request)
    if request.method != "POST":
        return redirect("monitor_alarms")
    language = get_language() or "es"
    try:
        said = alarm_words.closed(close_as(caller, number, timezone.now(), actor=actor_of(request, caller)), language)
    except EndsByItself:
        said = _("Esta alerta termina sola cuando pasa su causa; cerrada ahora, volvería enseguida.")
    except Denied as refused:
        if refused.status == 403:
            raise PermissionDenied from refused
        raise Http404 from refused
    if request.headers.get("X-Fragment") == "team":
        return team.section(request, said=said)
    messages.info(request, said)
    return redirect("monitor" if request.POST.get("de") == "monitor" else "monitor_alarms")


def _insider(request: HttpRequest) -> Caller:
    caller = of_session(request)
    if not robots(caller, Action.INSPECT).exists():
        raise Http404
    return caller
