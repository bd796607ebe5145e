"""Tells the bridge, through Mosquitto itself, what its log says of who comes. Knows a socket, and of MQTT three packets.

No client library: it says CONNECT once and then publishes without acknowledgement, to a broker on this machine that it may lose any moment.
"""

import socket
from pathlib import Path
from typing import Final

from croody_broker.frames import build_publish
from croody_broker.mosquitto_visitors import Visit
from croody_broker.noticed import Notices
from croody_contract.security import TOPIC, Kind

#: MQTT 3.1.1, clean session, no keepalive, client id `log`.
_CONNECT: Final = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03log"
_CONNACK: Final = b"\x20\x02\x00\x00"
_WITHIN_S: Final = 1.0
#: After a failure it is not tried again for so long, in seconds.
_REST_S: Final = 2.0


class Teller:
    """Counts visits and publishes them; keeps them while Mosquitto does not take them. `path`: Mosquitto's own socket."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._notices = Notices()
        self._socket: socket.socket | None = None
        self._again_s = 0.0

    def take(self, visit: Visit, now_s: float) -> None:
        """One more. `now_s`: monotonic."""
        known = visit.kind not in (Kind.WRONG_SECRET, Kind.MALFORMED)
        self._notices.take(now_s, visit.kind, address=visit.address, account=visit.account, known=known, topic=visit.topic)

    def tell(self, now_s: float) -> None:
        """Publish what is due."""
        if self._path is None or not self._notices.close(now_s) or now_s < self._again_s:
            return
        try:
            if self._socket is None:
                self._socket = _connected(self._path)
            for report in self._notices.hand_over(now_s):
                self._socket.sendall(build_publish(TOPIC, report, 0))
        except OSError:
            # Mosquitto is not there yet, or ends. What was handed over is lost with it, as its own log is.
            if self._socket is not None:
                self._socket.close()
            self._socket, self._again_s = None, now_s + _REST_S


def _connected(path: Path) -> socket.socket:
    """Raises OSError: nobody listens there, or it is no Mosquitto that lets us in."""
    own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    own.settimeout(_WITHIN_S)
    try:
        own.connect(str(path))
        own.sendall(_CONNECT)
        if own.recv(4) != _CONNACK:
            raise OSError(f"{path}: no CONNACK")
    except OSError:
        own.close()
        raise
    return own
