"""How a view of the console is guarded and how an act answers. Knows requests, no page.

Who is not signed in is sent to the log-in and comes back; what one may not know of is 404, what one sees and may not do is 403, and
while the database is away it is 503.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache

from croody.accounts.caller import Caller
from croody.accounts.rules import open_to
from croody.console import database_away
from croody.fleet.access import Action, need, robots
from croody.fleet.models import Robot
from croody.web.refusals import Denied

View = Callable[..., HttpResponseBase]
_PEOPLE: Final = "people"


def page(rule: str = _PEOPLE) -> Callable[[View], View]:
    """A page for people: `rule` is `people`, an action of `fleet.access` (about a robot) or an affair of `accounts.organisation_rules`."""
    return lambda view: open_to(rule)(never_cache(database_away.answering(login_required(_answering(view)))))


def act(rule: str = _PEOPLE, *, back: str = "console") -> Callable[[View], View]:
    """A form's address. Who types it is led to the page `back`, which is of the same robot where its address names one."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return HttpResponseRedirect(_address(back, kwargs))
            return view(request, *args, **kwargs)

        guarded.is_act = True  # type: ignore[attr-defined]  # What a test reads that plays each of them.
        return page(rule)(guarded)

    return guard


def robot(caller: Caller, action: Action, robot_id: str) -> Robot:
    """A robot that this caller works with, when they may do this to it. One that is only shared with everybody has no page here.

    Raises:
        Denied: 404, there is none; 403, they work with it and may not.
    """
    if "\x00" in robot_id or not robots(caller, Action.INSPECT).filter(pk=robot_id).exists():
        raise Denied(404, f"there is no robot {robot_id[:64]!r} that you work with")
    return need(caller, action, robot_id)


class SeeOther(HttpResponseRedirect):
    """After an act: 303, read the page there."""

    status_code = 303


def done(request: HttpRequest, address: str, said: str = "") -> HttpResponseBase:
    """The answer of an act: `said` once on the page at `address` (a URL name or an address of ours)."""
    if said:
        messages.info(request, said)
    return SeeOther(resolve_url(address))


def _answering(view: View) -> View:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Denied as refused:
            if refused.status == 403:
                raise PermissionDenied(refused.detail) from refused
            raise Http404(refused.detail) from refused

    return answered


def _address(name: str, kwargs: dict[str, Any]) -> str:
    """Of the page `name` about the same thing; about the same robot, where the address names something of it; of any."""
    robot = {key: value for key, value in kwargs.items() if key == "robot_id"}
    for about in (kwargs, robot):
        try:
            return reverse(name, kwargs=about)
        except NoReverseMatch:
            continue
    return reverse(name)
