"""An agent at home: what `HomeAssistant` needs, made of its settings. Wires; decides nothing."""

from importlib.metadata import version
from typing import Protocol

from croody_contract.messages import MetricInfo
from croody_edge.link.publisher import Access
from croody_edge.local.home_assistant.discovery import Entities
from croody_edge.local.home_assistant.station import About, HomeAssistant
from croody_edge.local.life import Life
from croody_edge.settings import Home, Settings
from croody_edge.texts import Language


class Told(Protocol):
    """An agent, as far as it is told at home; asked in any thread."""

    settings: Settings

    @property
    def infos(self) -> dict[str, MetricInfo]:
        """Of its metrics."""
        ...

    @property
    def trouble(self) -> str:
        """Why nothing reaches the cloud."""
        ...

    def pending(self) -> int:
        """Records that wait."""
        ...


def at_home(home: Home, agent: Told, life: Life, language: Language) -> HomeAssistant:
    """A station that hears of every reading from now on; not started."""
    robot_id = agent.settings.robot_id
    access = Access(home.broker, f"croody-edge-{robot_id}", home.username, home.password, home.ca_file)
    entities = Entities(agent.infos, tuple(life.rules.rules), language)
    about = lambda: About(not agent.trouble, agent.pending(), life.holds())  # noqa: E731 - it is handed over once
    station = HomeAssistant(access, robot_id, version("croody-edge"), entities, about, home.prefix)
    life.also.append(station.saw)
    return station
