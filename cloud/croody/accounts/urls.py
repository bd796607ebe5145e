"""Addresses of people's own pages. Those named `account_...` and `mfa_...` are allauth's, which finds them by these names."""

from collections.abc import Callable
from typing import Any

from allauth.account import views as allauth
from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.views.decorators.cache import never_cache

from croody.accounts import invited, views
from croody.accounts.rules import open_to


def _anybody(view: type[Any], template: str = "") -> Callable[..., Any]:
    """One of allauth's pages, in our words, for whoever comes."""
    dressed: Callable[..., Any] = never_cache(view.as_view(template_name=template) if template else view.as_view())
    return open_to("anybody")(dressed)


def _people(view: type[Any], template: str = "") -> Callable[..., Any]:
    """One of allauth's pages, in our words, for who is signed in."""
    dressed: Callable[..., Any] = never_cache(login_required(view.as_view(template_name=template) if template else view.as_view()))
    return open_to("people")(dressed)


_log_in = _anybody(views.LogIn)
_log_out = open_to("anybody")(views.LogOut.as_view())

urlpatterns = [
    path("acceder/", _log_in, name="login"),
    path("acceder/", _log_in, name="account_login"),
    path("salir/", _log_out, name="logout"),
    path("salir/", _log_out, name="account_logout"),
    path("registro/", views.register, name="register"),
    path("registro/", views.register, name="account_signup"),
    path("confirmar/", _anybody(allauth.EmailVerificationSentView, "accounts/confirm_sent.html"), name="account_email_verification_sent"),
    re_path(r"^confirmar/(?P<key>[-:\w]+)/$", _anybody(allauth.ConfirmEmailView, "accounts/confirm.html"), name="account_confirm_email"),
    path("contrasena/olvidada/", _anybody(views.AskForReset), name="account_reset_password"),
    path(
        "contrasena/olvidada/enviada/",
        _anybody(allauth.PasswordResetDoneView, "accounts/forgotten_sent.html"),
        name="account_reset_password_done",
    ),
    re_path(
        r"^contrasena/nueva/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _anybody(allauth.PasswordResetFromKeyView, "accounts/new_password.html"),
        name="account_reset_password_from_key",
    ),
    path(
        "contrasena/nueva/",
        _anybody(allauth.PasswordResetFromKeyDoneView, "accounts/new_password_set.html"),
        name="account_reset_password_from_key_done",
    ),
    path("otra-vez/", _people(views.Again), name="account_reauthenticate"),
    path("correo/", _people(views.Address), name="account_email"),
    path("buzon/", views.shown_mail, name="shown_mail"),
    path("invitacion/", invited.invited, name="invited"),
    path("invitacion/<str:secret>/", invited.arrive, name="invitation"),
    path("entrar/<str:token>/", views.one_time_login, name="one_time_login"),
    path("perfil/", views.profile, name="profile"),
    path("perfil/clave/", views.reset_token, name="reset_token"),
    path("perfil/clave/revocar/", views.revoke_token, name="revoke_token"),
    path("perfil/contrasena/", views.set_password, name="set_password"),
]
