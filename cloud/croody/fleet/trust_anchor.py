"""The certificate that a robot has to trust to reach this site's broker over TLS, found by trying. Knows sockets and `openssl`."""

import re
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

#: The broker's own listener with TLS, beside the one without that the cloud uses.
TLS_PORT: Final = 8883
_TIMEOUT_S: Final = 5.0
#: What was found of a certificate holds for so long, in seconds: a page is loaded more often than a certificate changes.
_FOUND_S: Final = 60.0
#: OpenSSL's verify codes for a certificate of another host, e-mail or address.
_OTHER_NAME: Final = (62, 63, 64)
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """`authority` (PEM) is what a robot needs; empty when every machine knows it. `problem` says why no robot would get through."""

    authority: str = ""
    problem: str = ""


_found: dict[str, tuple[float, TrustAnchor]] = {}


def find(host: str, port: int, name: str) -> TrustAnchor:
    """See what a robot needs that knows the broker as `name`; the broker is reached at `host`:`port` from here.

    What is returned was tried: with it the certificate and the name in it were verified.
    """
    try:
        if _refusal(host, port, name, ssl.create_default_context()) is None:
            return TrustAnchor()
        found = shown(host, port, name)
        if not found:
            return TrustAnchor(problem=_("el broker no muestra ningún certificado"))
        refusal = _refusal(host, port, name, ssl.create_default_context(cadata=found[-1]))
    except OSError as error:
        return TrustAnchor(problem=_("no hay broker en %(where)s (%(error)s)") % {"where": f"{host}:{port}", "error": error})
    if refusal is None:
        return TrustAnchor(found[-1])
    if refusal.verify_code in _OTHER_NAME:
        return TrustAnchor(found[-1], refusal.verify_message)
    return TrustAnchor(
        problem=_("%(error)s; CROODY_CA_FILE tiene que nombrar la raíz de quien lo firmó") % {"error": refusal.verify_message}
    )


def of_site() -> TrustAnchor:
    """What a robot needs to reach this site by the address that it is told, as it was found within the last minute.

    Gateway and broker show the same certificate.
    """
    env = settings.ENV
    url = env.robots_url.split(",")[0]
    if urlsplit(url).scheme not in ("mqtts", "wss"):
        return TrustAnchor()
    until_s, found = _found.get(url, (0.0, TrustAnchor()))
    if time.monotonic() >= until_s:
        found = find(urlsplit(env.broker_url.split(",")[0]).hostname or "", TLS_PORT, urlsplit(url).hostname or "")
        _found.clear()
        _found[url] = (time.monotonic() + _FOUND_S, found)
    return found


def _refusal(host: str, port: int, name: str, context: ssl.SSLContext) -> ssl.SSLCertVerificationError | None:
    """Why a client with this context does not trust the broker; None when it does.

    Raises:
        OSError: the broker is not there, or speaks no TLS.
    """
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as plain, context.wrap_socket(plain, server_hostname=name):
            return None
    except ssl.SSLCertVerificationError as error:
        return error


def shown(host: str, port: int, name: str) -> list[str]:
    """Certificates (PEM) of the chain, the broker's own first. Python 3.11 does not tell them of a peer it does not trust."""
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", name, "-showcerts"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=2 * _TIMEOUT_S)
    return _CERTIFICATE.findall(done.stdout)


def der_of(authority: str) -> bytes:
    """The certificate itself.

    Raises:
        ValueError: it is no PEM.
    """
    return ssl.PEM_cert_to_DER_cert(authority.strip() + "\n")
