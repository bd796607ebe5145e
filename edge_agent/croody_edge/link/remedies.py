"""Why a broker cannot be reached, and what to do about it: an error to a sentence for a person. Opens nothing itself."""

import errno
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from croody_edge.link.address import DEFAULT_PATH, BrokerAddress
from croody_edge.link.websocket import NotHttp, Refused

#: OpenSSL's verify codes (x509_vfy.h): by the calendar; by the name; all others say that nobody known signed it.
_NOT_YET: Final = 9
_ENDED: Final = 10
_OTHER_NAME: Final = (62, 63, 64)
#: What a peer that speaks no TLS makes OpenSSL say.
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
_NO_WAY: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)

#: Statuses with which an upgrade is refused, what to do about them, and whether it has to be done by hand.
_UPGRADE: Final = (
    ((301, 302, 303, 307, 308), "the gateway sends to {location}: give {instead} in CROODY_BROKER_URL", True),
    ((401, 403, 407, 451, 511), "somebody on the way lets only some through, a proxy perhaps: have {host} let through", True),
    ((404, 405, 410), "this address has no MQTT: {path}", True),
    ((101, 200, 426, 501, 505), "this address has no MQTT, or a proxy on the way passes no WebSocket on: {path}", True),
    ((400,), "{port}", True),
    ((429,), "the gateway takes no more connections from here: it is tried again, or its limit has to be raised", False),
    ((500, 502, 503, 504), "the broker behind the gateway is away: is it up?", False),
)


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
            port = "wss:// takes the port with TLS, 443 as a rule" if broker.path else "mqtts:// takes the port with TLS, 8883 as a rule"
            return Reason(f"{said}: this port may speak no TLS: {port}", by_hand=True)
        case Refused():
            return _refused_upgrade(error, broker)
        case NotHttp():
            return Reason(f"{said}: this port may have no gateway: {_other_port(broker)}", by_hand=True)
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
    if broker.tls or broker.path:
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


def _refused_upgrade(error: Refused, broker: BrokerAddress) -> Reason:
    location = "".join(letter if letter.isprintable() else "?" for letter in error.location[:200])
    scheme, _, rest = location.partition("://")
    words = {
        "host": broker.host,
        "path": f"look which path of {broker.host} has it" if broker.path == DEFAULT_PATH else f"the path is {DEFAULT_PATH} as a rule",
        "port": _other_port(broker),
        "location": location or "nowhere",
        "instead": {"http": f"ws://{rest}", "https": f"wss://{rest}"}.get(scheme, "another address"),
    }
    for statuses, remedy, by_hand in _UPGRADE:
        if error.status in statuses:
            return Reason(f"{error}: {remedy.format(**words)}", by_hand)
    return Reason(str(error))


def _other_port(broker: BrokerAddress) -> str:
    if broker.tls:
        return "wss:// takes the gateway's port, 443 as a rule; the broker's own, 8883 as a rule, takes mqtts://"
    return "a port with TLS takes wss:// in CROODY_BROKER_URL, and the broker's own takes mqtt://"
