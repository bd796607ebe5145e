"""Who wants to know once a product is there again: asked, confirmed by the mail's link, told once, forgotten. Knows no page."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count
from django.utils.translation import gettext as _

from croody.accounts import address_links, mailer
from croody.shop.models import Product, StockWait

#: Products that one address may wait for, and addresses that may wait for one product: those confirmed, and those not yet.
MOST_AN_ADDRESS: Final = 10
MOST_A_PRODUCT: Final = 2000
MOST_UNCONFIRMED: Final = 500
#: How long a wait is kept that nobody confirmed, that came to nothing, or of which a mail may or may not have gone.
UNCONFIRMED: Final = timedelta(days=7)
CONFIRMED: Final = timedelta(days=365)
TAKEN: Final = timedelta(days=1)
_LINK: Final = "shop.wait"


class Full(ValueError):
    """A product's list is full; says so."""


def ask(product: Product, email: str, language: str, link: str, *, now: datetime) -> None:
    """Keep who waits, and mail the link that confirms it. `link` ends where the token goes.

    Asked again, the link goes again; an address that waits for as much as it may gets none. Nothing says so: nobody learns who asked.
    """
    email = email.lower()
    theirs = StockWait.objects.filter(email=email)
    if not theirs.filter(product=product).exists():
        if theirs.count() >= MOST_AN_ADDRESS:
            return
        # Those that nobody confirms keep nobody out: the oldest makes room.
        unconfirmed = StockWait.objects.filter(product=product, confirmed_at=None).order_by("-asked_at", "-pk")
        StockWait.objects.filter(pk__in=list(unconfirmed.values_list("pk", flat=True)[MOST_UNCONFIRMED - 1 :])).delete()
    StockWait.objects.update_or_create(product=product, email=email, defaults={"language": language, "asked_at": now})
    body = "\n\n".join(
        (
            _("Alguien, seguramente tú, pidió que avisemos a esta dirección cuando vuelva a haber: %(name)s.")
            % {"name": product.name(language)},
            _("Abre el enlace y pulsa el botón; sirve tres días:"),
            f"{link}{address_links.token(_LINK, f'{product.pk} {email}')}/",
            _("Si no fuiste tú, no hagas nada: lo olvidamos en una semana."),
        )
    )
    mailer.send(email, _("Confirma que quieres el aviso"), body)


def waiting(token: str) -> StockWait | None:
    """Whose link this is; None for one that is no link, is too old, or whose mail went already."""
    product, _space, email = (address_links.read(_LINK, token) or "").partition(" ")
    if not product.isdigit():
        return None
    return StockWait.objects.select_related("product").filter(product_id=int(product), email=email).first()


def confirm(wait: StockWait, *, now: datetime) -> None:
    """It counts from now on; the first time that was so stays.

    Raises:
        Full: as many wait for it as may.
    """
    if StockWait.objects.filter(product=wait.product).exclude(confirmed_at=None).count() >= MOST_A_PRODUCT:
        raise Full(_("La lista de este producto está llena: mira otra vez en unos días."))
    StockWait.objects.filter(pk=wait.pk, confirmed_at=None).update(confirmed_at=now, next_at=now)


def forget(wait: StockWait) -> None:
    """They do not want it any more."""
    wait.delete()


def counts() -> dict[int, int]:
    """Product -> how many wait for it and confirmed that."""
    rows = StockWait.objects.exclude(confirmed_at=None).values_list("product_id").annotate(count=Count("pk"))
    return dict(rows.order_by())
