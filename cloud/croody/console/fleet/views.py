"""`/console/`. Facts come from `facts`, the page from `page`."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import door, frame
from croody.console.fleet import facts
from croody.console.fleet import page as pages
from croody.console.fleet.selection import Selection, select
from croody.monitor.gaps import Gaps


@require_GET
@door.page()
def fleet(request: HttpRequest) -> HttpResponseBase:
    """Does any robot need me, which, why, since when."""
    now = timezone.now()
    roster = facts.roster(of_session(request), now)
    asked = Selection.of(request.GET.dict())
    shown = select(roster.robots, asked)
    known = pages.Known(facts.entries(shown.robots), facts.reasons([robot.robot_id for robot in shown.robots if robot.alerts]))
    context = pages.fleet(roster, asked, shown, known, pages.Rows(now, get_language() or "es", Gaps()))
    return frame.draw(request, "console/fleet/fleet.html", context, page="fleet")
