"""Why a broker cannot be reached, and what to do about it: an error to a sentence for a person. Opens nothing itself."""

import errno
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from croody_edge.address import BrokerAddress

#: OpenSSL's verify codes (x509_vfy.h): by the calendar; by the name; all others say that nobody known signed it.
_NOT_YET: Final = 9
_ENDED: Final = 10
_OTHER_NAME: Final = (62, 63, 64)
#: What a peer that speaks no TLS makes OpenSSL say.
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
_NO_WAY: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` for a person; `by_hand` when waiting will not help."""

    text: str
    by_hand: bool = False


def of_error(error: Exception, broker: BrokerAddress, ca_file: Path | None, now: datetime) -> Reason:
    """Why this connection failed or broke.

    Args:
        error: what was raised.
        broker: whither it should have led.
        ca_file: the authority that the agent was told to trust.
        now: what the board takes for the time.
    """
    said = str(error) or type(error).__name__
    match error:
        case ssl.SSLCertVerificationError():
            return Reason(f"{said}: {_distrust(error.verify_code, broker, ca_file, now)}", by_hand=True)
        case ssl.SSLError() if error.reason in _NO_TLS:
            return Reason(f"{said}: this port may speak no TLS: mqtts:// takes the port with TLS, 8883 as a rule", by_hand=True)
        case socket.gaierror():
            return Reason(f"{said}: nobody knows the name {broker.host}: look at CROODY_BROKER_URL, and at this board's DNS")
        case ConnectionRefusedError():
            return Reason(f"{said}: nobody listens at {broker.host}:{broker.port}: is the broker up, and is this its port?")
        case TimeoutError():
            return Reason(f"{said}: no answer from {broker.host}:{broker.port}: is the machine up, and is the port open in its firewall?")
        case OSError() if error.errno in _NO_WAY:
            return Reason(f"{said}: this board has no way to {broker.host}: is its network up?")
    return Reason(said)


def of_refusal(code: str, robot_id: str) -> Reason:
    """Why the broker did not let the robot in, by the name of its code."""
    if code in ("Not authorized", "Bad user name or password"):
        return Reason(
            f"refused: {code}: the secret of {robot_id} is wrong, or no such robot is let in: take the one that"
            f" `croody robot rotate {robot_id}` prints on the server into ROBOT_SECRET",
            by_hand=True,
        )
    return Reason(f"refused: {code}")


def of_silence(broker: BrokerAddress) -> Reason:
    """Why somebody hung up who had never spoken."""
    if broker.tls:
        return Reason("the connection was closed")
    return Reason("the connection was closed before a word: a port with TLS takes mqtts:// in CROODY_BROKER_URL")


def _distrust(code: int, broker: BrokerAddress, ca_file: Path | None, now: datetime) -> str:
    if code in _OTHER_NAME:
        return (
            f"the certificate is for other names: give one of them in CROODY_BROKER_URL, or set CROODY_DOMAIN={broker.host} on the server"
        )
    if code == _NOT_YET:
        return f"the certificate begins later than this board's clock, {now:%Y-%m-%d %H:%M} UTC: set the clock"
    if code == _ENDED:
        return f"the certificate ended, or this board's clock, {now:%Y-%m-%d %H:%M} UTC, is ahead: renew the one or set the other"
    if ca_file is None:
        return "this machine knows nobody who signed it: name the site's authority (PEM) in CROODY_CA_FILE; `croody robot add` prints it"
    return f"the authority in CROODY_CA_FILE ({ca_file}) did not sign it: take the one that `croody robot add` prints on this site's server"
