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
from croody_edge.texts import text

#: OpenSSL's verify codes (x509_vfy.h): by the calendar; by the name; all others say that nobody known signed it.
_NOT_YET: Final = 9
_ENDED: Final = 10
_OTHER_NAME: Final = (62, 63, 64)
#: What a peer that speaks no TLS makes OpenSSL say.
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
#: Who hangs up in the middle of a handshake may speak no TLS, or may only be starting or stopping.
_CUT_SHORT: Final = "UNEXPECTED_EOF_WHILE_READING"
_NO_WAY: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)

#: Statuses with which an upgrade is refused, what to do about them, and whether it has to be done by hand.
_UPGRADE: Final = (
    ((301, 302, 303, 307, 308), "remedy.redirect", True),
    ((401, 403, 407, 451, 511), "remedy.proxy", True),
    ((404, 405, 410), "remedy.no_mqtt", True),
    ((101, 200, 426, 501, 505), "remedy.no_mqtt_or_proxy", True),
    ((400,), "remedy.port", True),
    ((429,), "remedy.crowded", False),
    ((500, 502, 503, 504), "remedy.broker_away", False),
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
    host, port = broker.host, broker.port
    match error:
        case ssl.SSLCertVerificationError():
            return Reason(f"{said}: {_distrust(error.verify_code, broker, ca_file, now)}", by_hand=True)
        case ssl.SSLError() if error.reason in _NO_TLS:
            return Reason(
                text("remedy.no_tls", said=said, port=text("remedy.wss_port" if broker.path else "remedy.mqtts_port")), by_hand=True
            )
        case ssl.SSLError() if error.reason == _CUT_SHORT:
            return Reason(text("remedy.cut_short", said=said, port=text("remedy.wss_port" if broker.path else "remedy.mqtts_port")))
        case ConnectionResetError() | BrokenPipeError():
            return Reason(text("remedy.reset", said=said))
        case Refused():
            return _refused_upgrade(error, broker)
        case NotHttp():
            return Reason(text("remedy.no_gateway", said=said, port=_other_port(broker)), by_hand=True)
        case socket.gaierror():
            return Reason(text("remedy.no_name", said=said, host=host))
        case ConnectionRefusedError():
            return Reason(text("remedy.nobody_listens", said=said, host=host, port=port))
        case TimeoutError():
            return Reason(text("remedy.timeout", said=said, host=host, port=port))
        case OSError() if error.errno in _NO_WAY:
            return Reason(text("remedy.no_way", said=said, host=host))
    return Reason(said)


def of_refusal(code: str, robot_id: str) -> Reason:
    """Why the broker did not let the robot in, by the name of its code."""
    if code in ("Not authorized", "Bad user name or password"):
        return Reason(text("remedy.secret", code=code, robot_id=robot_id), by_hand=True)
    return Reason(text("link.refused", what=code))


def of_silence(broker: BrokerAddress) -> Reason:
    """Why somebody hung up who had never spoken."""
    return Reason(text("link.closed" if broker.tls or broker.path else "remedy.silence"))


def _distrust(code: int, broker: BrokerAddress, ca_file: Path | None, now: datetime) -> str:
    if code in _OTHER_NAME:
        return text("remedy.other_name", host=broker.host)
    if code == _NOT_YET:
        return text("remedy.clock_behind", now=now)
    if code == _ENDED:
        return text("remedy.ended", now=now)
    if ca_file is None:
        return text("remedy.unknown_authority")
    return text("remedy.other_authority", file=ca_file)


def _refused_upgrade(error: Refused, broker: BrokerAddress) -> Reason:
    location = "".join(letter if letter.isprintable() else "?" for letter in error.location[:200])
    scheme, _, rest = location.partition("://")
    words = {
        "said": error,
        "host": broker.host,
        "path": text("remedy.which_path", host=broker.host)
        if broker.path == DEFAULT_PATH
        else text("remedy.usual_path", path=DEFAULT_PATH),
        "port": _other_port(broker),
        "location": location or text("remedy.nowhere"),
        "instead": {"http": f"ws://{rest}", "https": f"wss://{rest}"}.get(scheme, text("remedy.another")),
    }
    for statuses, remedy, by_hand in _UPGRADE:
        if error.status in statuses:
            return Reason(text(remedy, **words), by_hand)
    return Reason(str(error))


def _other_port(broker: BrokerAddress) -> str:
    return text("remedy.port_with_tls" if broker.tls else "remedy.port_without_tls")
