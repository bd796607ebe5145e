"""amqtt with nothing but anonymous access: the peer of our guarded broker."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.bench.peers.program import running
from tools.bench.plan import Plan
from tools.bench.system import scratch
from tools.stack import Ports, script
from tools.stack.health import mqtt


@contextmanager
def bare_amqtt(plan: Plan) -> Iterator[int]:
    """The port."""
    port = Ports.free().mqtt
    command = [script("python"), "-m", "tools.bench.work.bare_amqtt", str(port)]
    with running(scratch(plan, "amqtt"), "bare-amqtt", command, mqtt(port)):
        yield port
