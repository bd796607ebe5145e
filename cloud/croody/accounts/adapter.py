"""What allauth asks of a site: who may sign up, which words it uses, where it sends people, how it mails. Web role alone.

allauth has the flows (confirmation, reset, second factor); axes counts tries of passwords; the words are ours.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

import segno
from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts import landing, mail_texts, mailer, throttle

_REFUSED: Final = gettext_lazy("Nombre o contraseña no coinciden. Revisa las mayúsculas.")
#: allauth's name of a refusal -> our words.
_REFUSALS: Final[Mapping[str, str | Promise]] = {
    "account_inactive": _REFUSED,
    "username_password_mismatch": _REFUSED,
    "email_password_mismatch": _REFUSED,
    "invalid_login": _REFUSED,
    "incorrect_password": gettext_lazy("No es tu contraseña actual. Escríbela otra vez."),
    "duplicate_email": gettext_lazy("Ya es la dirección de esta cuenta: escribe otra."),
    "email_taken": gettext_lazy("Otra cuenta tiene esa dirección: usa otra, o entra con ella."),
    "max_email_addresses": gettext_lazy("Esta cuenta no admite más direcciones: quita una primero."),
    "invalid_password_reset": gettext_lazy("Este enlace ya no sirve: pide otro."),
    "too_many_login_attempts": gettext_lazy("Demasiados intentos seguidos. Espera cinco minutos y prueba otra vez."),
    "rate_limited": gettext_lazy("Demasiados intentos seguidos. Espera cinco minutos y prueba otra vez."),
    "incorrect_code": gettext_lazy("Ese código no es. Los de la aplicación cambian cada 30 segundos; los de recuperación sirven una vez."),
    "unverified_email": gettext_lazy("Confirma primero tu dirección de correo."),
    "add_email_blocked": gettext_lazy("Quita primero el segundo factor, o pide a quien administra el sitio que cambie la dirección."),
}
#: allauth's name of a message after an act -> our words; what is not here is not said.
_SAID: Final[Mapping[str, str | Promise]] = {
    "account/messages/email_confirmation_sent.txt": gettext_lazy("Te escribimos a %(email)s: abre el enlace del correo."),
    "account/messages/email_confirmed.txt": gettext_lazy("Dirección confirmada: %(email)s."),
    "account/messages/email_confirmation_failed.txt": gettext_lazy("%(email)s ya es de otra cuenta: usa otra dirección."),
    "account/messages/email_deleted.txt": gettext_lazy("Dirección quitada: %(email)s."),
    "account/messages/cannot_delete_primary_email.txt": gettext_lazy("%(email)s es tu única dirección: pon otra antes de quitarla."),
    "account/messages/password_changed.txt": gettext_lazy("Contraseña guardada. Las sesiones en otros aparatos se cerraron."),
    "mfa/messages/totp_activated.txt": gettext_lazy("Segundo factor activado."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("Segundo factor desactivado."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("Códigos nuevos. Los anteriores ya no sirven."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("Llave de acceso agregada."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("Llave de acceso quitada."),
}

#: Ways to show once more who one is.
_WAYS: Final[Mapping[str, str | Promise]] = {
    "reauthenticate": gettext_lazy("Usar la contraseña"),
    "mfa_reauthenticate": gettext_lazy("Usar un código"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Usar una llave de acceso"),
}


class ConfirmedAddress(EmailVerificationStage):  # type: ignore[misc]
    """Who signed up with an address confirms it before they get in. Who has none, as the demo's operator, has none to confirm."""

    def handle(self) -> tuple[Any, bool]:
        """Go on, or lead to where the mail is spoken of."""
        user = self.login.user
        if user is not None and (not user.email or not mailer.can_mail()):
            return None, True
        response, goes_on = super().handle()
        return response, goes_on


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's `ACCOUNT_ADAPTER`."""

    error_messages: Final = {**DefaultAccountAdapter.error_messages, **_REFUSALS}

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether anybody may make an account."""
        return bool(settings.ENV.registration)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where somebody who came to log in, and to nothing else, goes on."""
        return reverse(landing.page_of(request.user))

    def get_login_stages(self) -> list[str]:
        """allauth's, with ours in place of its own about addresses."""
        own = {"allauth.account.stages.EmailVerificationStage": "croody.accounts.adapter.ConfirmedAddress"}
        return [own.get(stage, stage) for stage in super().get_login_stages()]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Tries of passwords are axes' to count, by name and address."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Who shows this name and password; nobody, when they were shut out: a page of their own would tell that the password is right."""
        user = super().authenticate(request, **credentials)
        return user if isinstance(user, User) and user.is_active else None

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever has something to show shows it once more before a grave act, unless they just came in with it.

        Who came in by a link has nothing to show.
        """
        user = self.request.user
        just_now = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
        if any(one["at"] > just_now and one["method"] in {"password", "mfa"} for one in get_authentication_records(self.request, user)):
            return False
        return bool(user.has_usable_password() or Authenticator.objects.filter(user_id=user.pk).exists())

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """allauth's, in our words."""
        return [{**one, "description": str(_WAYS[one["id"]])} for one in super().get_reauthentication_methods(user)]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address as everywhere else."""
        return throttle.address_of(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """One mail in our words. When it could not be handed over the page says so."""
        subject, body = mail_texts.WORDS[template_prefix](context)
        if not mailer.send(email, subject, body):
            messages.error(self.request, _("El correo no se pudo enviar. Prueba más tarde o avisa a quien administra el sitio."))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """One message in our words; those that say nothing new are left out."""
        text = message or str(_SAID.get(message_template or "", "")) % (message_context or {})
        if text:
            messages.add_message(request, level, text, extra_tags=extra_tags)


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's `MFA_ADAPTER`. Secrets of second factors are kept encrypted by the site's key: a copy of the database has none."""

    error_messages: Final = {**DefaultMFAAdapter.error_messages, **_REFUSALS}

    def encrypt(self, text: str) -> str:
        """As it is kept."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it is; of what another site key encrypted, something random, with which no code agrees."""
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def build_totp_svg(self, url: str) -> str:
        """The drawing that a phone reads, without colours or styles of its own."""
        return segno.make(url, error="m").svg_inline(omitsize=True, border=4, svgclass="qr", lineclass="qr-line")

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """What a new passkey is called, until its owner calls it something else."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Llave %(number)s") % {"number": count + 1}


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"croody second factors " + settings.SECRET_KEY.encode()).digest()))
