"""Who tries too often to get in. Knows addresses and counts; log-ins are counted by django-axes, with `address_of` from here."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from croody.accounts.models import Registering
from croody.web.client_address import counted_as, visitor

#: So many tries to make an account from one address within `WITHIN`: a class of thirty behind one router fits.
MOST: Final = 30
WITHIN: Final = timedelta(minutes=15)


def address_of(request: HttpRequest) -> str:
    """What counts as the client: its address, behind the proxies of CROODY_TRUSTED_PROXIES as they say it."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return counted_as(visitor(request.META.get("REMOTE_ADDR", ""), forwarded, settings.ENV.trusted_proxies))


def may_register(address: str, *, now: datetime) -> bool:
    """Count one try to make an account; False, and not counted, when there were too many."""
    Registering.objects.filter(at__lte=now - WITHIN).delete()
    if Registering.objects.filter(address=address).count() >= MOST:
        return False
    Registering.objects.create(address=address, at=now)
    return True


def may_try(what: str, address: str, most: int, within: timedelta) -> bool:
    """Count one try of something from one address; False, and not counted, when there were `most` already.

    Counted from the first try on; two at the same instant may count as one.
    """
    key = f"croody.try:{what}:{address}"
    tries = int(cache.get(key, 0))
    if tries >= most:
        return False
    if tries == 0:
        cache.set(key, 1, within.total_seconds())
    else:
        cache.incr(key)
    return True
