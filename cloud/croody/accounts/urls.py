"""Addresses of people's own pages. Those named `account_...` and `mfa_...` are allauth's, which finds them by these names."""

from collections.abc import Callable
from typing import Any

from allauth.account import views as allauth
from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from croody.accounts import invitation_views, preferences, profile_picture, second_factor_views, token_views, views
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
    path("", open_to("anybody")(RedirectView.as_view(pattern_name="profile"))),
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
    path("invitacion/", invitation_views.invited, name="invited"),
    path("invitacion/<str:secret>/", invitation_views.arrive, name="invitation"),
    path("entrar/<str:token>/", views.one_time_login, name="one_time_login"),
    path("sesiones/", second_factor_views.sessions, name="sessions"),
    path("segundo-factor/", _people(second_factor_views.Index), name="mfa_index"),
    path("segundo-factor/entrar/", _anybody(base.AuthenticateView, "accounts/mfa/enter.html"), name="mfa_authenticate"),
    path("segundo-factor/otra-vez/", _people(second_factor_views.Again), name="mfa_reauthenticate"),
    path("segundo-factor/aplicacion/", _people(totp.ActivateTOTPView, "accounts/mfa/add_app.html"), name="mfa_activate_totp"),
    path("segundo-factor/aplicacion/quitar/", _people(totp.DeactivateTOTPView, "accounts/mfa/remove_app.html"), name="mfa_deactivate_totp"),
    path("segundo-factor/codigos/", _people(second_factor_views.Codes), name="mfa_view_recovery_codes"),
    path(
        "segundo-factor/codigos/nuevos/",
        _people(recovery.GenerateRecoveryCodesView, "accounts/mfa/new_codes.html"),
        name="mfa_generate_recovery_codes",
    ),
    path("llaves/", _people(keys.ListWebAuthnView, "accounts/mfa/keys.html"), name="mfa_list_webauthn"),
    path("llaves/agregar/", _people(second_factor_views.AddKey), name="mfa_add_webauthn"),
    path("llaves/otra-vez/", _people(second_factor_views.KeyAgain), name="mfa_reauthenticate_webauthn"),
    path("llaves/entrar/", _anybody(keys.LoginWebAuthnView), name="mfa_login_webauthn"),
    path("llaves/<int:pk>/quitar/", _people(keys.RemoveWebAuthnView, "accounts/mfa/remove_key.html"), name="mfa_remove_webauthn"),
    path("perfil/", views.profile, name="profile"),
    path("perfil/clave/", views.reset_token, name="reset_token"),
    path("perfil/clave/revocar/", views.revoke_token, name="revoke_token"),
    path("perfil/claves/", token_views.make, name="make_token"),
    path("perfil/claves/<int:number>/revocar/", token_views.revoke, name="revoke_one_token"),
    path("foto/", profile_picture.change, name="profile_picture"),
    path("foto/<slug:digest>.webp", profile_picture.file, name="profile_picture_file"),
    path("preferencias/", preferences.page, name="preferences"),
    path("perfil/contrasena/", views.set_password, name="set_password"),
]
