"""What one does on the fleet's page for oneself: favourites and saved views."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from croody.accounts.caller import of_session
from croody.console import page_access
from croody.console.fleet import own
from croody.console.fleet.selection import Selection
from croody.console.robot_edit.facts import robot_of
from croody.fleet.access import Action


@page_access.act(Action.INSPECT)
def star(request: HttpRequest, robot_id: str) -> HttpResponseBase:
    """Among the favourites, or no more; back to the view that was asked for."""
    caller = of_session(request)
    robot = robot_of(caller, Action.INSPECT, robot_id)
    back = reverse("console") + Selection.of({name: str(value) for name, value in request.POST.items()}).address()
    try:
        own.star(caller.user_id or 0, robot, bool(request.POST.get("on")))
    except own.TooMuch as error:
        messages.error(request, str(error))
        return HttpResponse(str(error), status=422) if request.headers.get("X-Fragment") else page_access.done(request, back)
    return HttpResponse(status=204) if request.headers.get("X-Fragment") else page_access.done(request, back)


@page_access.act()
def save(request: HttpRequest) -> HttpResponseBase:
    """Keep a view under a name, and show it."""
    asked = Selection.of({name: str(value) for name, value in request.POST.items()})
    try:
        view = own.save(of_session(request).user_id or 0, request.POST.get("name", ""), asked)
    except own.TooMuch as error:
        messages.error(request, str(error))
        return page_access.done(request, reverse("console") + asked.address())
    return page_access.done(request, reverse("console") + asked.address(), _("Vista guardada: %(name)s") % {"name": view.name})


@page_access.act()
def forget(request: HttpRequest, number: int) -> HttpResponseBase:
    """Drop a saved view."""
    if not own.forget(of_session(request).user_id or 0, number):
        raise Http404
    return page_access.done(request, reverse("console"), _("Vista quitada"))
