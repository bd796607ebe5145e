"""The two requests of an exchange, and what their answers mean. Knows HTTP and TLS, and no file.

Only our own server's word settles anything: an answer of anybody else's (a captive portal's 200, a proxy's 403) is an outage.
"""

import binascii
import http.client
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from croody_contract.claims import AUTHORITY_PATH, EXCHANGE_PATH, MAX_AUTHORITY_BYTES, Claim, Enrolled, Exchange, fingerprint_of
from croody_contract.messages import encode
from croody_contract.printable import printable
from croody_edge.link import https
from croody_edge.link.proxy import Proxies

_TIMEOUT_S: Final = 10.0
_MOST_ANSWER_BYTES: Final = 16 * 1024
_SHOWN: Final = 300


class OtherFingerprint(Exception):
    """Whoever answers there is not whom the claim names."""


class Refused(Exception):
    """Our own server says no, and will say so again. `code` is for programs."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


class Away(OSError):
    """An answer that is not our server's, or one that it gives when it cannot."""


class _Problem(Struct, frozen=True):
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a claim leads, and how one gets there."""

    claim: Claim
    proxies: Proxies

    def authority(self) -> str:
        """The certificate (PEM) that the claim names, from whoever answers; what was compared is all that is believed of it.

        Raises:
            OtherFingerprint: they show another one.
            Refused: the server knows of no such claim.
            OSError: nobody answers, or not as our server does.
        """
        unknown = ssl.create_default_context()
        unknown.check_hostname = False
        unknown.verify_mode = ssl.CERT_NONE
        status, body = self._ask("GET", AUTHORITY_PATH + self.claim.fingerprint, b"", unknown)
        if status != 200:
            raise _trouble(status, body)
        try:
            pem = body[: MAX_AUTHORITY_BYTES + 1].decode("ascii")
            der = ssl.PEM_cert_to_DER_cert(pem.strip() + "\n")
        except (ValueError, binascii.Error) as error:
            raise OtherFingerprint from error
        if fingerprint_of(der) != self.claim.fingerprint:
            raise OtherFingerprint
        return ssl.DER_cert_to_PEM_cert(der)

    def exchange(self, asked: Exchange, authority: str) -> Enrolled:
        """Ask to be known. `authority` is whom to trust, empty for the system's own.

        Raises:
            Refused: the server says no.
            OSError: nobody answers, or not as our server does.
        """
        tls = ssl.create_default_context(cadata=authority or None)
        status, body = self._ask("POST", EXCHANGE_PATH, encode(asked), tls)
        if status != 200:
            raise _trouble(status, body)
        try:
            return msgspec.json.decode(body, type=Enrolled)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Away(f"200 {_shown(body)}") from error

    def _ask(self, method: str, path: str, body: bytes, tls: ssl.SSLContext) -> tuple[int, bytes]:
        url = urlsplit(self.claim.server)
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        server = (
            https.connect(host, port, tls, self.proxies.to(host, port, "https"), _TIMEOUT_S)
            if url.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        )
        try:
            server.request(method, path, body or None, {"Content-Type": "application/json", "Connection": "close"})
            answer = server.getresponse()
            return answer.status, answer.read(_MOST_ANSWER_BYTES)
        except http.client.HTTPException as error:
            raise Away(printable(str(error)) or type(error).__name__) from error
        finally:
            server.close()


def _trouble(status: int, body: bytes) -> Exception:
    """A refusal has a code of ours; anything else may be another answer a moment later."""
    try:
        said = msgspec.json.decode(body, type=_Problem)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return Away(f"{status} {_shown(body)}")
    if status in (409, 413, 422) or (status == 404 and said.code == "not_found"):
        return Refused(said.code, printable(said.detail[:_SHOWN]))
    return Away(f"{status} {printable(said.detail[:_SHOWN])}")


def _shown(body: bytes) -> str:
    return printable(body[:80].decode("utf-8", "replace"))
