"""What each mail says, in the reader's language: its subject and its text. Pure; how mail leaves is `mailer`'s."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Text(NamedTuple):
    """A mail's subject, on one line, and its text."""

    subject: str
    body: str


def _letter(subject: str, *paragraphs: str) -> Text:
    return Text(subject, "\n\n".join((*paragraphs, _("Croody solo te escribe sobre tu cuenta. No hace falta que respondas."))))


def _confirm(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Confirma tu dirección de correo"),
        _("Alguien, seguramente tú, dio esta dirección a Croody. Si fuiste tú, abre este enlace y pulsa el botón; sirve tres días:"),
        str(about["activate_url"]),
        _("Si no fuiste tú, no hagas nada: sin confirmar no pasa nada."),
    )


def _reset(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Pon una contraseña nueva"),
        _("Alguien, seguramente tú, pidió una contraseña nueva para la cuenta %(name)s. Ponla aquí:") % {"name": about["username"]},
        str(about["password_reset_url"]),
        _("Si no fuiste tú, no hagas nada: la contraseña de ahora sigue sirviendo."),
    )


def _unknown(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Aquí no hay cuenta con esta dirección"),
        _("Alguien, seguramente tú, pidió una contraseña nueva con esta dirección, y ninguna cuenta la tiene."),
        _("Tal vez la diste con otra dirección o sin ninguna: pide entonces un enlace de entrada a quien administra el sitio."),
    )


def _exists(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Ya tienes una cuenta"),
        _("Alguien, seguramente tú, quiso crear una cuenta con esta dirección, y ya hay una. Si olvidaste la contraseña, pon otra aquí:"),
        str(about["password_reset_url"]),
    )


def invitation(organisation: str, who: str, address: str) -> Text:
    """To whom an organisation invites."""
    paragraphs = (
        _("%(who)s te invita a %(organisation)s en Croody. El enlace sirve una vez, durante siete días:")
        % {"who": who, "organisation": organisation},
        address,
        _("Si no esperabas esto, no hagas nada."),
    )
    return Text(_("%(organisation)s te invita a Croody") % {"organisation": organisation}, "\n\n".join(paragraphs))


def _told(subject: Promise, what: Promise) -> Callable[[Mapping[str, Any]], Text]:
    """Something about the account changed; its owner hears of it, whoever did it."""

    def text(about: Mapping[str, Any]) -> Text:
        return _letter(
            str(subject),
            str(what) % {name: about.get(name, "") for name in ("from_email", "to_email", "deleted_email")},
            _("Si no fuiste tú, entra, cambia la contraseña y avisa a quien administra el sitio. Vino de la dirección %(address)s.")
            % {"address": about.get("ip", "?")},
        )

    return text


#: allauth's name of a mail -> what it says.
WORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text]]] = {
    "account/email/email_confirmation": _confirm,
    "account/email/email_confirmation_signup": _confirm,
    "account/email/password_reset_key": _reset,
    "account/email/unknown_account": _unknown,
    "account/email/account_already_exists": _exists,
    "account/email/email_changed": _told(
        gettext_lazy("Tu dirección de correo cambió"), gettext_lazy("La dirección de tu cuenta pasó de %(from_email)s a %(to_email)s.")
    ),
    "account/email/email_deleted": _told(
        gettext_lazy("Se quitó tu dirección de correo"), gettext_lazy("Tu cuenta ya no tiene la dirección %(deleted_email)s.")
    ),
    "account/email/password_reset": _told(gettext_lazy("Tu contraseña cambió"), gettext_lazy("Alguien puso otra contraseña a tu cuenta.")),
    "account/email/password_changed": _told(
        gettext_lazy("Tu contraseña cambió"), gettext_lazy("Alguien puso otra contraseña a tu cuenta.")
    ),
    "mfa/email/totp_activated": _told(
        gettext_lazy("Segundo factor activado"), gettext_lazy("Tu cuenta pide desde ahora un código de tu aplicación al entrar.")
    ),
    "mfa/email/totp_deactivated": _told(
        gettext_lazy("Segundo factor desactivado"), gettext_lazy("Tu cuenta ya no pide un código de tu aplicación al entrar.")
    ),
    "mfa/email/recovery_codes_generated": _told(
        gettext_lazy("Códigos de recuperación nuevos"),
        gettext_lazy("Tu cuenta tiene códigos de recuperación nuevos; los anteriores ya no sirven."),
    ),
    "mfa/email/webauthn_added": _told(
        gettext_lazy("Llave de acceso agregada"), gettext_lazy("Desde ahora se entra a tu cuenta también con una llave de acceso nueva.")
    ),
    "mfa/email/webauthn_removed": _told(gettext_lazy("Llave de acceso quitada"), gettext_lazy("Una llave de acceso ya no abre tu cuenta.")),
}
