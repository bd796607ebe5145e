"""`/cuenta/invitacion/...`: where an invitation leads. The secret leaves the address at once; the session keeps only its hash."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from croody.accounts import invitations
from croody.accounts.caller import actor_of, of_session
from croody.accounts.models import Invitation
from croody.accounts.rules import open_to
from croody.accounts.services import sha256_of

_KEY = "invitation"


def waiting_for(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser came by, while it still lets somebody in."""
    digest = request.session.get(_KEY)
    return invitations.waiting(timezone.now()).filter(sha256=digest).first() if digest else None


@never_cache
@require_GET
@open_to("anybody")
def arrive(request: HttpRequest, secret: str) -> HttpResponse:
    """By the link. It uses nothing up."""
    request.session[_KEY] = sha256_of(secret)
    return redirect("invited")


@never_cache
@require_http_methods(["GET", "POST"])
@open_to("anybody")
def invited(request: HttpRequest) -> HttpResponse:
    """Who invites, into what, as what; a button for who is signed in, the ways in for who is not."""
    found = waiting_for(request)
    if found is None:
        return render(request, "accounts/invited.html", {"invitation": None}, status=410)
    user = request.user
    if request.method == "GET" or not isinstance(user, User):
        return render(request, "accounts/invited.html", {"invitation": found})
    try:
        joined = invitations.accept(found.sha256, user, now=timezone.now(), actor=actor_of(request, of_session(request)))
    except invitations.AlreadyIn as refused:
        messages.info(request, str(refused))
        return redirect("console")
    request.session.pop(_KEY, None)
    if joined is None:
        return render(request, "accounts/invited.html", {"invitation": None}, status=410)
    messages.success(request, _("Ya estás en %(name)s.") % {"name": joined.name})
    return redirect("console")
