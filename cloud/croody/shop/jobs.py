"""What the shop does by the clock: orders whose time is over, mails that wait, people who wait for a product."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from croody.accounts import mailer
from croody.shop import boards, orders, words
from croody.shop.mail_texts import MAILS, there_again
from croody.shop.models import OrderMail, Seller, StockWait
from croody.web import formats

log = logging.getLogger(__name__)
#: Mails of one run, and tries of one mail: a minute apart, then two, four... about a day all together.
MOST: Final = 50
MOST_TRIES: Final = 11


def expire_orders(now: datetime) -> None:
    """Let go of what nobody paid in time."""
    orders.expire(now)


def send_mails(now: datetime) -> None:
    """Send what is due: what could not be handed over is tried again, later each time.

    Each at least once: one of which nobody knows, for the process died meanwhile, goes again, with the same Message-ID.
    """
    due = OrderMail.objects.filter(next_at__lte=now).select_related("order").prefetch_related("order__lines").order_by("next_at")
    for mail in due[:MOST]:
        # Who was forgotten is written to no more.
        went = not mail.order.email or _went(mail)
        tries = mail.tries + 1
        again = None if went or tries >= MOST_TRIES else now + timedelta(minutes=2 ** (tries - 1))
        OrderMail.objects.filter(pk=mail.pk).update(tries=tries, next_at=again, sent_at=now if went else None)


def _went(mail: OrderMail) -> bool:
    """Say whether it was handed over. One that cannot be written costs itself a try, and no other its turn."""
    try:
        with translation.override(mail.order.language):
            text = MAILS[mail.kind](_about(mail))
            headers = mailer.always("order", mail.pk, mail.created_at)
            return mailer.send(mail.order.email, text.subject, text.body, headers=headers)
    except Exception:
        log.exception("mail %s of order %s could not be written", mail.pk, mail.order.name)
        return False


def tell_waiting(now: datetime) -> None:
    """Tell those who wait for a product that is there again, each once; then they are forgotten.

    A mail that could not be handed over is tried again. One of which nobody knows, for the process died meanwhile, is not: never two.
    """
    due = StockWait.objects.filter(next_at__lte=now, product__shown=True, product__stock__gt=0).select_related("product")
    for wait in due.order_by("next_at", "pk")[:MOST]:
        mine = StockWait.objects.filter(pk=wait.pk)
        if not mine.filter(next_at=wait.next_at).update(next_at=None, told_at=now):
            continue
        with translation.override(wait.language):
            address = _absolute(reverse("shop_product", kwargs={"slug": wait.product.slug}), wait.language)
            text = there_again(wait.product.name(wait.language), wait.product.price.text(wait.language), address)
            went = mailer.send(wait.email, text.subject, text.body)
        if went or wait.tries + 1 >= MOST_TRIES:
            mine.delete()
        else:
            mine.update(next_at=now + timedelta(minutes=2**wait.tries), tries=wait.tries + 1)


def _about(mail: OrderMail) -> dict[str, Any]:
    order, language = mail.order, mail.order.language
    said = words.order(order, language)
    seller = Seller.objects.first()
    transfer = ""
    if order.provider == "manual" and seller is not None:
        transfer = _("Paga por transferencia, con el número %(order)s como concepto:") % {"order": order.name} + f"\n{seller.transfer}"
    until = formats.moment(order.reserved_until, language) if order.reserved_until is not None else ""
    link = _absolute(said["address"], language)
    return {
        **said,
        "order": order.name,
        "link": link,
        "transfer": transfer,
        "until": until,
        "tracking": order.tracking,
        "boards": bool(boards.waiting(order)),
    }


def _absolute(path: str, language: str) -> str:
    return f"{settings.ENV.public_url.rstrip('/')}/{language}{_plain(path)}"


def _plain(path: str) -> str:
    """Without the language that the process speaks."""
    from croody.web.language import split

    return split(path)[1]
