"""Bytes -> MAVLink messages, and a companion computer's own messages -> bytes. The only place that imports pymavlink.

Frames with a wrong checksum, unknown messages and noise between them are passed over, counted.
"""

from hashlib import sha256
from typing import Any, Final

from pymavlink.dialects.v20 import ardupilotmega as dialect

#: The parser keeps what it has read until a read ends with a frame, which a noisy line may never do, bytes.
_MOST_KEPT: Final = 16384
#: As a companion computer. Never as a ground station (255): an autopilot whose ground station is lost comes home, and must not be told
#: by us that it is there.
_COMPONENT: Final = dialect.MAV_COMP_ID_ONBOARD_COMPUTER


class Frames:
    """One link."""

    def __init__(self, secret: str = "") -> None:
        """Args: `secret` is the pass phrase of MAVLink 2's signatures; with one, what is not signed by it is passed over."""
        self._parser = dialect.MAVLink(None, srcSystem=1, srcComponent=_COMPONENT)
        self._parser.robust_parsing = True
        self.noise = 0
        if secret:
            self._parser.signing.secret_key = sha256(secret.encode()).digest()
            self._parser.signing.sign_outgoing = True

    def take(self, data: bytes) -> list[Any]:
        """Messages that end in `data`."""
        messages = self._parser.parse_buffer(data) or [] if data else []
        if self._parser.buf_index > _MOST_KEPT:
            del self._parser.buf[: self._parser.buf_index]
            self._parser.buf_index = 0
        good = [message for message in messages if message.get_type() != "BAD_DATA" and not message.get_type().startswith("UNKNOWN")]
        self.noise += len(messages) - len(good)
        return good

    def beat(self, system: int) -> bytes:
        """A heartbeat of a companion computer aboard vehicle `system`: some links send nothing to who says nothing."""
        return self._packed(
            dialect.MAVLink_heartbeat_message(
                dialect.MAV_TYPE_ONBOARD_CONTROLLER, dialect.MAV_AUTOPILOT_INVALID, 0, 0, dialect.MAV_STATE_ACTIVE, 3
            ),
            system,
        )

    def ask(self, system: int, hz: float) -> list[bytes]:
        """Requests to send what is read here, `hz` times a second, on this link."""
        wanted = [message for message in dialect.mavlink_map.values() if message.msgname in WANTED]
        return [
            self._packed(
                dialect.MAVLink_command_long_message(
                    system, 1, dialect.MAV_CMD_SET_MESSAGE_INTERVAL, 0, message.id, 1e6 / hz, 0, 0, 0, 0, 0
                ),
                system,
            )
            for message in wanted
        ]

    def _packed(self, message: Any, system: int) -> bytes:
        self._parser.srcSystem = system or 1
        packed: bytes = bytes(message.pack(self._parser))
        self._parser.seq = (self._parser.seq + 1) % 256
        return packed


#: Messages that are asked for.
WANTED: Final = frozenset(
    {
        "SYS_STATUS",
        "BATTERY_STATUS",
        "GLOBAL_POSITION_INT",
        "GPS_RAW_INT",
        "VFR_HUD",
        "ATTITUDE",
        "EXTENDED_SYS_STATE",
        "MISSION_CURRENT",
        "VIBRATION",
    }
)


def entry(enumeration: str, value: int) -> str:
    """Name of an entry of an enumeration of the dialect; empty when it has none."""
    found = dialect.enums.get(enumeration, {}).get(value)
    return str(found.name) if found is not None else ""
