"""`/cuenta/perfil/claves/...`: a person's tokens by name, made, shown once, and revoked one by one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from croody.accounts import fresh_token, tokens
from croody.accounts.caller import actor_of, of_session
from croody.accounts.forms import NamedToken
from croody.accounts.models import Token
from croody.accounts.rules import open_to
from croody.accounts.views import draw_profile


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def make(request: HttpRequest) -> HttpResponse:
    """A new token; the profile shows it."""
    if request.method == "GET":
        return redirect(f"{reverse('profile')}#tokens")
    assert isinstance(request.user, User)
    form, actor = NamedToken(request.POST), actor_of(request, of_session(request))
    if not form.is_valid():
        return draw_profile(request, named=form, status=422)
    try:
        secret = tokens.make_personal(request.user, form.cleaned_data["name"], now=timezone.now(), actor=actor, **form.values())[1]
    except tokens.TooMany as refused:
        form.add_error(None, str(refused))
        return draw_profile(request, named=form, status=422)
    return fresh_token.show(redirect(f"{reverse('profile')}#tokens"), secret)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """GET asks whether to shut one token out; POST does it."""
    assert isinstance(request.user, User)
    token = get_object_or_404(Token, pk=number, user=request.user, revoked_at=None)
    if request.method == "GET":
        return render(request, "accounts/ask_revoke.html", {"token": token, "action": request.path})
    if tokens.revoke(token, now=timezone.now(), actor=actor_of(request, of_session(request))):
        messages.success(request, _("La clave ya no funciona."))
    return fresh_token.forget(redirect(f"{reverse('profile')}#tokens"))
