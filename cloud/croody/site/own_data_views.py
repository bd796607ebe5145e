"""`/cuenta/datos/`: take one's data along, ask to be forgotten, change one's mind."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from croody.accounts.caller import actor_of, of_session
from croody.accounts.rules import open_to
from croody.site import own_data
from croody.site.models import Leaving


@never_cache
@login_required
@open_to("people")
def page(request: HttpRequest) -> HttpResponseBase:
    """What one may do with one's data."""
    assert isinstance(request.user, User)
    leaving = Leaving.objects.filter(user=request.user).first()
    return render(request, "site/own_data.html", {"section": "profile", "leaving": leaving, "days": own_data.GRACE.days})


@never_cache
@login_required
@open_to("people")
def export(request: HttpRequest) -> HttpResponseBase:
    """All of it, as one JSON file."""
    assert isinstance(request.user, User)
    body = own_data.export(request.user)
    return JsonResponse(
        body,
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": 'attachment; filename="croody-data.json"'},
    )


@never_cache
@login_required
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]
@open_to("people")
def leave(request: HttpRequest) -> HttpResponseBase:
    """Ask for it; the page says until when one can change one's mind."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        try:
            own_data.ask_to_leave(request.user, actor=actor_of(request, of_session(request)), now=timezone.now())
        except own_data.OnlyOwner as refused:
            messages.error(request, str(refused))
    return redirect("own_data")


@never_cache
@login_required
@open_to("people")
def stay(request: HttpRequest) -> HttpResponseBase:
    """Change one's mind."""
    assert isinstance(request.user, User)
    if request.method == "POST" and own_data.stay(request.user, actor=actor_of(request, of_session(request)), now=timezone.now()):
        messages.success(request, _("Tu cuenta se queda."))
    return redirect("own_data")
