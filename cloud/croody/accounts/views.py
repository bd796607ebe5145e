"""People's own pages. Every write goes through `services`; every answer with a secret in it is never kept by a cache."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from croody.accounts import services, throttle
from croody.accounts.forms import Login, NewToken, Password, Registration
from croody.accounts.models import Token
from croody.accounts.rules import open_to

#: Whoever came in without naming a backend, as by a one-time login.
BACKEND = "django.contrib.auth.backends.ModelBackend"


class LogIn(LoginView):
    """`/cuenta/acceder/`. Throttled by django-axes, which answers with `locked_out`."""

    form_class = Login
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether there is an account to make."""
        return super().get_context_data(registration=settings.ENV.registration, **kwargs)

    def get_default_redirect_url(self) -> str:
        """Where to go when the page before did not say."""
        return reverse("monitor")


class LogOut(LogoutView):
    """`/cuenta/salir/`, by POST alone."""

    def get_default_redirect_url(self) -> str:
        """Home, in the reader's language."""
        return reverse("home")


def locked_out(request: HttpRequest, *args: Any) -> HttpResponse:
    """Too many tries. The same answer whether the name exists or not."""
    response = render(request, "accounts/locked.html", status=429)
    response["Retry-After"] = str(int(throttle.WITHIN.total_seconds()))
    return response


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@open_to("anybody")
def register(request: HttpRequest) -> HttpResponse:
    """`/cuenta/registro/`. Throttled by address: each try costs a hash, tells which names are taken, and may make an account."""
    if request.user.is_authenticated:
        return redirect("profile")
    if not settings.ENV.registration:
        return render(request, "accounts/closed.html", status=403)
    if request.method == "POST" and not throttle.may_register(throttle.address_of(request), now=timezone.now()):
        return locked_out(request)
    form = Registration(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save(), backend=BACKEND)
        messages.success(request, _("Tu cuenta está lista."))
        return redirect("profile")
    return render(request, "accounts/register.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@open_to("anybody")
def one_time_login(request: HttpRequest, token: str) -> HttpResponse:
    """`/cuenta/entrar/<token>/`: a page with one button, so that a link preview does not use the login up."""
    if request.method == "POST":
        user = services.use_login(token)
        if user is not None:
            login(request, user, backend=BACKEND)
            if not user.has_usable_password():
                text = _("Entraste con un enlace de un solo uso. Pon una contraseña en tu perfil para volver cuando quieras.")
                messages.info(request, text)
            return redirect("monitor")
    waits = request.method == "GET" and services.login_waits(token)
    return render(request, "accounts/one_time.html", {"waits": waits}, status=200 if waits else 410)


@never_cache
@login_required
@require_GET
@open_to("people")
def profile(request: HttpRequest) -> HttpResponse:
    """`/cuenta/perfil/`."""
    assert isinstance(request.user, User)
    return _profile(request, request.user, Password(request.user))


@never_cache
@login_required
@require_POST
@open_to("people")
def reset_token(request: HttpRequest) -> HttpResponse:
    """A new personal token. It is in this answer alone: a redirect would have to keep it somewhere."""
    assert isinstance(request.user, User)
    # A program that names nothing gets a token for everything, as before there was a choice.
    form = NewToken(request.POST if "choose" in request.POST else {"scope": list(Token.Scope)})
    if not form.is_valid():
        return _profile(request, request.user, Password(request.user), new_token=form, status=422)
    fresh = services.reset_token(request.user, scopes=form.chosen())
    return _profile(request, request.user, Password(request.user), fresh_token=fresh)


@never_cache
@login_required
@require_POST
@open_to("people")
def revoke_token(request: HttpRequest) -> HttpResponse:
    """Shut the personal token out."""
    assert isinstance(request.user, User)
    if services.revoke_token(request.user):
        messages.success(request, _("La clave ya no funciona."))
    return redirect("profile")


@sensitive_post_parameters()
@never_cache
@login_required
@require_POST
@open_to("people")
def set_password(request: HttpRequest) -> HttpResponse:
    """A new password; sessions elsewhere end, this one goes on."""
    assert isinstance(request.user, User)
    form = Password(request.user, request.POST)
    if not form.is_valid():
        return _profile(request, request.user, form, status=422)
    form.save()
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Contraseña guardada. Las sesiones en otros aparatos se cerraron."))
    return redirect("profile")


def _profile(
    request: HttpRequest, user: User, form: Password, *, fresh_token: str = "", new_token: NewToken | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "token": services.token_of(user), "fresh_token": fresh_token, "new_token": new_token or NewToken()}
    return render(request, "accounts/profile.html", context, status=status)
