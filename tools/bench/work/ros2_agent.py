"""An agent with one ROS 2 source, without a broker: everything that comes waits in its outbox.

Argument: `folder`, `domain`, `count`, `limit_s`. Prints how many different readings it made durable, and what of a core its process
took from the first to the last of them.
"""

import json
import sys
import time
from pathlib import Path

from croody_edge.agent import Agent
from croody_edge.link.address import BrokerAddress
from croody_edge.settings import Settings
from croody_edge.sources.config import choose

_TABLE = """
[source.base]
kind = "ros2"
domain = {domain}
interface = "127.0.0.1"
peers = ["127.0.0.1"]
topics = [{{ name = "/odom" }}]
"""


def main() -> None:
    """Run the agent until everything has come, or the time is over."""
    wanted = json.loads(sys.stdin.readline())
    folder = Path(wanted["folder"])
    (folder / "sources.toml").write_text(_TABLE.format(**wanted), encoding="utf-8")
    settings = Settings("robot-001", folder, secret="x", brokers=(BrokerAddress("127.0.0.1", 9),), screen=False)
    seen: set[float] = set()
    marks: list[tuple[float, float]] = []

    def published(_stream: str, _seq: int, body: bytes) -> None:
        data = json.loads(body).get("data") or {}
        if "x_m" in data:
            seen.add(data["x_m"])
            del marks[1:]  # The first stays.
            marks.append((time.monotonic(), time.process_time()))

    agent = Agent(settings, choose(settings, {}).sources, None, on_published=published)
    agent.start()
    end_s = time.monotonic() + wanted["limit_s"]
    while len(seen) < wanted["count"] and time.monotonic() < end_s:
        agent.wake.wait(agent.tick(time.time()))
        agent.wake.clear()
    agent.stop(0)
    if len(marks) < 2:
        sys.exit("nothing came")
    (began_s, before_s), (ended_s, after_s) = marks
    status = Path("/proc/self/status").read_text(encoding="ascii")
    mb = int(status.split("VmRSS:")[1].split()[0]) / 1024
    print(json.dumps({"seen": len(seen), "cpu": 100 * (after_s - before_s) / (ended_s - began_s), "mb": mb}))


if __name__ == "__main__":
    main()
