"""Mosquitto without accounts or rules, its queues raised so that it drops nothing of what its subscribers are behind."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tools.bench.peers.absent import Absent
from tools.bench.peers.program import running
from tools.bench.plan import Plan
from tools.bench.system import scratch
from tools.stack import Ports
from tools.stack.health import mqtt

PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"
_CONFIG: Final = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 2000000
max_inflight_messages 1000
set_tcp_nodelay true
persistence false
"""


class Bare(NamedTuple):
    """Where it listens, and its process."""

    port: int
    pid: int


@contextmanager
def bare(plan: Plan) -> Iterator[Bare]:
    """One that runs.

    Raises:
        Absent: Mosquitto is not installed.
    """
    program = shutil.which("mosquitto", path=PATH)
    if program is None:
        raise Absent("Mosquitto is not installed here (apt-get install mosquitto): it and what stands on it are left out.")
    port = Ports.free().mqtt
    folder = scratch(plan, "mosquitto")
    config = folder / "mosquitto.conf"
    config.write_text(_CONFIG.format(port=port), encoding="ascii")
    with running(folder, "bare-mosquitto", [program, "-c", str(config)], mqtt(port)) as process:
        yield Bare(port, process.pid or 0)
