"""How people get in, and their own pages. Every write goes through `services`; an answer with a secret in it is never kept by a cache.

Log-in, reset and change of address are allauth's flows, with our forms and words: see `adapter`.
"""

from typing import Any

from allauth.account import views as allauth
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.utils import complete_signup
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from croody.accounts import audit_trail, fresh_token, invitation_views, landing, mailer, preferences, services, throttle, tokens
from croody.accounts.caller import actor_of, is_local, of_session
from croody.accounts.forms import Login, NamedToken, NewToken, Password, Registration
from croody.accounts.lockout import locked_out
from croody.accounts.models import ProfilePicture, ShownMail, Token
from croody.accounts.rules import open_to

#: Whoever came in without naming a backend, as by a one-time login.
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class LogIn(allauth.LoginView):  # type: ignore[misc]
    """`/cuenta/acceder/`. Throttled by django-axes, which answers with `locked_out`."""

    form_class = Login
    template_name = "accounts/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether there is an account to make, and whether a link to a new password can be sent."""
        return {**super().get_context_data(**kwargs), "registration": settings.ENV.registration, "can_mail": mailer.can_mail()}


class LogOut(LogoutView):
    """`/cuenta/salir/`, by POST alone: who comes by a link is led to where the button is."""

    http_method_names = ("get", "post", "options")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nobody is signed out by an address."""
        return redirect("profile" if request.user.is_authenticated else "home")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Sign out; a token that was just made is shown no longer."""
        response = fresh_token.forget(super().post(request, *args, **kwargs))
        preferences.undress(response)
        return response

    def get_default_redirect_url(self) -> str:
        """Home, in the reader's language."""
        return reverse("home")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@open_to("anybody")
def register(request: HttpRequest) -> HttpResponse:
    """`/cuenta/registro/`. Throttled by address: each try costs a hash, tells which names are taken, and may make an account."""
    if request.user.is_authenticated:
        return redirect("profile")
    if not settings.ENV.registration and invitation_views.waiting_for(request) is None:
        return render(request, "accounts/closed.html", status=403)
    if request.method == "POST" and not throttle.may_register(throttle.address_of(request), now=timezone.now()):
        return locked_out(request)
    form = Registration(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _registered(request, form)
    return render(request, "accounts/register.html", {"form": form}, status=422 if form.errors else 200)


def _registered(request: HttpRequest, form: Registration) -> HttpResponse:
    """Lead on: to the mail that confirms the address, whether the address was free or not; without one right in."""
    if form.is_taken():
        answer: HttpResponse = prevent_enumeration(request, email=form.cleaned_data["email"])
        return answer
    user = form.save()
    if not user.email:
        messages.success(request, _("Tu cuenta está lista."))
    answer = complete_signup(request, user, None, reverse("invited" if invitation_views.waiting_for(request) else "profile"))
    return answer


class AskForReset(allauth.PasswordResetView):  # type: ignore[misc]
    """`/cuenta/contrasena/olvidada/`. Where no mail can be sent it says who helps."""

    template_name = "accounts/forgotten.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether a link can be sent."""
        return {**super().get_context_data(**kwargs), "can_mail": mailer.can_mail()}


class NoReplay:
    """Of a page that asks who one is once more: it leads back to where one was, and repeats no form, whose address may have a language."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        """Lead back."""
        self.request.session.pop(STATE_SESSION_KEY, None)
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return answer


class Again(NoReplay, allauth.ReauthenticateView):  # type: ignore[misc]
    """`/cuenta/otra-vez/`: the password once more."""

    template_name = "accounts/again.html"


@method_decorator(reauthentication_required(app="allauth.account"), name="dispatch")
class Address(allauth.EmailView):  # type: ignore[misc]
    """`/cuenta/correo/`: the address, and another one that waits for its confirmation."""

    template_name = "accounts/address.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether another one can be confirmed."""
        return {**super().get_context_data(**kwargs), "can_mail": mailer.can_mail()}


@never_cache
@require_GET
@open_to("anybody")
def shown_mail(request: HttpRequest) -> HttpResponse:
    """`/cuenta/buzon/`: what the demo would have mailed, for whoever sits at this machine. There is none where mail is sent."""
    if not (mailer.is_shown() and is_local(request)):
        raise Http404
    return render(request, "accounts/shown_mail.html", {"mails": ShownMail.objects.order_by("-pk"), "most": mailer.MOST_SHOWN})


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
            return redirect(landing.page_of(user))
    waits = request.method == "GET" and services.login_waits(token)
    return render(request, "accounts/one_time.html", {"waits": waits}, status=200 if waits else 410)


@never_cache
@login_required
@require_GET
@open_to("people")
def profile(request: HttpRequest) -> HttpResponse:
    """`/cuenta/perfil/`."""
    assert isinstance(request.user, User)
    return _profile(request, request.user, Password(request.user), fresh=fresh_token.of(request, request.user))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def reset_token(request: HttpRequest) -> HttpResponse:
    """GET asks whether to make a personal token, and says what it ends; POST makes it."""
    assert isinstance(request.user, User)
    said = request.POST if request.method == "POST" else request.GET
    # A program that names nothing gets a token for everything, as before there was a choice.
    form = NewToken(said if "choose" in said else {"scope": list(Token.Scope)})
    if not form.is_valid():
        return _profile(request, request.user, Password(request.user), new_token=form, status=422)
    if request.method == "GET":
        return render(request, "accounts/ask_reset.html", {"token": services.token_of(request.user), "form": form})
    fresh = services.reset_token(request.user, scopes=form.chosen(), actor=actor_of(request, of_session(request)))
    if "choose" in said:
        # The page that shows it can be loaded again, and in another language.
        return fresh_token.show(redirect("profile"), fresh)
    # A program follows no redirect.
    return _profile(request, request.user, Password(request.user), fresh=fresh)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def revoke_token(request: HttpRequest) -> HttpResponse:
    """GET asks whether to shut the personal token out; POST does it."""
    assert isinstance(request.user, User)
    token = services.token_of(request.user)
    if request.method == "GET" and token is not None:
        return render(request, "accounts/ask_revoke.html", {"token": token})
    if request.method == "POST" and services.revoke_token(request.user, actor=actor_of(request, of_session(request))):
        messages.success(request, _("La clave ya no funciona."))
    return fresh_token.forget(redirect("profile"))


@sensitive_post_parameters()
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def set_password(request: HttpRequest) -> HttpResponse:
    """A new password; sessions elsewhere end, this one goes on. The form is on the profile page."""
    assert isinstance(request.user, User)
    if request.method == "GET":
        return redirect(f"{reverse('profile')}#password")
    form = Password(request.user, request.POST)
    if not form.is_valid():
        return _profile(request, request.user, form, status=422)
    form.save()
    audit_trail.note(
        request.user, actor_of(request, of_session(request)), "change_password", "person", request.user.username, timezone.now()
    )
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Contraseña guardada. Las sesiones en otros aparatos se cerraron."))
    return fresh_token.forget(redirect("profile"))


def draw_profile(request: HttpRequest, *, named: NamedToken, status: int) -> HttpResponse:
    """The profile with a form that was refused."""
    assert isinstance(request.user, User)
    return _profile(request, request.user, Password(request.user), named=named, status=status)


def _profile(
    request: HttpRequest,
    user: User,
    form: Password,
    *,
    fresh: str = "",
    new_token: NewToken | None = None,
    named: NamedToken | None = None,
    status: int = 200,
) -> HttpResponse:
    several = tokens.personal(user, timezone.now())
    context = {
        "form": form,
        "picture": ProfilePicture.objects.filter(user=user).defer("webp").first(),
        "token": services.token_of(user),
        "fresh_token": fresh,
        "new_token": new_token or NewToken(),
        "tokens": several,
        "named_form": named or NamedToken(),
        "fresh_named": fresh_token.secret_of(request, {one.sha256 for one in several}),
    }
    return render(request, "accounts/profile.html", context, status=status)
