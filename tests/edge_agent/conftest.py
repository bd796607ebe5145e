"""Fixtures of the edge's tests; what they hand out is in `doubles`."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from croody_edge.agent import Agent
from croody_edge.link.address import BrokerAddress
from tests.edge_agent.doubles import Broker, Cloud
from tests.edge_agent.link.lines import Watched


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[Broker]:
    """A real broker as a process."""
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Broker(folder, free_port)
    yield made
    made.kill()


@pytest.fixture
def cloud(broker: Broker) -> Iterator[Cloud]:
    """A cloud that books and acknowledges what comes through `broker`."""
    made = Cloud(broker.port)
    yield made
    made.close()


@pytest.fixture
def link() -> Iterator[Callable[..., Watched]]:
    """A function that starts a link to the given addresses and closes it at the end of the test."""
    made: list[Watched] = []

    def make(*brokers: BrokerAddress, **more: object) -> Watched:
        one = Watched(*brokers, **more)  # type: ignore[arg-type]
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        one.close(wait_s=0)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    made = subprocess.run(["openssl", "req", "-x509", *options, *files], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no openssl here: apt-get install openssl")
    return folder / "cert.pem", folder / "key.pem"


class Driven:
    """An agent in a thread of its own, as `croody-edge run` would drive it."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.published: list[tuple[str, int, bytes]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error: BaseException | None = None

    def start(self) -> "Driven":
        self.agent.start()
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                wait_s = self.agent.tick(time.time())
                self.agent.wake.wait(min(wait_s, 0.2))
                self.agent.wake.clear()
        except BaseException as error:
            self.error = error
            raise

    def pause(self) -> None:
        """Stop ticking, as a process that was killed does; nothing is closed."""
        self._end.set()
        self.agent.wake.set()
        self._thread.join(5)

    def stop(self, drain_s: float = 5.0) -> None:
        self.pause()
        self.agent.stop(drain_s)
        assert self.error is None, self.error


@pytest.fixture
def drive() -> Iterator[Callable[..., Driven]]:
    """A function that starts an agent and stops it at the end of the test."""
    made: list[Driven] = []

    def start(*args: Any, **more: Any) -> Driven:
        published: list[tuple[str, int, bytes]] = []
        agent = Agent(*args, on_published=lambda *what: published.append(what), **more)
        driven = Driven(agent)
        driven.published = published
        made.append(driven)
        return driven.start()

    yield start
    for driven in made:
        driven.stop(0.0)
