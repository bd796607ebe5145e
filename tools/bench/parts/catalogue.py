"""All parts by name, in the order in which they run and stand in the page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tools.bench.parts import agent, backlog, batches, broker, ceiling, console, live, monitor, overload, robots, series, starts, stream
from tools.bench.plan import Plan
from tools.bench.row import Note, Row


@dataclass(frozen=True, slots=True)
class Part:
    """`about`: one sentence for the list and the page."""

    about: str
    run: Callable[[Plan], Iterator[Row | Note]]


PARTS: Final[Mapping[str, Part]] = {
    "ceiling": Part("One reading a message over Mosquitto into PostgreSQL, beside Node-RED and a bridge written by hand.", ceiling.run),
    "batches": Part("A hundred readings a message, as our agents send them, until they are acknowledged.", batches.run),
    "backlog": Part("One reading a message while half a million rows wait for the roll-up.", backlog.run),
    "overload": Part("Ten times what it can take: what is stored a second, and whether anything confirmed is lost.", overload.run),
    "broker": Part("Messages at QoS 1 through the guarded broker, beside bare ones.", broker.run),
    "live": Part("What a console asks most, over five million rows, beside plain SQL.", live.run),
    "series": Part("A chart of a quarter of an hour and of three years, over ten million rows.", series.run),
    "starts": Part("Whether robots that started a thousand times cost more to look at.", starts.run),
    "monitor": Part("The public page of a large fleet.", monitor.run),
    "stream": Part("A thousand people who watch two hundred robots at once.", stream.run),
    "console": Part(
        "The console's pages in a slow browser on a slow line, and two hundred people before a fleet of a thousand.", console.run
    ),
    "agent": Part(
        "The agent on a robot, its model loaded: memory, processor, durable readings; beside a gateway that does nothing.", agent.run
    ),
    "robots": Part("An agent that listens to a robot with ROS 2: processor, loss, memory.", robots.run),
}
