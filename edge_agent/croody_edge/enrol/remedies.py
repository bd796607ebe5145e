"""Why a board did not come in, and what to do about it: an error to a sentence for a person. Opens nothing itself."""

import socket
import ssl
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from croody_contract.claims import Claim
from croody_edge.enrol.exchange import Away
from croody_edge.link.proxy import ProxyTrouble
from croody_edge.texts import TEXTS, text

#: OpenSSL's verify codes (x509_vfy.h): by the calendar; by the name; all others say that nobody known signed it.
_NOT_YET: Final = 9
_ENDED: Final = 10
_OTHER_NAME: Final = (62, 63, 64)


def of_refusal(code: str, said: str) -> str:
    """Why the server says no, in the language that is spoken; in its own words where it has a newer reason."""
    key = f"enrol.{code}"
    return text(key) if key in TEXTS else text("enrol.refused", said=said)


def of_error(error: Exception, claim: Claim, now: datetime) -> str:
    """Why nobody answered as the server does.

    Args:
        error: what was raised.
        claim: where it should have led.
        now: what the board takes for the time.
    """
    host = urlsplit(claim.server).hostname or ""
    said = str(error) or type(error).__name__
    match error:
        case ssl.SSLCertVerificationError() if error.verify_code == _NOT_YET:
            return text("enrol.clock_behind", now=now.isoformat(timespec="minutes"))
        case ssl.SSLCertVerificationError() if error.verify_code == _ENDED:
            return text("enrol.ended", now=now.isoformat(timespec="minutes"))
        case ssl.SSLCertVerificationError() if error.verify_code in _OTHER_NAME:
            return text("enrol.other_name", host=host)
        case ssl.SSLCertVerificationError():
            return text("enrol.untrusted" if not claim.fingerprint else "enrol.not_signed", host=host)
        case socket.gaierror():
            return text("enrol.no_name", host=host)
        case ConnectionRefusedError():
            return text("enrol.nobody_listens", server=claim.server)
        case TimeoutError():
            return text("enrol.timeout", server=claim.server)
        case ProxyTrouble():
            return said
        case ssl.SSLError():
            return text("enrol.no_tls", server=claim.server, said=said)
        case Away():
            return text("enrol.stranger", server=claim.server, said=said)
    return text("enrol.trouble", server=claim.server, said=said)
