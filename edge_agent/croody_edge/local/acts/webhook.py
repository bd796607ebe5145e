"""A rule's webhook: a POST with a small JSON body, tried three times. The board's owner wrote the address, so any may be private.

No redirect is followed, no proxy asked, and of the answer only the status is read.
"""

import http.client
import ssl
from datetime import UTC, datetime
from threading import Event as Flag
from threading import Timer
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from croody_edge.local.acts.worker import Undone
from croody_edge.local.rules.config import code_of
from croody_edge.local.rules.keeper import Act
from croody_edge.texts import text

#: Between two bytes, and for a whole try, seconds.
_TIMEOUT_S: Final = 5.0
_WHOLE_S: Final = 15.0
#: Before the second and the third try, seconds.
_AGAIN_S: Final = (1.0, 5.0)
#: Answers that may be another one a little later.
_LATER: Final = (408, 425, 429)


class Webhook:
    """Posts acts of one robot."""

    def __init__(self, robot_id: str, again_s: tuple[float, ...] = _AGAIN_S) -> None:
        self._robot_id, self._again_s = robot_id, again_s

    def __call__(self, act: Act, closed: Flag) -> None:
        """See `Worker`."""
        body = msgspec.json.encode(body_of(self._robot_id, act))
        why = ""
        for wait_s in (*self._again_s, None):
            why, final = _try(act.rule.webhook, act.rule.token, body)
            if not why:
                return
            if final or wait_s is None or closed.wait(wait_s):
                break
        raise Undone(why)


def body_of(robot_id: str, act: Act) -> dict[str, Any]:
    """What is posted."""
    return {
        "robot_id": robot_id,
        "rule": act.name,
        "code": code_of(act.name, act.rule),
        "state": act.turn,
        "severity": act.rule.severity,
        "metric": act.rule.metric,
        "value": act.value,
        "limit": act.rule.limit,
        "at": datetime.fromtimestamp(act.at_s, UTC).isoformat(timespec="seconds"),
    }


def _try(address: str, token: str, body: bytes) -> tuple[str, bool]:
    """Why it was not taken, empty where it was, and whether that is final."""
    parts = urlsplit(address)
    made: http.client.HTTPConnection
    if parts.scheme == "https":
        made = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    else:
        made = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    # An answer that comes a byte at a time ends with the socket.
    end = Timer(_WHOLE_S, lambda: _shut(made))
    end.daemon = True
    end.start()
    try:
        headers = {"Content-Type": "application/json", "User-Agent": "croody-edge"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        made.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        status = made.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{address}: {str(error) or type(error).__name__}", False
    finally:
        end.cancel()
        made.close()
    if 200 <= status < 300:
        return "", True
    return text("rules.status", address=address, status=status), status < 500 and status not in _LATER


def _shut(made: http.client.HTTPConnection) -> None:
    sock = made.sock
    if sock is not None:
        try:
            sock.shutdown(2)
        except OSError:
            return
