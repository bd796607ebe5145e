"""A robot of the earlier Croody: its TCP protocol on port 9090, `GET_DATA` at intervals and the `DATA` lines that it sends by itself."""

import socket
from time import monotonic
from typing import Annotated, Final

from msgspec import Meta

from croody_edge.lines import Lines
from croody_edge.sources import Context, HandOver, SourceSettings
from croody_edge.sources.listener import Listener
from croody_edge.sources.robot_tcp.line import reading
from croody_edge.texts import text

#: The robot refuses to be asked more often, seconds.
_LEAST_S: Final = 1.0
_CONNECT_S: Final = 4.0
#: A robot that answers nothing for so long is gone; it speaks every 15 s by itself.
_SILENT_S: Final = 20.0


class RobotTcpSettings(SourceSettings, frozen=True):
    """Where the robot listens."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 9090


class RobotTcp(Listener):
    """A `PushSource` over one connection."""

    Settings = RobotTcpSettings

    def __init__(self, own: RobotTcpSettings, context: Context) -> None:
        super().__init__()
        self._own = own

    def listen(self, hand_over: HandOver) -> None:
        """See `Listener.listen`."""
        interval_s = max(_LEAST_S, self._own.interval_s)
        with socket.create_connection((self._own.host, self._own.port), _CONNECT_S) as robot:
            robot.settimeout(0.2)
            robot.sendall(b"LOGIN USER -\n")
            lines, ask_at_s, heard_s = Lines(), monotonic(), monotonic()
            while not self.closed.is_set():
                if monotonic() >= ask_at_s:
                    robot.sendall(b"GET_DATA\n")
                    ask_at_s = monotonic() + interval_s
                try:
                    got = robot.recv(4096)
                except TimeoutError:
                    if monotonic() - heard_s > max(_SILENT_S, 3 * interval_s):
                        raise OSError(text("robot_tcp.silent", where=f"{self._own.host}:{self._own.port}")) from None
                    continue
                if not got:
                    raise OSError(text("robot_tcp.ended", where=f"{self._own.host}:{self._own.port}"))
                heard_s = monotonic()
                for line in lines.feed(got):
                    said = reading(line.decode("utf-8", "replace")) if line else None
                    if said is not None:
                        hand_over(said)
