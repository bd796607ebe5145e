"""Memory of a broker while connections come that never log in: the guard and Mosquitto, silent and in the middle of a TLS handshake.

    python -m tests.broker.strangers [CONNECTIONS]

Not collected by pytest: a figure belongs to the machine it was taken on. `test_broker_strangers.py` holds the guard to its bound.
"""

import resource
import sys
import tempfile
from pathlib import Path

from croody_contract.limits import MIB
from tests.broker.house import House, free_ports
from tests.broker.test_broker_strangers import client_hello, connect
from tests.broker.test_broker_tls import Authority, tls_house


def measure(engine: str, said: bytes, count: int, folder: Path) -> tuple[float, float]:
    """MiB before, and at most."""
    [port] = free_ports(1)
    authority = Authority(folder)
    with tls_house(engine, folder, port, *authority.issue("broker", "server")) as house:
        assert isinstance(house, House)
        before = most = house.rss_bytes()
        for number in range(count):
            connect(house, port, "127.0.0.1", said)
            if number % 50 == 49:
                most = max(most, house.rss_bytes())
        return before / MIB, most / MIB


def main() -> None:
    """Print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    for engine in ("amqtt", "mosquitto"):
        for what, said in (("say nothing over TLS", b""), ("begin a handshake and no more", client_hello())):
            with tempfile.TemporaryDirectory() as folder:
                before, most = measure(engine, said, count, Path(folder))
            print(f"{engine}, {what}: {before:.0f} -> {most:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
