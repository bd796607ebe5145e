"""A signed POST to a receiver that somebody named. Knows sockets, and that an address may be a trap.

The name is resolved once, every address that it has is judged, and the connection goes to the one that was judged: a name that answers
otherwise a moment later leads nowhere else. No redirect is followed, and nothing of the answer but its status and a few bytes is read.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from croody.notices.spec import BadRule
from croody.web.address import whole

Networks = Sequence[IPv4Network | IPv6Network]
#: Everything together, from resolving to the last byte, in seconds; and so much of an answer.
WITHIN_S: Final = 10.0
_ANSWER: Final = 200
_PORTS: Final = {"http": 80, "https": 443}


class Failed(Exception):
    """It did not go through. `final`: trying again is no use; `wait_s`: the receiver asks for so long; `status`: its answer, 0 without."""

    def __init__(self, text: str, *, final: bool = False, wait_s: float = 0.0, status: int = 0) -> None:
        super().__init__(text)
        self.final = final
        self.wait_s = wait_s
        self.status = status


@dataclass(frozen=True, slots=True)
class _Place:
    scheme: str
    host: str
    port: int
    path: str


def check(url: str) -> str:
    """The address of a receiver, when it is one.

    Raises:
        BadRule: it is none.
    """
    _place(url)
    return url


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<body>`. The receiver makes it anew, and refuses what is old."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


def post(url: str, body: bytes, headers: dict[str, str], *, allowed: Networks = (), within_s: float = WITHIN_S) -> str:
    """Send it; what the receiver answered, in short.

    Args:
        allowed: networks that may be reached though they are private.
        within_s: for everything together.

    Raises:
        Failed: no address that may be reached, no connection, no answer in time, or another answer than 2xx.
    """
    try:
        place = _place(url)
    except BadRule as error:
        raise Failed(str(error), final=True) from error
    address = _judged(place, allowed)
    connection = _Pinned(place, address, within_s)
    # Timeouts of a socket are for one read: a receiver that drips would hold us for hours.
    timer = threading.Timer(within_s, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", place.path, body=body, headers={**headers, "Connection": "close"})
        with connection.getresponse() as answer:
            text = answer.read(_ANSWER).decode("utf-8", "replace").strip()
            status, retry = answer.status, answer.headers.get("Retry-After", "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failed(_reason(error, connection.was_cut, within_s)) from error
    finally:
        timer.cancel()
        connection.close()
    if connection.was_cut:
        # What came so far looks whole: the end that we made of it looks like the receiver's.
        raise Failed(f"no answer within {within_s:g} s")
    told = f"{status} {text}"[:_ANSWER]
    if 200 <= status < 300:
        return told
    wait = min(float(whole(retry, 7) or 0), 3600.0)
    raise Failed(told, final=300 <= status < 500 and status not in {408, 425, 429}, wait_s=wait, status=status)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its name says now."""

    def __init__(self, place: _Place, address: str, timeout_s: float) -> None:
        super().__init__(place.host, place.port, timeout=timeout_s)
        self._address = address
        self._scheme = place.scheme
        self.was_cut = False

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = plain
        if self._scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        """End it from another thread."""
        self.was_cut = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It has ended by itself.
                return


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadRule("target", _("webhook: %(value)r no es una dirección") % {"value": url[:80]}) from error
    plain = url.isascii() and all(" " < one < "\x7f" for one in url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or not plain or len(url) > 1000:
        raise BadRule("target", _("webhook: escribe una dirección https:// o http://, sin usuario ni clave"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port, path)


def _judged(place: _Place, allowed: Networks) -> str:
    """One address of this name, when all of them may be reached."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Failed(f"{place.host}: no such name ({error})") from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for address in addresses:
        if not _may_reach(address, allowed):
            raise Failed(f"{place.host}: {address} is not a public address: set CROODY_NOTICE_NETWORKS to allow it", final=True)
    if not addresses:
        raise Failed(f"{place.host}: no address")
    return addresses[0]


def _may_reach(address: str, allowed: Networks) -> bool:
    one = ip_address(address.partition("%")[0])
    mapped = getattr(one, "ipv4_mapped", None) or getattr(one, "sixtofour", None)
    one = mapped or one
    if any(one in network for network in allowed if network.version == one.version):
        return True
    return one.is_global and not one.is_multicast


def _reason(error: Exception, was_cut: bool, within_s: float) -> str:
    return (
        f"no answer within {within_s:g} s" if was_cut or isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"[:_ANSWER]
    )
