"""Says at the home's broker what a robot is and measures, in a thread of its own. `saw` costs its caller a lock and a dictionary.

At most one state a second, and never one before the last is confirmed: a broker that is slow gets fewer, and one that is away none.
"""

import logging
from collections.abc import Callable, Mapping
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import Final

import msgspec

from croody_contract.messages import Reading, Value
from croody_contract.printable import printable
from croody_edge.link.publisher import Access, Saying, publish
from croody_edge.local.home_assistant.discovery import Entities, config
from croody_edge.texts import text

log = logging.getLogger("croody.home_assistant")

_EVERY_S: Final = 1.0
#: Entities that are new are told at most so often, seconds.
_CONFIG_EVERY_S: Final = 10.0
#: A value that no reading had for so long is unknown, seconds.
_STALE_S: Final = 120.0
#: Between two tries, seconds: doubled each time.
_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0


class About(msgspec.Struct, frozen=True):
    """How the agent is. `holds`: rule -> whether it does."""

    reaches: bool
    waiting: int
    holds: dict[str, bool]


class HomeAssistant:
    """One robot at one broker, from `start` to `close`."""

    def __init__(
        self, access: Access, robot_id: str, version: str, entities: Entities, about: Callable[[], About], prefix: str = "homeassistant"
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            access: to the home's broker.
            robot_id: which is the device's name.
            version: of the agent.
            entities: of the robot.
            about: how the agent is; called in the station's thread.
            prefix: where Home Assistant looks for devices.
        """
        self._access, self._robot_id, self._version, self._entities, self._about = access, robot_id, version, entities, about
        self._config_topic = f"{prefix}/device/croody_{robot_id}/config"
        self._birth_topic = f"{prefix}/status"
        self._state_topic = f"croody-edge/{robot_id}/state"
        self._availability_topic = f"croody-edge/{robot_id}/availability"
        self._guard = Lock()
        self._values: dict[str, tuple[Value, float]] = {}
        self._grew = self._told = False
        self._said_s = self._config_s = 0.0
        self._last: bytes = b""
        self._closed = Flag()
        self._thread: Thread | None = None
        #: Why it is not there at the moment; empty while it is.
        self.trouble = ""

    @property
    def connected(self) -> bool:
        """Say whether its broker was greeted on this connection."""
        return self._told

    def saw(self, reading: Reading) -> None:
        """A reading of this robot; from any thread."""
        mono_s = monotonic()
        with self._guard:
            self._grew = self._entities.saw(reading.data) or self._grew
            known = self._values
            for name, value in reading.data.items():
                if name in known or len(known) < 2 * _MOST_VALUES:
                    known[name] = (value, mono_s)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread = Thread(target=self._run, name="croody home assistant", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say that the robot is off, and end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(3.0)

    def _run(self) -> None:
        wait_s = _FIRST_S
        while not self._closed.is_set():
            self._told = False
            try:
                publish(
                    self._access,
                    will=Saying(self._availability_topic, b"offline", retain=True),
                    greeting=self._greeting,
                    news=self._news,
                    goodbye=[Saying(self._availability_topic, b"offline", retain=True)],
                    again_on=self._birth_topic,
                    closed=self._closed,
                    monotonic=monotonic,
                )
            except OSError as error:
                self._failed(str(error) or type(error).__name__)
            wait_s = _FIRST_S if self._told else min(2 * wait_s, _LONGEST_S)
            self._closed.wait(wait_s)

    def _failed(self, why: str) -> None:
        if not self.trouble:
            log.warning("%s", printable(text("home.away", broker=self._access.broker, why=why)))
        self.trouble = why

    def _greeting(self) -> list[Saying]:
        if self.trouble or not self._told:
            log.info("%s", text("home.there", broker=self._access.broker))
        self.trouble, self._told = "", True
        return [self._config(), Saying(self._availability_topic, b"online", retain=True), self._state()]

    def _news(self) -> list[Saying]:
        mono_s = monotonic()
        said: list[Saying] = []
        with self._guard:
            grew = self._grew and mono_s - self._config_s >= _CONFIG_EVERY_S
        if grew:
            said.append(self._config())
        if mono_s - self._said_s >= _EVERY_S:
            before = self._last
            state = self._state()
            if grew or state.payload != before:
                said.append(state)
        return said

    def _config(self) -> Saying:
        with self._guard:
            self._grew, self._config_s = False, monotonic()
            components = self._entities.components(self._robot_id)
        body = config(self._robot_id, self._version, components, state=self._state_topic, availability=self._availability_topic)
        return Saying(self._config_topic, body, retain=True)

    def _state(self) -> Saying:
        about, mono_s = self._about(), monotonic()
        with self._guard:
            values: Mapping[str, Value] = {name: value for name, (value, at_s) in self._values.items() if mono_s - at_s < _STALE_S}
            self._last = self._entities.state(values, about.holds, reaches=about.reaches, waiting=about.waiting)
        self._said_s = mono_s
        return Saying(self._state_topic, self._last)


_MOST_VALUES: Final = 128
