"""Every write of what visitors leave. Knows no page."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from croody.accounts import address_links, mailer
from croody.shop.models import Seller
from croody.site.models import BetaRequest, Message

#: How long what visitors left is kept.
MESSAGES: Final = timedelta(days=365)
UNCONFIRMED: Final = timedelta(days=7)
CONFIRMED: Final = timedelta(days=730)
_LINK: Final = "site.beta"


def write(name: str, email: str, text: str, language: str, *, now: datetime) -> Message:
    """Keep a message, and mail it to who answers here."""
    kept = Message.objects.create(name=name, email=email, text=text, language=language, at=now)
    to = _answers()
    if to:
        body = f"{text}\n\n{name}\n{email}"
        mailer.send(to, _("Mensaje de %(name)s desde la página") % {"name": name.replace("\n", " ")[:80]}, body)
    return kept


def ask(email: str, plan: str, note: str, language: str, link: str, *, now: datetime) -> None:
    """Keep who wants to try Buddy, and mail the link that confirms it. `link` ends where the token goes.

    An address that is there already gets the link again, and nothing says so: nobody learns who asked before.
    """
    said = {"plan": plan, "note": note, "language": language, "asked_at": now}
    BetaRequest.objects.update_or_create(email=email.lower(), defaults=said)
    token = address_links.token(_LINK, email.lower())
    body = "\n\n".join(
        (
            _("Alguien, seguramente tú, pidió probar Buddy con esta dirección. Abre el enlace y pulsa el botón; sirve tres días:"),
            f"{link}{token}/",
            _("Si no fuiste tú, no hagas nada: lo olvidamos en una semana."),
        )
    )
    mailer.send(email, _("Confirma que quieres probar Buddy"), body)


def waiting(token: str) -> BetaRequest | None:
    """Whose link this is; None for one that is no link, or too old."""
    email = address_links.read(_LINK, token)
    return BetaRequest.objects.filter(email=email).first() if email is not None else None


def confirm(asked: BetaRequest, *, now: datetime) -> None:
    """It counts from now on; the first time that was so stays."""
    BetaRequest.objects.filter(pk=asked.pk, confirmed_at=None).update(confirmed_at=now)


def _answers() -> str:
    """Who answers visitors: the seller, else somebody who administers the site."""
    seller = Seller.objects.exclude(email="").values_list("email", flat=True).first()
    return seller or User.objects.filter(is_superuser=True, is_active=True).exclude(email="").values_list("email", flat=True).first() or ""
