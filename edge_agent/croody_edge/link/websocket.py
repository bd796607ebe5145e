"""The upgrade to a WebSocket that carries MQTT: what is asked, and whether the answer says yes. Pure.

`websockets` speaks the protocol, in place of what paho has of it: paho forgets a frame that the system takes only in part, and the robot
is then silent until its keepalive ends (a test shows it); it answers pings in the middle of what it sends and without a mask, for which a
server may hang up; it waits for ever for an answer that comes a letter at a time; and it never says with which status it was refused.
"""

import logging
import re
from email import message_from_string
from typing import Final

from websockets.client import ClientProtocol
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from croody_contract.limits import MAX_PUBLISH_BYTES
from croody_edge.link.address import BrokerAddress
from croody_edge.texts import text

#: The only name that MQTT 3.1.1 gives its subprotocol.
_MQTT: Final = Subprotocol("mqtt")
#: Largest message that is read: one may hold several packets.
_MAX_MESSAGE_BYTES: Final = 4 * MAX_PUBLISH_BYTES
_STATUS: Final = re.compile(r"HTTP/1\.\d (\d{3})(?: (.*))?")
#: For what the library has to say, but not at DEBUG: it would tell how each frame ends, and the one with CONNECT ends with the secret.
_log: Final = logging.getLogger("croody.link.websocket")
_log.setLevel(logging.INFO)


class Refused(ConnectionError):
    """An answer that is no WebSocket with MQTT in it."""

    def __init__(self, status: int, phrase: str, location: str = "", why: str = "") -> None:
        """Args: `why` for an answer that says yes and is not to be believed."""
        super().__init__(text("link.refused", what=f"{status} {shown(phrase)}".rstrip()) + (f" ({shown(why)})" if why else ""))
        self.status, self.location = status, location


class NotHttp(ConnectionError):
    """What answered is not a web server."""


def ask(broker: BrokerAddress) -> ClientProtocol:
    """The client's half of a WebSocket to a broker with a path; its request is what it has to send."""
    uri = WebSocketURI(broker.tls, broker.host.encode("idna").decode(), broker.port, broker.path, query="")
    protocol = ClientProtocol(uri, subprotocols=[_MQTT], max_size=_MAX_MESSAGE_BYTES, logger=_log)
    request = protocol.connect()
    request.headers["User-Agent"] = "croody-edge"
    protocol.send_request(request)
    return protocol


def take_answer(protocol: ClientProtocol, came: bytes) -> None:
    """See that the answer says yes, to this request and to MQTT.

    A refusal is read here, for the library waits for the whole page that comes with it, and knows no HTTP/1.0.

    Args:
        protocol: the one that asked.
        came: the whole head of the answer, and perhaps frames behind it.

    Raises:
        Refused: it does not say yes.
        NotHttp: it is not the answer of a web server.
    """
    first, _, rest = came.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    said = _STATUS.fullmatch(first)
    if said is None:
        raise NotHttp(text("link.not_http"))
    status, phrase = int(said[1]), said[2] or ""
    if status != 101:
        raise Refused(status, phrase, message_from_string(rest).get("Location", ""))
    protocol.receive_data(came)
    if protocol.handshake_exc is not None:
        raise Refused(status, phrase, why=str(protocol.handshake_exc))
    if protocol.subprotocol != _MQTT:
        raise Refused(status, phrase, why=text("link.not_mqtt"))


def shown(words: str) -> str:
    """Of a stranger's words, what may stand in a line of a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in words.strip()[:100])
