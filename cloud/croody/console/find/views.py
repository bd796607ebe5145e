"""`/console/find?q=`: a page by itself, and the list alone for the palette."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.console import frame, page_access
from croody.console.find import facts, words
from croody.web.address import typed


@require_GET
@page_access.page()
def find(request: HttpRequest) -> HttpResponseBase:
    """Robots, alarms, pages and acts that a few letters may mean. `on=`: the robot in view, whose acts come first."""
    text, on = typed(request.GET, "q"), typed(request.GET, "on")
    caller, now = of_session(request), timezone.now()
    found = facts.robots(caller, text, now)
    seen = [one for one in facts.robots(caller, on, now) if one.robot_id == on] if on else []
    alarms = facts.alarms(caller, text, words.kinds_named(text), now)
    about = seen or (found if text else [])
    allowed = facts.allowed(caller, about[0].robot_id) if about else frozenset()
    offered = [part["page"] for one in frame.rail("find", caller) for part in one["pages"]]
    answers = [*words.robots(found), *words.alarms(alarms), *words.pages(text, offered), *words.acts(about, allowed)]
    if request.headers.get("X-Fragment") == "palette":
        return render(request, "console/find/answers.html", {"answers": answers, "q": text})
    return frame.draw(request, "console/find/find.html", {"answers": answers, "q": text}, page="find")
