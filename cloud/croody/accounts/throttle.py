"""Who tries too often to get in. Knows addresses and counts; log-ins are counted by django-axes, with `address_of` from here."""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from croody.accounts.models import Registering

#: So many tries to make an account from one address within `WITHIN`: a class of thirty behind one router fits.
MOST: Final = 30
WITHIN: Final = timedelta(minutes=15)


def address_of(request: HttpRequest) -> str:
    """The client's address; of IPv6 the network of 64 bits that one client owns whole.

    Behind the gateway it is what the gateway says, which overwrites what came from outside. It is believed from a private address
    alone, and only where HTTPS is believed in the same way: in the demo everybody may have sent the header.
    """
    remote = _parsed(request.META.get("REMOTE_ADDR", ""))
    said = _parsed(request.META.get("HTTP_X_REAL_IP", ""))
    if said is not None and settings.SECURE_PROXY_SSL_HEADER and remote is not None and remote.is_private:
        remote = said
    if isinstance(remote, IPv6Address):
        return str(remote.ipv4_mapped or ip_network(f"{remote}/64", strict=False).network_address)
    return str(remote or "0.0.0.0")


def may_register(address: str, *, now: datetime) -> bool:
    """Count one try to make an account; False, and not counted, when there were too many."""
    Registering.objects.filter(at__lte=now - WITHIN).delete()
    if Registering.objects.filter(address=address).count() >= MOST:
        return False
    Registering.objects.create(address=address, at=now)
    return True


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None
