"""What each mail about an order says, in its buyer's language. Pure: amounts and addresses are given as text."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from croody.accounts.mail_texts import Text


def _letter(subject: str, about: Mapping[str, Any], *paragraphs: str) -> Text:
    bought = "\n".join(f"{line['quantity']} × {line['name']}, {line['total']}" for line in about["lines"])
    end = _("Tu pedido, con su factura, está siempre aquí:") + f"\n{about['link']}"
    return Text(subject, "\n\n".join((*paragraphs, bought, _("Total: %(total)s") % {"total": about["total"]}, end)))


def _pending(about: Mapping[str, Any]) -> Text:
    how = about["transfer"] or _("Guardamos lo que pediste hasta %(until)s. Paga desde la página del pedido.") % {"until": about["until"]}
    return _letter(_("Recibimos tu pedido %(order)s") % {"order": about["order"]}, about, _("Gracias. Falta el pago."), how)


def _paid(about: Mapping[str, Any]) -> Text:
    return _letter(_("Pedido %(order)s pagado") % {"order": about["order"]}, about, _("Recibimos tu pago. Ahora lo preparamos."))


def _preparing(about: Mapping[str, Any]) -> Text:
    return _letter(_("Preparamos tu pedido %(order)s") % {"order": about["order"]}, about, _("Estamos preparando tu pedido."))


def _shipped(about: Mapping[str, Any]) -> Text:
    track = [_("Seguimiento: %(tracking)s") % {"tracking": about["tracking"]}] if about["tracking"] else []
    boards = [_("Trae placas: en la página del pedido las agregas a tu organización.")] if about["boards"] else []
    return _letter(_("Tu pedido %(order)s va en camino") % {"order": about["order"]}, about, _("Salió hoy."), *track, *boards)


def _delivered(about: Mapping[str, Any]) -> Text:
    return _letter(_("Pedido %(order)s entregado") % {"order": about["order"]}, about, _("Tu pedido llegó, según el transportista."))


def _cancelled(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Pedido %(order)s cancelado") % {"order": about["order"]},
        about,
        _("El pedido quedó cancelado y no hay nada que pagar. Si todavía lo quieres, haz otro."),
    )


def _refunded(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Devolvimos el pago del pedido %(order)s") % {"order": about["order"]}, about, _("El importe va de vuelta por donde vino.")
    )


def _paid_back(about: Mapping[str, Any]) -> Text:
    return _letter(
        _("Devolvimos un pago del pedido %(order)s") % {"order": about["order"]},
        about,
        _("Llegó un pago que ya no correspondía: el pedido estaba pagado, o sus productos se habían agotado. Lo devolvimos entero."),
    )


def board(robot_id: str, claim: str, minutes: int, link: str) -> Text:
    """To whoever bought a board and made it a robot: its claim, which the QR code has, too."""
    return Text(
        _("Tu placa es el robot %(robot)s") % {"robot": robot_id},
        "\n\n".join(
            (
                _("Enciende la placa y dale este código de un solo uso, que sirve %(minutes)s minutos; también va como QR:")
                % {"minutes": minutes},
                claim,
                _("Aquí ves cómo entra, y aquí haces otro código si este venció:"),
                link,
            )
        ),
    )


def there_again(name: str, price: str, link: str) -> Text:
    """To whoever waited for a product."""
    return Text(
        _("Ya hay: %(name)s") % {"name": name},
        "\n\n".join(
            (
                _("Pediste que te avisáramos: %(name)s está otra vez en la tienda, por %(price)s.") % {"name": name, "price": price},
                link,
                _("Este es el único aviso, y no te guardamos nada: olvidamos tu dirección al enviarlo."),
            )
        ),
    )


MAILS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text]]] = {
    "pending": _pending,
    "paid": _paid,
    "preparing": _preparing,
    "shipped": _shipped,
    "delivered": _delivered,
    "cancelled": _cancelled,
    "refunded": _refunded,
    "paid_back": _paid_back,
}
